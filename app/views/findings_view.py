"""Everything that was found: checks, registers, profile, events, and tokens where there are any."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.services import shapes
from app.views import files, words
from app.views.checks_view import ChecksView, check_line
from app.views.controls import ActionButton, Segments
from app.views.event_view import EventView
from app.views.findings import Findings
from app.views.readout_view import ReadoutView
from app.views.registers_view import RegistersView
from app.views.station import Station
from app.views.surfaces import column_of, icon_label, label, row_of
from app.views.tables import CellTable
from app.views.theme import Look
from app.views.tokens_view import TokensView

KINDS = ["checks", "readings", "rows", "events"]
NAMES = ["Checks", "Registers", "Profile", "Events"]
TOKENS, TOKENS_NAME = "tokens", "Tokens"
EMPTY = {
    "checks": "No checks yet. They follow when the meter has been read.",
    "readings": "No registers yet. They appear when their check has proved them.",
    "rows": "No load profile yet.",
    "events": "No events yet.",
    TOKENS: "No tokens.",
}
EXPORTS = "Table for spreadsheets (*.csv);;Excel workbook (*.xlsx);;For programs (*.json)"
PLOT_MS = 400  # between two drawings of a growing profile


class FindingsView(QWidget):
    """Follows what arrives until the operator chooses a view; every table can be taken along."""

    def __init__(
        self, look: Look, station: Station, findings: Findings, *, checks: bool, title: str = ""
    ) -> None:
        super().__init__()
        self._look, self._station, self._findings = look, station, findings
        self._zone: tzinfo | None = words.zone(station.desk.settings.text("look.timezone"))
        self._kinds = list(KINDS if checks else KINDS[1:])
        self._seen: dict[str, int] = {}
        self._current = self._kinds[0]
        self.followed = True
        self._views: dict[str, QWidget] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        self._names = list(NAMES if checks else NAMES[1:])
        self.segments = Segments(look, self._names)
        self.segments.chosen.connect(self._chosen)
        head = row_of(look)
        if title:
            head.add(label(look, title, "heading", strong=True))
        head.add(self.segments)
        head.box.addStretch()
        export_text = "Export" if look.compact else "Export…"
        self.export = ActionButton(look, export_text, "secondary", "download")
        self.export.clicked.connect(self._export)
        head.add(self.export)
        self.head = head
        column.addWidget(head)
        self._stack = QStackedWidget()
        column.addWidget(self._stack, 1)
        self._empty = label(look, "", muted=True)
        icon = icon_label(look, "gauge", look.colours.edge, 2.4)
        self._nothing = column_of(look, None, row_of(look, None, icon, self._empty, None), None)
        self._stack.addWidget(self._nothing)
        self._plot_timer = QTimer(self)
        self._plot_timer.setSingleShot(True)
        self._plot_timer.setInterval(PLOT_MS)
        self._plot_timer.timeout.connect(self._draw_rows)
        self.refresh()

    def minimumSizeHint(self) -> QSize:
        """Little: a window that is low shows less of a table rather than growing."""
        return QSize(self._look.control * 4, self._look.control * 2 + 2 * self._look.row)

    def refresh(self) -> None:
        """Show what is new; what is not in front waits until it is."""
        if self._findings.tokens and TOKENS not in self._kinds:
            self._add_tokens()
        latest = self._findings.latest
        if self.followed and latest in self._kinds and latest != self._current:
            self._turn_to(latest)
            return
        self._update()

    def _add_tokens(self) -> None:
        """Offer the tokens of a prepayment order as one more view."""
        self._kinds.append(TOKENS)
        self._names.append(TOKENS_NAME)
        wider = Segments(self._look, self._names, self._kinds.index(self._current))
        wider.chosen.connect(self._chosen)
        self.head.box.replaceWidget(self.segments, wider)
        self.segments.hide()
        self.segments.deleteLater()
        self.segments = wider

    def turn_to(self, kind: str) -> None:
        """Bring one view to the front, as the operator would."""
        self.followed = False
        self._turn_to(kind if kind in self._kinds else self._kinds[0])

    def next_check(self) -> None:
        """Bring the checks to the front and choose the next one that somebody must look at."""
        if self._findings.checks and "checks" in self._kinds:
            self.turn_to("checks")
            view = self._view("checks")
            if isinstance(view, ChecksView):
                view.choose_next()

    def table(self) -> CellTable | None:
        """Give the table in front."""
        found = getattr(self._views.get(self._current), "table", None)
        return found if isinstance(found, CellTable) else None

    def _chosen(self, index: int) -> None:
        self.turn_to(self._kinds[index])

    def _turn_to(self, kind: str) -> None:
        self._current = kind
        self.segments.choose(self._kinds.index(kind))
        self._seen.pop(kind, None)
        self._update()

    def _update(self) -> None:
        kind, findings = self._current, self._findings
        news = findings.news.get(kind, 0)
        there = self._there(kind)
        self.export.setEnabled(there)
        if not there:
            self._empty.setText(EMPTY[kind])
            self._stack.setCurrentWidget(self._nothing)
            return
        view = self._view(kind)
        self._stack.setCurrentWidget(view)
        if self._seen.get(kind) == news:
            return
        self._seen[kind] = news
        if isinstance(view, ChecksView):
            view.show_lines([check_line(check) for check in findings.checks.values()])
        elif isinstance(view, RegistersView | ReadoutView):
            view.show_readings(findings.readings, findings.clock, findings.identity)
        elif isinstance(view, EventView):
            view.show_events(findings.events)
        elif isinstance(view, TokensView):
            view.show_tokens(findings.tokens)
        elif not self._plot_timer.isActive():
            self._draw_rows()
            self._plot_timer.start()

    def _there(self, kind: str) -> bool:
        findings = self._findings
        return bool(
            {
                "checks": findings.checks,
                "readings": findings.readings or findings.clock,
                "rows": findings.rows,
                "events": findings.events,
                TOKENS: findings.tokens,
            }[kind]
        )

    def _view(self, kind: str) -> QWidget:
        if kind not in self._views:
            self._views[kind] = self._made(kind)
            self._stack.addWidget(self._views[kind])
        return self._views[kind]

    def _made(self, kind: str) -> QWidget:
        if kind == "checks":
            return ChecksView(self._look)
        if kind == "readings":
            order = "checks" in self._kinds
            return (RegistersView if order else ReadoutView)(self._look, self._zone)
        if kind == "events":
            return EventView(self._look, self._zone)
        if kind == TOKENS:
            return TokensView(self._look)
        from app.views.profile_view import ProfileView

        view = ProfileView(self._look, self._zone)
        view.resize(self._stack.size())
        return view

    def _draw_rows(self) -> None:
        from app.views.profile_view import ProfileView

        view = self._views.get("rows")
        if isinstance(view, ProfileView) and self._findings.info and self._findings.rows:
            view.show_profile(self._findings.info, list(self._findings.rows))

    def _export(self) -> None:
        table, view = self.table(), self._views.get(self._current)
        if table is None:
            return
        title = table.accessibleName()
        path = files.ask_save(self, "Export", f"{title.lower().replace(' ', '-')}.csv", EXPORTS)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".csv")
        head, rows = view.export() if isinstance(view, ReadoutView) else table.texts()
        shape = findings_shape(self._findings, self._current, head, rows)
        station = self._station

        def write() -> str:
            from app.services.tables import write_table

            write_table(path, {title: (head, rows)}, shape)
            return f"{words.count(len(rows), 'row')} written to {path.name}."

        def say(text: str) -> None:
            station.noticed.emit("download", text)

        station.fetcher.fetch("export", write, say, station.refused.emit)


def findings_shape(
    findings: Findings, kind: str, head: Sequence[str], rows: Sequence[Sequence[str]]
) -> dict[str, Any]:
    """Give what a JSON export holds: the rows in view by their heads, who told them and when."""
    shape: dict[str, Any] = {}
    if findings.identity is not None:
        shape["identity"] = shapes.identity_shape(findings.identity)
    if kind == "rows" and findings.info is not None:
        whole = findings.whole
        profile = shapes.profile_shape(findings.info, findings.rows, complete=whole)
        return shape | {"profile": profile}
    if kind == "events":
        log = findings.events[0].log if findings.events else ""
        return shape | {"events": shapes.events_shape(log, findings.events)}
    if findings.clock is not None and kind == "readings":
        shape["clock"] = shapes.clock_shape(findings.clock)
    names = [name.lower().replace(" ", "_") for name in head]
    key = {"readings": "registers"}.get(kind, kind)
    return shape | {key: [dict(zip(names, row, strict=True)) for row in rows]}
