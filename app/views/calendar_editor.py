"""The draft of a switching table: four tables that lead into each other, and special days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from app.services.calendar_checks import OUT_OF_ORDER, Problem, at_row, grave
from app.services.calendar_draft import Draft, Part, Row, added, count, ordered, removed
from app.views.calendar_form import RowForm
from app.views.calendar_head import HeadButtons, HeadFields, summary
from app.views.calendar_tables import TITLES, PartTable
from app.views.controls import Segments
from app.views.surfaces import Card, label, row_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from app.views.calendar_session import CalendarSession
    from app.views.theme import Look

PARTS = tuple(TITLES)
NARROW = (Part.CALENDAR, *PARTS)
SHORT = ["Calendar", "Seasons", "Weeks", "Days", "Points", "Special"]


class CalendarEditor(QWidget):
    """Shows the draft of the session, and takes every change to it as one step."""

    looked = Signal()  # another row is chosen

    def __init__(self, look: Look, session: CalendarSession, zone: tzinfo | None) -> None:
        super().__init__()
        self._look, self._session, self._zone = look, session, zone
        self._narrow = look.compact or look.gloves
        self._part = Part.SEASONS
        self._found: tuple[Problem, ...] = ()
        self.tables = {part: PartTable(look, part) for part in PARTS}
        self.form = RowForm(look, self.tables[Part.SPECIAL].table)
        self.form.given.connect(self._take)
        self.form.ended.connect(self._end_row)
        self.fields = HeadFields(look, session, zone, narrow=self._narrow)
        self.fields.ended.connect(self._end_row)
        self.buttons = HeadButtons(look, session, narrow=self._narrow)
        self.buttons.next.clicked.connect(self.next_problem)
        self.matter = label(look, "", wrap=True)
        self.matter.setAccessibleName("What is the matter with the calendar")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        column.addWidget(self._narrow_body() if self._narrow else self._wide_body(), 1)
        for part, shown in self.tables.items():
            self._connect(part, shown)

    def _wide_body(self) -> QWidget:
        look, host = self._look, QWidget()
        outer, grid = QVBoxLayout(host), QGridLayout()
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(look.space.s)
        head = row_of(look, self.fields, self.buttons.row)
        head.add(self.matter, 1)
        outer.addWidget(head)
        outer.addLayout(grid, 1)
        grid.setSpacing(look.space.m)
        places = {
            Part.SEASONS: (0, 0),
            Part.WEEKS: (0, 1),
            Part.DAYS: (1, 0),
            Part.POINTS: (1, 1),
            Part.SPECIAL: (1, 2),
        }
        for part, (row, column) in places.items():
            grid.addWidget(self.tables[part], row, column)
        grid.addWidget(self.form, 0, 2)
        for column in range(3):
            grid.setColumnStretch(column, 1)
        for row in range(2):
            grid.setRowStretch(row, 1)
        return host

    def _narrow_body(self) -> QWidget:
        look, host = self._look, QWidget()
        column = QVBoxLayout(host)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(look.space.s)
        self.parts = Segments(look, SHORT)
        self.parts.chosen.connect(lambda number: self._turn(NARROW[number]))
        whole = Card(look)
        whole.add(self.fields)
        whole.add(self.matter)
        whole.body.addStretch()
        self.stack = QStackedWidget()
        self.pages: dict[Part, QWidget] = {Part.CALENDAR: whole, **self.tables}
        for shown in self.pages.values():
            self.stack.addWidget(shown)
        body = row_of(look, gap=look.space.m)
        body.add(self.stack, 1)
        body.add(self.form, 1)
        column.addWidget(row_of(look, self.parts, None, self.buttons.row, gap=look.space.m))
        column.addWidget(body, 1)
        return host

    def _connect(self, part: Part, shown: PartTable) -> None:
        shown.chosen.connect(self._choose)
        shown.add_row.clicked.connect(lambda: self.add(part))
        shown.remove_row.clicked.connect(lambda: self.remove(part))
        shown.sort_rows.clicked.connect(lambda: self.sort(part))
        shown.table.add_wanted.connect(lambda: self.add(part))
        shown.table.remove_wanted.connect(lambda: self.remove(part))
        shown.table.entered.connect(self.form.focus_first)

    # --- what the operator does ---------------------------------------------------------------

    def add(self, part: Part) -> None:
        """Add a row and go to its fields."""
        draft = self._draft
        if draft is None or (part is Part.POINTS and not draft.table.days):
            return
        self._session.seal()
        after, place = added(draft, self._place(part))
        self._session.rows[part] = place.row
        self._part = part
        self._session.change(lambda _: after)
        self.show_draft()
        self.form.focus_first()

    def remove(self, part: Part) -> None:
        """Remove the chosen row; what refers to it says so."""
        draft, place = self._draft, self._place(part)
        if draft is None or place.row >= count(draft, part, place.day):
            return
        self._part = part
        self._session.seal()
        self._session.change(lambda now: removed(now, place))
        self.tables[part].table.setFocus()

    def sort(self, part: Part) -> None:
        """Put the rows of a table in the order of time."""
        draft, place = self._draft, self._place(part)
        if draft is not None:
            after, there = ordered(draft, place)
            self._part, self._session.rows[part] = part, there.row
            self._session.seal()
            self._session.change(lambda _: after)
            self.tables[part].table.setFocus()

    def focus_first(self) -> None:
        """Begin with the first table."""
        self._turn(Part.SEASONS)
        self.tables[Part.SEASONS].table.setFocus()

    def focus_name(self) -> None:
        """Begin with the name, all of it chosen."""
        if self._narrow:
            self._turn(Part.CALENDAR)
        self.fields.name.setFocus()
        self.fields.name.selectAll()

    def next_problem(self) -> None:
        """Go to the next row that something is the matter with, the grave ones first."""
        places = [one.place for one in (*grave(self._found), *self._found)]
        places = list(dict.fromkeys(places))
        if not places:
            return
        here = self._place(self._part)
        at = places.index(here) + 1 if here in places else 0
        self._go_to(places[at % len(places)])

    def _go_to(self, place: Row) -> None:
        if place.part is Part.CALENDAR:
            self.focus_name()
            return
        if place.part is Part.POINTS:
            self._session.rows[Part.DAYS] = place.day
        self._session.rows[place.part] = max(place.row, 0)
        self._turn(place.part)
        self.tables[place.part].table.setFocus()

    def _take(self, step: Callable[[Draft], Draft] | None, field: object) -> None:
        """Take what was typed; what is no number yet changes nothing."""
        if step is not None:
            self._session.change(step, field)
        self.show_draft()

    def _end_row(self) -> None:
        """Go back to the table, its rows in order of time."""
        self._put_in_order()
        self._session.seal()
        part = Part.SEASONS if self._part is Part.CALENDAR else self._part
        if part is not self._part:
            self._turn(part)
        self.tables[part].table.setFocus()

    def _put_in_order(self) -> None:
        draft, place = self._draft, self._place(self._part)
        if draft is None or not any(
            one.short == OUT_OF_ORDER and one.place.part is place.part for one in self._found
        ):
            return
        _, there = ordered(draft, place)
        self._session.rows[self._part] = there.row
        self._session.settle(lambda now: ordered(now, place)[0])

    def _choose(self, part: Part) -> None:
        """Follow the row that was chosen: a season leads to its week, a week to its days."""
        draft, row = self._draft, max(self.tables[part].row(), 0)
        if draft is None:
            return
        moved = part is not self._part or row != self._session.rows.get(part, 0)
        if not moved:
            return
        rows, self._part = self._session.rows, part
        rows[part] = row
        self._session.seal()
        self._follow_links(draft, part, row)
        self.show_draft()
        self.looked.emit()

    def _follow_links(self, draft: Draft, part: Part, row: int) -> None:
        rows, table = self._session.rows, draft.table
        if part is Part.SEASONS and row < len(table.seasons):
            names = [week.name for week in table.weeks]
            week = table.seasons[row].week
            if week in names:
                rows[Part.WEEKS] = row = names.index(week)
                part = Part.WEEKS
        numbers = [day.number for day in table.days]
        wanted: tuple[int, ...] = ()
        if part is Part.WEEKS and row < len(table.weeks):
            wanted = table.weeks[row].days
        if part is Part.SPECIAL and row < len(draft.special_days or ()):
            wanted = ((draft.special_days or ())[row].day,)
        at = rows.get(Part.DAYS, 0)
        now = numbers[at] if at < len(numbers) else None
        if wanted and now not in wanted and wanted[0] in numbers:
            rows[Part.DAYS], rows[Part.POINTS] = numbers.index(wanted[0]), 0
        if part is Part.DAYS:
            rows[Part.POINTS] = 0

    def _turn(self, part: Part) -> None:
        self._part = part
        self._session.seal()
        self.show_draft()
        self.looked.emit()

    # --- what is shown ------------------------------------------------------------------------

    @property
    def _draft(self) -> Draft | None:
        return self._session.draft

    def _place(self, part: Part) -> Row:
        """Give the chosen row of a table; the first where it is gone."""
        rows, draft = self._session.rows, self._draft
        day = rows.get(Part.DAYS, 0) if part is Part.POINTS else 0
        row = rows.get(part, 0)
        total = count(draft, part, day) if draft is not None else 0
        return Row(part, max(0, min(row, total - 1)), day)

    def show_draft(self) -> None:
        """Show the draft of the session with what is the matter with it."""
        draft, session = self._draft, self._session
        if draft is None:
            return
        self._found = found = session.problems()
        day = self._place(Part.DAYS).row
        for part, shown in self.tables.items():
            shown.show_rows(draft, found, session.limits, self._place(part).row, day)
        if self._narrow:
            self.parts.choose(NARROW.index(self._part))
            self.stack.setCurrentWidget(self.pages[self._part])
            self.form.setVisible(self._part is not Part.CALENDAR)
        place = self._place(self._part)
        if place.part is not Part.CALENDAR:
            self.form.show_row(place, draft, at_row(found, place))
        self.fields.show_draft(draft)
        self.buttons.show_draft(found)
        bad = not self.may_be_written
        self.matter.setProperty("part", "problem" if bad else "muted")
        self.matter.style().polish(self.matter)
        self.matter.setText(self.summary)

    @property
    def summary(self) -> str:
        """How much is the matter with the draft, in words."""
        return summary(self._found, untimed=self.fields.untimed)

    @property
    def shows_calendar(self) -> bool:
        """Whether there is room below for the question which rate runs when."""
        return not self._narrow or self._part is Part.CALENDAR

    @property
    def may_be_written(self) -> bool:
        """Whether nothing grave is the matter with the draft."""
        return not grave(self._found) and not self.fields.untimed
