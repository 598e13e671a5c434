"""The centre on one plain page: laptops and how far behind, open reviews, orders by group."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from app.errors import AppError
from app.messages import explain
from app.views import files, words
from app.views.controls import ActionButton, Segments, action_bar
from app.views.page import Page
from app.views.paint import Verdict
from app.views.surfaces import (
    Card,
    ChipFace,
    column_of,
    facts,
    held_to,
    icon_label,
    label,
    row_of,
)
from app.views.tables import Cell, CellTable, Column, Rows

if TYPE_CHECKING:
    from app.services.centre_standing import Laptop, Standing
    from app.views.station import Station
    from app.views.theme import Look

LAPTOPS = [
    Column("Laptop"),
    Column("State", 16),
    Column("Last seen", 20),
    Column("Events", 10, number=True),
    Column("Letters waiting", 14, number=True),
]
GROUPS = [
    Column("Group"),
    Column("Planned", 9, number=True),
    Column("Under way", 10, number=True),
    Column("Done", 9, number=True),
    Column("Approved", 10, number=True),
    Column("Returned", 10, number=True),
]
NAMES = {"area": "Area", "crew": "Crew", "day": "Day"}
NO_GROUP = {"area": "No area", "crew": "Nobody", "day": "Not ended yet"}
EXPORTS = "Tables (*.csv *.xlsx);;JSON (*.json)"


class CentreSession(QObject):
    """What was last heard of the centre; pages show it."""

    turned = Signal()

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.station = station
        self.standing: Standing | None = None
        self.error: BaseException | None = None
        self.asking = False
        self.by = "area"
        station.synced.connect(lambda _: self.forget())

    @property
    def address(self) -> str:
        """Where the centre is, "" where none is set."""
        return self.station.desk.settings.text("centre.url")

    def ask(self) -> None:
        """Ask the centre, behind the window."""
        if self.asking or not self.address:
            return
        self.asking = True
        self.turned.emit()
        self.station.office.fetch(
            "standing", self.station.desk.centre_standing, self._heard, self._failed
        )

    def forget(self) -> None:
        """A sync has changed what the centre holds: it is asked when the page is opened again."""
        self.standing = None

    def _heard(self, standing: Standing) -> None:
        self.standing, self.error, self.asking = standing, None, False
        self.turned.emit()

    def _failed(self, error: BaseException) -> None:
        self.error, self.asking = error, False
        self.turned.emit()
        if not isinstance(error, AppError):
            self.station.refused.emit(error)


class CentrePage(Page):
    """Asked anew when it is opened and on F5; what was heard stays until there is newer."""

    settings_wanted = Signal()

    def __init__(self, look: Look, session: CentreSession) -> None:
        super().__init__(look, "Centre")
        self._session = session
        self._stack = QStackedWidget()
        self._note = QWidget()
        self._stack.addWidget(self._note)
        self._full = self._content()
        self._stack.addWidget(self._full)
        self.outer.addWidget(self._stack, 1)
        key = "" if look.compact else "F5"
        self.refresh = ActionButton(look, "Refresh", "primary", "rotate-cw", key)
        self.refresh.clicked.connect(session.ask)
        self.export = ActionButton(look, "Export…", "secondary", "download")
        self.export.clicked.connect(self._export)
        self.outer.addWidget(action_bar(look, [self.export], [self.refresh]))
        self.set_primary(self.refresh)
        self.on_key(Qt.Key.Key_F5, session.ask, "ask the centre again")
        session.turned.connect(self.show_session)
        self.show_session()

    def opened(self) -> None:
        """Ask when nothing was heard yet, or a sync went through since."""
        if self._session.standing is None:
            self._session.ask()

    def show_session(self) -> None:
        """Show what was heard, or why nothing was."""
        session = self._session
        for button in (self.refresh, self.export):
            button.setVisible(bool(session.address))
        self.export.setEnabled(session.standing is not None)
        self.first_focus = self.refresh if session.address else None
        if session.standing is None:
            self._show_note()
            return
        self._show_standing(session.standing)
        self._stack.setCurrentWidget(self._full)

    # -- with an answer ----------------------------------------------------------------------------

    def _content(self) -> QWidget:
        look = self.look
        host = QWidget()
        column = QVBoxLayout(host)
        column.setContentsMargins(look.page_margin, look.space.m, look.page_margin, look.space.m)
        column.setSpacing(look.space.m)
        self._title = label(look, "Centre", "heading", strong=True)
        self._said = label(look, "", muted=True)
        column.addWidget(row_of(look, self._title, self._said, None, gap=look.space.m))
        self._facts = QWidget()
        self._facts_room = QVBoxLayout()
        self._facts_room.addWidget(self._facts)
        column.addLayout(self._facts_room)
        self.laptops = CellTable(look, "Laptops", Rows(LAPTOPS))
        upper = Card(look, padded=False)
        upper.add(self.laptops)
        column.addWidget(upper, 1)
        self.by = Segments(look, list(NAMES.values()))
        self.by.chosen.connect(self._choose)
        column.addWidget(row_of(look, label(look, "Jobs by", "strong", strong=True), self.by, None))
        self.groups = CellTable(look, "Jobs by group", Rows(GROUPS))
        lower = Card(look, padded=False)
        lower.add(self.groups)
        column.addWidget(lower, 1)
        return host

    def _show_standing(self, standing: Standing) -> None:
        look, session = self.look, self._session
        where = words.zone(session.station.desk.settings.text("look.timezone"))
        said = f"{session.address} · as of {words.clock_time(standing.at, where)}"
        if session.asking:
            said = f"{session.address} · asking…"
        elif session.error is not None:
            said = f"{said} · {explain(session.error).title.lower()} since"
        self._said.setText(said)
        quiet = sum(item.quiet(standing.at) and not item.revoked for item in standing.laptops)
        laptops = words.count(len(standing.laptops), "laptop")
        pairs = [
            ("Disputed events to settle", f"{standing.reviews_open:,}"),
            ("Visits to approve", f"{standing.visits_in_review:,}"),
            ("Laptops", f"{laptops}, {quiet} silent" if quiet else laptops),
            ("Events", f"{standing.events:,}, {standing.not_applied:,} not applied"),
        ]
        made = facts(look, pairs, 1 if look.compact else 2)
        self._facts_room.replaceWidget(self._facts, made)
        self._facts.hide()
        self._facts.deleteLater()
        self._facts = made
        _rows(self.laptops).replace(
            [self._laptop(item, standing, where) for item in standing.laptops]
        )
        self._show_groups(standing)

    def _laptop(self, item: Laptop, standing: Standing, where: Any) -> list[Cell]:
        face = ChipFace("In touch", verdict=Verdict.PASS)
        if item.revoked:
            face = ChipFace("Revoked", icon="ban")
        elif item.last_seen is None:
            face = ChipFace("Never seen", icon="clock")
        elif item.quiet(standing.at):
            face = ChipFace("Silent", verdict=Verdict.WARN)
        seen = words.when(item.last_seen, standing.at, where) if item.last_seen else words.NOTHING
        return [
            Cell(item.title, strong=True),
            Cell(chip=face),
            Cell(seen),
            Cell(f"{item.events:,}"),
            Cell(f"{item.letters:,}"),
        ]

    def _show_groups(self, standing: Standing) -> None:
        by = self._session.by
        rows = []
        for group in standing.groups[by]:
            name, *numbers = asdict(group).values()
            cells = [Cell(f"{number:,}", muted=not number) for number in numbers]
            rows.append([Cell(str(name) or NO_GROUP[by], strong=bool(name)), *cells])
        _rows(self.groups).replace(rows)

    def _choose(self, index: int) -> None:
        self._session.by = [*NAMES][index]
        if self._session.standing is not None:
            self._show_groups(self._session.standing)

    # -- without one -------------------------------------------------------------------------------

    def _show_note(self) -> None:
        look, session = self.look, self._session
        title, meaning, remedy = (
            "No centre is set",
            "This page shows what the central store holds: laptops, open reviews, jobs by group.",
            "Give the address of the centre in Settings.",
        )
        if session.asking or (session.address and session.error is None):
            title, meaning, remedy = "Asking the centre…", session.address, ""
        elif session.error is not None and session.address:
            message = explain(session.error)
            title, meaning, remedy = message.title, words.sentence(message.detail), message.remedy
        block = column_of(
            look,
            icon_label(look, "monitor", look.colours.edge, 3.2),
            look.space.s,
            label(look, title, "heading", strong=True),
            label(look, meaning, wrap=True),
            label(look, remedy, muted=True, wrap=True),
        )
        if not session.address:
            go = ActionButton(look, "Open Settings", "secondary", "settings")
            go.clicked.connect(self.settings_wanted)
            block.add(row_of(look, go, None))
            self.first_focus = go
        held_to(block, look.width_of("0" * 60))
        note = QWidget()
        outer = QVBoxLayout(note)
        outer.addStretch(2)
        outer.addWidget(block, 0, Qt.AlignmentFlag.AlignHCenter)
        outer.addStretch(3)
        self._stack.removeWidget(self._note)
        self._note.deleteLater()
        self._note = note
        self._stack.addWidget(note)
        self._stack.setCurrentWidget(note)

    # -- a file ------------------------------------------------------------------------------------

    def _export(self) -> None:
        standing, station = self._session.standing, self._session.station
        if standing is None:
            return
        path = files.ask_save(self, "Export", "centre.csv", EXPORTS)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".csv")

        def write() -> str:
            from app.services.centre_standing import shape, tables
            from app.services.tables import write_table

            write_table(path, tables(standing), shape(standing))
            return f"The state of the centre was written to {path.name}."

        def say(text: str) -> None:
            station.noticed.emit("download", text)

        station.fetcher.fetch("export centre", write, say, station.refused.emit)


def _rows(table: CellTable) -> Rows:
    model = table.model()
    if not isinstance(model, Rows):
        raise TypeError("a table of this page holds rows")
    return model
