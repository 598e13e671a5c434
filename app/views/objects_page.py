"""Maintenance, Objects: everything a meter holds, read one by one or many at once, and written."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.services.attributes import why_not_written
from app.services.object_groups import by_class, by_purpose, fits
from app.views import files, words
from app.views.controls import ActionButton, Segments, action_bar
from app.views.fault_panel import FaultRoom
from app.views.fields import search_field
from app.views.findings_view import EXPORTS
from app.views.object_profile import ProfileRoom
from app.views.object_session import ObjectSession
from app.views.object_table import ObjectTable
from app.views.object_tree import ObjectTree
from app.views.page import Page, purpose
from app.views.progress_strip import ProgressStrip
from app.views.surfaces import Card, column_of, label
from app.views.theme import Look
from app.views.write_sheet import WriteSheet

PROFILE = 7  # class of load profiles and logs
WAYS = ["By purpose", "By class"]


class ObjectsPage(Page):
    """The tree on the left, the attributes of what is chosen there on the right."""

    port_wanted = Signal()
    report_wanted = Signal(object)  # a defect

    def __init__(self, look: Look, session: ObjectSession) -> None:
        super().__init__(look, "Objects of the meter")
        self._session = session
        self._zone = words.zone(session.station.desk.settings.text("look.timezone"))
        self.may_write = True
        edge = look.page_margin
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(edge, look.space.m, edge, edge)
        column.setSpacing(look.space.m)
        self.strip = ProgressStrip(look)
        self.strip.stopped.connect(session.stop)
        self._fault = FaultRoom(look, self.report_wanted.emit)
        self._start = purpose(
            look,
            "list-filter",
            "Objects of the meter",
            "Every object of a DLMS/COSEM meter with its values, meanings and access rights.",
            "The list is read once for meters of a kind. Nothing is written until you confirm it.",
        )
        self._work = self._workplace()
        column.addWidget(self.strip)
        column.addLayout(self._fault)
        column.addWidget(self._start, 1)
        column.addWidget(self._work, 1)
        column.addStretch(0)  # keeps the progress at the top while there is nothing below
        self.outer.addWidget(content, 1)
        self._add_actions()
        session.turned.connect(self.show_session)
        session.moved.connect(lambda: self.strip.show_forecast(session.forecast))
        session.found.connect(self._show_found)
        self.on_key(Qt.Key.Key_F3, self.read, "read what is chosen")
        self.on_key(Qt.Key.Key_F5, self.list_anew, "list the objects anew")
        self.on_key(Qt.Key.Key_Escape, session.stop)
        self._fill_tree()
        self.show_session()

    # --- parts --------------------------------------------------------------------------------

    def _workplace(self) -> QWidget:
        look = self.look
        self.search = search_field(look, "Name, code or class", "Search in the objects")
        self.search.textChanged.connect(lambda _: self._fill_tree())
        self.count = label(look, "", "caption", muted=True)
        self.ways = Segments(look, WAYS)
        self.ways.chosen.connect(self._sort)
        self._by_class = False
        self.tree = ObjectTree(look)
        self.tree.selectionModel().selectionChanged.connect(lambda *_: self._show_chosen())
        card = Card(look, padded=False)
        card.add(self.tree)
        left = column_of(look, self.search, self.ways, gap=look.space.s)
        left.add(card, 1)
        left.add(self.count)
        self.attributes = ObjectTable(look, self._session, self._zone)
        self.attributes.turned.connect(self._judge)
        self._left = left
        self.rows = ProfileRoom(look, self._session, self._zone)
        self.rows.left.connect(self._leave_rows)
        self.rows.exported.connect(self._export_rows)
        self._right = QStackedWidget()
        self._right.addWidget(self.attributes)
        self._right.addWidget(self.rows)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(look.space.m)
        split.addWidget(left)
        split.addWidget(self._right)
        wide = look.width_of("0" * (30 if look.compact or look.gloves else 42))
        split.setSizes([wide, max(wide, 3 * wide)])
        split.setStretchFactor(1, 1)
        return split

    def _add_actions(self) -> None:
        look = self.look
        self.port = ActionButton(look, "Port…", "secondary", "plug")
        self.port.clicked.connect(self.port_wanted)
        self.anew = ActionButton(look, "List anew", "secondary", "rotate-cw", "F5")
        self.anew.clicked.connect(self.list_anew)
        self.export = ActionButton(look, "Export…", "secondary", "download")
        self.export.clicked.connect(self._export)
        self.open_rows = ActionButton(look, "Open profile", "secondary", "activity")
        self.open_rows.clicked.connect(self._open_rows)
        self.write = ActionButton(look, "Write…", "danger", "wrench")
        self.write.clicked.connect(self.ask_to_write)
        self.go = ActionButton(look, "List the objects", "primary", "list-filter", "F3")
        self.go.clicked.connect(self.read)
        for button in (self.open_rows, self.write):
            button.setFixedHeight(look.primary if look.gloves else look.control)
        left: list[QWidget] = [self.port, self.anew, self.export]
        self.outer.addWidget(action_bar(look, left, [self.open_rows, self.write, self.go]))
        self.set_primary(self.go)
        self.first_focus = self.go

    # --- what the operator does ---------------------------------------------------------------

    def opened(self) -> None:
        """Forget another meter's objects, and learn what this role may do."""
        self._session.check_place()
        desk, station = self._session.station.desk, self._session.station

        def take(may: bool) -> None:
            self.may_write = may
            self._judge()

        fetch = station.fetcher.fetch
        fetch("may write", lambda: desk.may("meter.write"), take, station.refused.emit, self)
        self._show_found()
        self.show_session()

    def read(self) -> None:
        """Read what is chosen; list the objects first where that is still to be done."""
        session = self._session
        if session.running:
            return
        if not session.station.target:
            self.port_wanted.emit()
        elif not session.entries:
            session.list_objects()
        elif self._right.currentWidget() is self.rows:
            self.rows.read()
        else:
            session.read(self.tree.chosen())

    def list_anew(self) -> None:
        """Read the object list from the meter, whatever is kept of its like."""
        if not self._session.running and self._session.station.target:
            self._session.list_objects(anew=True)

    def ask_to_write(self) -> None:
        """Begin to write the chosen attribute; the task asks for everything else."""
        place = self.attributes.place()
        if place is None or not self.write.isEnabled():
            return
        from app.services.attributes import name_of
        from app.services.object_groups import title_of

        entry, index = place.entry, place.attribute
        title = f"Write: {name_of(entry.class_id, index)} of {title_of(entry)}"
        self._session.write((entry.code, entry.class_id, index))
        if self._session.running:
            sheet = WriteSheet(self.look, self._session, title, self._session.serial, self)
            sheet.open()

    def _open_rows(self) -> None:
        entry = next((one for one in self.tree.chosen() if one.class_id == PROFILE), None)
        if entry is not None:
            self.rows.show_profile_of(entry)
            self._right.setCurrentWidget(self.rows)
            self.show_session()

    def _leave_rows(self) -> None:
        self._right.setCurrentWidget(self.attributes)
        self.show_session()

    def _sort(self, way: int) -> None:
        self._by_class = bool(way)
        self._fill_tree()

    # --- what is shown ------------------------------------------------------------------------

    def show_session(self) -> None:
        """Show what has turned: begun, asked, ended."""
        session = self._session
        running, empty = session.running, not session.entries
        self.strip.setVisible(running and session.question is None)
        if running and self.has_focus(self.go):
            self.strip.stop.setFocus()
        self._fault.show_failure(self._session, here=self._session.doing != "writing")
        self._start.setVisible(empty and not running and session.failure is None)
        self._work.setVisible(not empty)
        if not empty:
            self._show_chosen()
        self._judge()

    def _show_found(self) -> None:
        session = self._session
        self._work.setVisible(bool(session.entries))
        self._start.setVisible(not session.entries and not session.running)
        if session.entries and self.tree.model().rowCount() == 0:
            self._fill_tree()
            self.tree.choose_first()
            self.tree.setFocus()
        elif not session.entries or session.doing == "listing":
            self._fill_tree()
        self._show_chosen()
        if session.doing == "profile":
            self.rows.show_rows()

    def _fill_tree(self) -> None:
        wanted = self.search.text().lower().split()
        entries = self._session.entries
        kept = [entry for entry in entries if fits(entry, wanted)]
        groups = by_class(kept) if self._by_class else by_purpose(kept)
        self.tree.show_groups(groups, opened=bool(wanted))
        few = f"{len(kept):,} of " if len(kept) != len(entries) else ""
        session = self._session
        source = ""
        if session.listed_at is not None:
            when = words.when(session.listed_at, where=self._zone)
            source = f", listed {when}" + (", from the cache" if session.kept else "")
        self.count.setText(few + words.count(len(entries), "object") + source)

    def _show_chosen(self) -> None:
        self.attributes.show_objects(self.tree.chosen())
        self._judge()

    def _judge(self) -> None:
        """Say by the buttons what can be done now."""
        session = self._session
        running, chosen = session.running, self.tree.chosen()
        on_rows = self._right.currentWidget() is self.rows
        self._left.setVisible(not on_rows)
        place = self.attributes.place()
        writable = bool(place and place.attribute) and not on_rows
        if writable and place is not None:
            writable = not why_not_written(place.entry, place.attribute)
        self.write.setVisible(self.may_write and not on_rows)
        self.write.setEnabled(writable and not running)
        self.open_rows.setVisible(not on_rows and any(e.class_id == PROFILE for e in chosen))
        self.open_rows.setEnabled(not running)
        self.port.setEnabled(not running)
        self.anew.setVisible(bool(session.entries))
        self.anew.setEnabled(not running)
        self.export.setVisible(bool(session.entries) and not on_rows)
        self.export.setEnabled(not running)
        some = words.count(len(chosen), "object")
        face = "Read rows" if on_rows else f"Read {some}" if session.entries else "List the objects"
        if self.go.text() != face:
            self.go.relabel(face, "gauge" if session.entries else "list-filter")
        self.go.setEnabled(not running and bool(chosen or not session.entries or on_rows))

    # --- files --------------------------------------------------------------------------------

    def _export(self) -> None:
        head, rows = self.attributes.export()
        names = [name.lower().replace(" ", "_") for name in head]
        shape = {
            "meter": self._session.serial,
            "attributes": [dict(zip(names, row, strict=True)) for row in rows],
        }
        self._save("objects", "Objects", (head, rows), shape)

    def _export_rows(self, table: Any, shape: Any) -> None:
        self._save("profile", "Profile", table, shape)

    def _save(self, name: str, title: str, table: Any, shape: Any) -> None:
        path = files.ask_save(self, "Export", f"{name}.csv", EXPORTS)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".csv")
        station = self._session.station

        def write() -> str:
            from app.services.tables import write_table

            write_table(path, {title: table}, shape)
            return f"{words.count(len(table[1]), 'row')} written to {path.name}."

        def say(text: str) -> None:
            station.noticed.emit("download", text)

        station.fetcher.fetch("export", write, say, station.refused.emit)
