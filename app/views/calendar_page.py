"""Maintenance, Calendar: which rate runs when, as strips and tables; written from a file."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFrame, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.services.calendar_rates import rate_at, table_at, uses
from app.views import files, words
from app.views.act_page import ActPage
from app.views.act_sheet import ActSheet
from app.views.controls import ActionButton, Segments, action_bar
from app.views.day_strip import DayStrip
from app.views.page import purpose
from app.views.surfaces import Card, column_of, facts, label, row_of

if TYPE_CHECKING:
    from app.views.calendar_session import CalendarSession
    from app.views.theme import Look
    from drivers.calendar import Calendar, SpecialDay

KINDS = "Calendars (*.json)"
IN_FORCE, WAITING, FILE = range(3)
NAMES = ["In force", "Waiting", "In the file"]
CONSEQUENCE = (
    "The waiting table of the meter is replaced, then brought into force. What is billed at which"
    " rate changes with it."
)
FORM = "2026-12-25 07:30"


class CalendarPage(ActPage):
    """Strips of the day tables, seasons and weeks in words, and the rate at any time."""

    session: CalendarSession

    def __init__(self, look: Look, session: CalendarSession) -> None:
        super().__init__(look, session, "Calendar")
        self._table = IN_FORCE
        self._start = purpose(
            look,
            "clock",
            "Calendar",
            "Which rate runs at which hour of which day, in the meter and in a file.",
            "Save the meter's tables to a file, change it there, and write it from here.",
        )
        self.column.addWidget(self._start, 1)
        self.tables = Segments(look, NAMES)
        self.tables.chosen.connect(self._choose)
        self.said = label(look, "", muted=True, wrap=True)
        head = row_of(look, self.tables, gap=look.space.m)
        head.add(self.said, 1)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setAccessibleName("The calendar")
        self._work = column_of(look, head, self._probe_row(), gap=look.space.m)
        self._work.add(self._area, 1)
        self.column.addWidget(self._work, 1)
        self.column.addStretch(0)
        self._add_actions()
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
        face = "Save…" if short else "Save to a file…"
        self.save = ActionButton(look, face, "secondary", "download")
        self.save.clicked.connect(self._save)
        self.write = ActionButton(look, "Write…", "danger", "wrench")
        self.write.clicked.connect(self.ask_to_write)
        self.write.setFixedHeight(look.primary if look.gloves else look.control)
        self.go = ActionButton(look, "Read the calendar", "primary", "gauge", "F3")
        self.go.clicked.connect(self.read)
        left: list[QWidget] = [self.port, self.open, self.save]
        self.outer.addWidget(action_bar(look, left, [self.write, self.go]))
        self.set_primary(self.go)
        self.first_focus = self.go

    # --- what the operator does ---------------------------------------------------------------

    def read_meter(self) -> None:
        """Read both tables."""
        self.session.read_meter()

    def ask_to_write(self) -> None:
        """Ask from when on, then begin to write."""
        session = self.session
        if session.file is None or session.running:
            return
        from app.views.activation_sheet import ActivationSheet

        sheet = ActivationSheet(self.look, session.file[2], self.zone, self)
        sheet.chosen.connect(self._begin)
        sheet.open()

    def _begin(self, activation: object) -> None:
        when = activation if isinstance(activation, datetime) else None
        self.session.write_file(when)
        self.ask("Write the calendar", CONSEQUENCE, CalendarSheet)

    def _open(self) -> None:
        path = files.ask_open(self, "Open a calendar", KINDS)
        if path is not None:
            self._table = FILE
            self.session.open_file(path)

    def _save(self) -> None:
        name = f"{self.session.serial or 'meter'}-calendar.json"
        path = files.ask_save(self, "Save", name, KINDS)
        if path is not None:
            path = path if path.suffix else path.with_suffix(".json")
            station = self.session.station
            self.session.save(path, lambda text: station.noticed.emit("download", text))

    def _choose(self, table: int) -> None:
        self._table = table
        self.show_session()

    # --- what is shown ------------------------------------------------------------------------

    def show_session(self) -> None:
        """Show the chosen table and what can be done."""
        super().show_session()
        session, running = self.session, self.session.running
        empty = session.reading is None and session.file is None
        failed = session.failure is not None and not running
        self._start.setVisible(empty and not running and not failed)
        self._work.setVisible(not empty)
        self._show_table()
        self.said.setText(self._sentence())
        self._answer()
        self.save.setVisible(session.reading is not None)
        self.save.setEnabled(not running)
        self.open.setEnabled(not running)
        self.write.setVisible(self.may_write and session.file is not None)
        self.write.setEnabled(not running)
        self.go.setEnabled(not running)
        self.go.relabel("Read again" if session.reading else "Read the calendar")

    def _chosen(self) -> tuple[Calendar, tuple[SpecialDay, ...]] | None:
        """Give the table that is looked at and the special days beside it."""
        session, reading = self.session, self.session.reading
        if self._table == FILE and session.file is not None:
            table, special, _ = session.file
            kept = reading.special_days if reading is not None else ()
            return table, kept if special is None else special
        if reading is None:
            return (session.file[0], session.file[1] or ()) if session.file is not None else None
        return (reading.passive if self._table == WAITING else reading.active), reading.special_days

    def _show_table(self) -> None:
        session = self.session
        there = (session.reading is not None, session.reading is not None, session.file is not None)
        if not there[self._table] and any(there):
            self._table = there.index(True)
        for index, seen in enumerate(there):
            self.tables.show_view(index, shown=seen)
        self.tables.choose(self._table)
        old = self._area.takeWidget()
        if old is not None:
            old.deleteLater()
        chosen = self._chosen()
        if chosen is not None:
            self._area.setWidget(self._drawn(*chosen))

    def _drawn(self, table: Calendar, special: tuple[SpecialDay, ...]) -> QWidget:
        look = self.look
        host = QWidget()
        column = QVBoxLayout(host)
        column.setContentsMargins(0, 0, look.space.s, 0)
        column.setSpacing(look.space.m)
        days = Card(look, "Days")
        for day in table.days:
            used = uses(table, day.number) or "used on special days only"
            days.add(label(look, f"Day table {day.number}, {used}", muted=True, wrap=True))
            days.add(DayStrip(look, day))
        if not table.days:
            days.add(label(look, "This table holds no days.", muted=True))
        column.addWidget(days)
        seasons = [(f"Season {one.name}", f"from {one.start}, week {one.week}")
                   for one in table.seasons]  # fmt: skip
        weeks = [(f"Week {one.name}", ", ".join(map(str, one.days)) + " (Monday to Sunday)")
                 for one in table.weeks]  # fmt: skip
        card = Card(look, "Seasons and weeks")
        card.add(facts(look, [*seasons, *weeks] or [("Seasons", words.NOTHING)]))
        column.addWidget(card)
        listed = [(f"{one.index}", f"{special_date(one.date)}, day table {one.day}")
                  for one in special]  # fmt: skip
        card = Card(look, "Special days")
        card.add(facts(look, listed) if listed else label(look, "None.", muted=True))
        column.addWidget(card)
        column.addStretch()
        return host

    def _sentence(self) -> str:
        session, reading = self.session, self.session.reading
        chosen = self._chosen()
        if chosen is None:
            return ""
        parts = [f"{chosen[0].name or 'without a name'}"]
        if self._table == FILE:
            parts.append(f"file {session.file_name}")
        elif session.whole_at is not None:
            read = words.when(session.whole_at, where=self.zone)
            parts.append(f"meter {session.serial}, read {read}")
        if self._table == WAITING and reading is not None:
            when = reading.activation
            told = f"in force from {words.when(when, where=self.zone)}" if when else "no date set"
            parts.append(told)
        return ", ".join(parts) + "."

    def _answer(self) -> None:
        chosen = self._chosen()
        moment = moment_in(self.moment.text(), self.zone)
        if chosen is None or moment is None:
            self.rate.setText("" if chosen is None else f"Type date and time like {FORM}.")
            return
        table, special = chosen
        reading = self.session.reading
        if self._table == IN_FORCE and reading is not None:
            table = table_at(reading, moment)
        found = rate_at(table, special, moment)
        self.rate.setText(str(found) if found else "This table gives no rate then.")


class CalendarSheet(ActSheet):
    """Says at its end which table stood there and which stands there now."""

    def _told(self) -> list[tuple[str, str]]:
        before, after = self._service.outcome
        when = after.activation
        now = [("In force", after.active.name), ("Waiting", after.passive.name)]
        if when is not None:
            now.append(("Waiting until", words.when(when)))
        return [("Before", before.active.name), *now]


def special_date(pattern: str) -> str:
    """Say on which dates a special day falls: "12-25 every year"."""
    year, month, day = pattern.split("-")
    every = [noun for noun, part in (("day", day), ("month", month), ("year", year)) if part == "*"]
    date = "-".join(part for part in (year, month, day) if part != "*")
    return " ".join(part for part in (date, f"every {every[0]}" if every else "") if part)


def moment_in(text: str, zone: tzinfo | None) -> datetime | None:
    """Give the time that was typed, in the meter's zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=zone) if zone is not None else moment.astimezone()
