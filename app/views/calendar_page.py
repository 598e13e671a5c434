"""Maintenance, Calendar: which rate runs when, in the meter and in a draft that is worked on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QStackedWidget, QWidget

from app.services.calendar_differences import Difference, differences
from app.services.calendar_draft import Draft
from app.services.calendar_export import EXPORTS, calendar_tables
from app.services.calendar_interrupted import told
from app.services.calendar_rates import rate_at, table_at
from app.views import files, words
from app.views.act_page import ActPage
from app.views.calendar_differences import DifferencesView
from app.views.calendar_editor import CalendarEditor
from app.views.calendar_reading import drawn, moment_in
from app.views.calendar_sheet import CalendarSheet, consequence
from app.views.controls import ActionButton, Segments, action_bar
from app.views.page import purpose
from app.views.surfaces import Banner, column_of, label, row_of

if TYPE_CHECKING:
    from app.views.calendar_session import CalendarSession
    from app.views.theme import Look
    from drivers.calendar import Calendar, SpecialDay

KINDS = "Calendars (*.json)"
IN_FORCE, WAITING, DRAFT, DIFFERENCES = range(4)
NAMES = ["In force", "Waiting", "Draft", "Differences"]
FORM = "2026-12-25 07:30"


class CalendarPage(ActPage):
    """The tables of the meter to look at, the draft to work on, and the rate at any time."""

    session: CalendarSession

    def __init__(self, look: Look, session: CalendarSession) -> None:
        super().__init__(look, session, "Calendar")
        self._view = DRAFT if session.draft is not None else IN_FORCE
        self._lines: tuple[Difference, ...] = ()
        self._broken = Banner(look, "warned", "A calendar was on its way to a meter")
        self.again = ActionButton(look, "Take it into the draft", "secondary")
        self.again.clicked.connect(self._take_broken)
        self.seen = ActionButton(look, "Understood", "secondary", "check")
        self.seen.clicked.connect(session.settle_broken)
        side = self._broken.layout()
        if side is not None:
            side.addWidget(row_of(look, self.again, self.seen, gap=max(look.space.s, look.gap)))
        self.column.addWidget(self._broken)
        self._start = purpose(
            look,
            "clock",
            "Calendar",
            "Which rate runs at which hour of which day, in the meter and in a draft.",
            "Read the meter, open a file or begin anew: then change it here, save it to a file, or"
            " write it to the meter.",
        )
        self.column.addWidget(self._start, 1)
        self.views = Segments(look, NAMES)
        self.views.chosen.connect(self.turn)
        self.said = label(look, "", muted=True, wrap=True)
        head = row_of(look, self.views, gap=look.space.m)
        head.add(self.said, 1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setAccessibleName("The calendar")
        self.editor = CalendarEditor(look, session, self.zone)
        self.editor.looked.connect(self._show_probe)
        self.differ = DifferencesView(look)
        self.differ.chosen.connect(self.show_session)
        self._stack = QStackedWidget()
        for part in (self._area, self.editor, self.differ):
            self._stack.addWidget(part)
        self._probe = self._probe_row()
        self._work = column_of(look, head, gap=look.space.s)
        self._work.add(self._stack, 1)
        self._work.add(self._probe)
        self.column.addWidget(self._work, 1)
        self.column.addStretch(0)
        self._add_actions()
        self._add_keys()
        session.edited.connect(self.show_session)
        session.taken.connect(lambda: self.turn(DRAFT))
        self.follow()

    def _probe_row(self) -> QWidget:
        look = self.look
        self.moment = QLineEdit(f"{datetime.now(UTC).astimezone(self.zone):%Y-%m-%d %H:%M}")
        self.moment.setAccessibleName("Date and time, in the meter's time")
        self.moment.setPlaceholderText(FORM)
        self.moment.setFixedWidth(look.width_of("0" * 20))
        self.moment.textChanged.connect(self._answer)
        caption = label(look, "Which rate at", muted=True)
        caption.setBuddy(self.moment)
        self.rate = label(look, "", strong=True, wrap=True)
        self.rate.setAccessibleName("The rate at this time")
        row = row_of(look, caption, self.moment, gap=look.space.m)
        row.add(self.rate, 1)
        return row

    def _add_actions(self) -> None:
        look, short = self.look, self.look.compact or self.look.gloves
        self.open = ActionButton(look, "Open…" if short else "Open a file…", "secondary", "inbox")
        self.open.clicked.connect(self._open)
        self.new = ActionButton(look, "New", "secondary")
        self.new.clicked.connect(self._begin_new)
        self.save = ActionButton(look, "Save…", "secondary", "download")
        self.save.clicked.connect(self._save)
        self.export = ActionButton(look, "Export…", "secondary")
        self.export.clicked.connect(self._export)
        self.back = ActionButton(look, "Back to the calendar", "secondary", key="Esc")
        self.back.clicked.connect(self.escape)
        self.edit = ActionButton(look, "Edit" if short else "Edit this table", "secondary")
        self.edit.clicked.connect(self._edit)
        self.write = ActionButton(look, "Write…", "danger", "wrench")
        self.write.clicked.connect(self.ask_to_write)
        for button in (self.back, self.edit, self.write):
            button.setFixedHeight(look.primary if look.gloves else look.control)
        self.go = ActionButton(look, "Read the calendar", "primary", "gauge", "F3")
        self.go.clicked.connect(self.read)
        left: list[QWidget] = [self.port, self.open, self.new, self.save, self.export]
        self.outer.addWidget(action_bar(look, left, [self.back, self.edit, self.write, self.go]))
        self.set_primary(self.go)
        self.first_focus = self.go

    def _add_keys(self) -> None:
        keys, buttons = QKeySequence.StandardKey, self.editor.buttons
        self.on_key(QKeySequence(keys.Undo), buttons.undo.click)
        for key in ("Ctrl+Y", "Ctrl+Shift+Z"):
            self.on_key(QKeySequence(key), buttons.redo.click)
        self.on_key(QKeySequence(keys.New), self.new.click)
        self.on_key(QKeySequence(keys.Open), self.open.click)
        self.on_key(QKeySequence(keys.Save), self.save.click)
        self.on_key(Qt.Key.Key_F4, self._next_problem)

    def focus_result(self) -> None:
        """Go on with what was read."""
        self.edit.setFocus() if self.edit.isVisible() else super().focus_result()

    # --- what the operator does ---------------------------------------------------------------

    def read_meter(self) -> None:
        """Read both tables."""
        self.session.read_meter()

    def escape(self) -> None:
        """Stop what runs; leave the error that stands in the place of the calendar."""
        if self.session.running:
            self.session.stop()
        else:
            self.session.dismiss_failure()

    def ask_to_write(self) -> None:
        """Ask from when on, then begin to write."""
        session = self.session
        if session.draft is None or session.running or not self.editor.may_be_written:
            return
        if not session.station.target:
            self.port_wanted.emit()
            return
        from app.views.activation_sheet import ActivationSheet

        sheet = ActivationSheet(self.look, session.draft.activation, self.zone, self)
        sheet.chosen.connect(self._begin)
        sheet.open()

    def _begin(self, activation: object) -> None:
        when = activation if isinstance(activation, datetime) else None
        draft, reading = self.session.draft, self.session.reading
        if draft is not None:
            self.session.write_draft(when)
            said = consequence(draft, reading, when, self.zone)
            self.ask("Write the calendar", said, CalendarSheet)

    def _open(self) -> None:
        path = files.ask_open(self, "Open a calendar", KINDS, self.session.folder())
        if path is not None:
            self.session.open_file(path)

    def _next_problem(self) -> None:
        if self.session.draft is not None:
            self.turn(DRAFT)
            self.editor.next_problem()

    def _begin_new(self) -> None:
        self.session.begin_new()
        self.editor.focus_name()

    def _edit(self) -> None:
        self.session.edit_reading(waiting=self._view == WAITING)
        self.editor.focus_first()

    def _take_broken(self) -> None:
        broken = self.session.broken
        if broken is not None:
            self.session.take(broken.wanted, f"the write to meter {broken.meter}")

    def _save(self) -> None:
        session, drafting = self.session, self._view in {DRAFT, DIFFERENCES}
        if not self.save.isVisible():
            return
        name = f"{session.serial or 'meter'}-calendar.json"
        if drafting and session.draft is not None:
            name = session.path.name if session.path else f"{session.draft.table.name}.json"
        path = files.ask_save(self, "Save", session.place_for(name), KINDS)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".json")
        save = session.save_draft if drafting else session.save_reading
        save(path, lambda text: session.station.noticed.emit("download", text))

    def _export(self) -> None:
        chosen, session = self._chosen(), self.session
        if chosen is None:
            return
        path = files.ask_save(self, "Export", session.place_for("calendar.csv"), EXPORTS)
        if path is None:
            return
        path = path if path.suffix else path.with_suffix(".csv")
        tables = calendar_tables(*chosen, self._lines if self._view == DIFFERENCES else None)

        def write() -> str:
            from app.services.tables import write_table

            write_table(path, tables, {})
            return f"The tables are in {path.name}."

        say = session.station.noticed
        fetch, refused = session.station.fetcher.fetch, session.station.refused.emit
        fetch("export", write, lambda text: say.emit("download", text), refused)

    def turn(self, view: int) -> None:
        """Look at another table, at the draft, or at what differs."""
        self._view = view
        self.show_session()

    # --- what is shown ------------------------------------------------------------------------

    def show_session(self) -> None:
        """Show the chosen table and what can be done."""
        super().show_session()
        session, running = self.session, self.session.running
        read, drafted = session.reading is not None, session.draft is not None
        failed = session.failed_to_read
        empty = not read and not drafted
        self._start.setVisible(empty and not running and not failed)
        self._work.setVisible(not empty and not failed)
        self.back.setVisible(not empty and failed)
        self._show_broken()
        self._show_view(read=read, drafted=drafted)
        self.said.setText(self._sentence())
        self._answer()
        drafting = self._view in {DRAFT, DIFFERENCES}
        self.save.setVisible(not empty and not failed)
        self.export.setVisible(not empty and not failed)
        self.edit.setVisible(read and not drafting and not failed)
        self.write.setVisible(self.may_write and drafted and drafting and not failed)
        for button in (self.open, self.new, self.save, self.export, self.edit, self.go):
            button.setEnabled(not running)
        self.write.setEnabled(not running and self.editor.may_be_written)
        self.go.relabel("Read again" if read else "Read the calendar")

    def _show_broken(self) -> None:
        session, broken = self.session, self.session.broken
        self._broken.setVisible(broken is not None and not session.running)
        if broken is None:
            return
        found, reading = session.finding, session.reading
        when = words.when(broken.since, where=self.zone)
        if found is None or reading is None:
            text = (
                f"{broken.wanted.table.name} was being written to meter {broken.meter}, {when}, and"
                " nobody knows how far it came. Read that meter: then it is said here what stands"
                " there."
            )
        else:
            text = f"Meter {broken.meter}, {when}: {told(broken, found, reading)}"
        self._broken.set_text(text)
        self.seen.setVisible(found is not None)

    def _show_view(self, *, read: bool, drafted: bool) -> None:
        there = (read, read, drafted, read and drafted)
        if not there[self._view] and any(there):
            self._view = there.index(True)
        for index, seen in enumerate(there):
            self.views.show_view(index, shown=seen)
        self.views.choose(self._view)
        reading = self.session.reading
        if drafted:
            self.editor.show_draft()
        self._lines = ()
        if reading is not None and self.session.draft is not None:
            waiting = self.differ.waiting
            self._lines = differences(self.session.draft, reading, waiting=waiting)
            self.differ.show_lines(self._lines, "the waiting table" if waiting else
                                   "the table in force")  # fmt: skip
        self.views.rename([*NAMES[:DIFFERENCES], f"Differences ({len(self._lines)})"])
        if self._view in {IN_FORCE, WAITING}:
            self._show_table()
        self._stack.setCurrentWidget(
            {DRAFT: self.editor, DIFFERENCES: self.differ}.get(self._view, self._area)
        )
        self._show_probe()

    def _show_probe(self) -> None:
        room = self._view != DRAFT or self.editor.shows_calendar
        self._probe.setVisible(self._view != DIFFERENCES and room)

    def _chosen(self) -> tuple[Calendar, tuple[SpecialDay, ...]] | None:
        """Give the table that is looked at and the special days beside it."""
        reading, draft = self.session.reading, self.session.draft
        if self._view in {DRAFT, DIFFERENCES} and draft is not None:
            return draft.table, self._special_of(draft)
        if reading is None:
            return None
        return (reading.passive if self._view == WAITING else reading.active), reading.special_days

    def _special_of(self, draft: Draft) -> tuple[SpecialDay, ...]:
        reading = self.session.reading
        kept = reading.special_days if reading is not None else ()
        return kept if draft.special_days is None else draft.special_days

    def _show_table(self) -> None:
        old, chosen = self._area.takeWidget(), self._chosen()
        if old is not None:
            old.deleteLater()
        if chosen is not None:
            self._area.setWidget(drawn(self.look, *chosen))

    def _sentence(self) -> str:
        session, reading = self.session, self.session.reading
        if self._view in {DRAFT, DIFFERENCES}:
            return self._sentence_of_draft()
        chosen = self._chosen()
        if chosen is None:
            return ""
        parts = [f"{chosen[0].name or 'without a name'}"]
        if session.whole_at is not None:
            read = words.when(session.whole_at, where=self.zone)
            parts.append(f"meter {session.serial}, read {read}")
        if self._view == WAITING and reading is not None:
            when = reading.activation
            said = f"in force from {words.when(when, where=self.zone)}" if when else "no date set"
            parts.append(said)
        return ", ".join(parts) + "."

    def _sentence_of_draft(self) -> str:
        session = self.session
        state = "not saved to a file" if session.unsaved else "saved"
        parts = [f"From {session.origin}: {state}"]
        if session.keep_trouble:
            parts.append(f"Not kept on this laptop either: {session.keep_trouble}")
        if self._view == DRAFT and (self.look.compact or self.look.gloves):
            parts.append(self.editor.summary.rstrip("."))
        return ". ".join(parts) + "."

    def _answer(self) -> None:
        chosen = self._chosen()
        moment = moment_in(self.moment.text(), self.zone)
        if chosen is None or moment is None:
            self.rate.setText("" if chosen is None else f"Type date and time like {FORM}.")
            return
        table, special = chosen
        reading = self.session.reading
        if self._view == IN_FORCE and reading is not None:
            table = table_at(reading, moment)
        found = rate_at(table, special, moment)
        self.rate.setText(str(found) if found else "This table gives no rate then.")
