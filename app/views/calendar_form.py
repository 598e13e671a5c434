"""The chosen row of a switching table with all its fields, and what is the matter with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.services.calendar_checks import WEEKDAYS, Problem
from app.services.calendar_draft import Draft, Part, Row, changed, count
from app.services.calendar_rates import uses
from app.services.calendar_steps import (
    stepped_date,
    stepped_number,
    stepped_start,
    stepped_time,
)
from app.views.calendar_fields import FieldKind, RowField
from app.views.day_strip import DayStrip
from app.views.surfaces import Card, label, row_of
from drivers.calendar import WORD, Day

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.views.theme import Look

NUMBER = "number"
FIELDS = {
    Part.SEASONS: (
        FieldKind("name", "Name"),
        FieldKind("start", "Begins (month-day)", stepped_start, "00-00"),
        FieldKind("week", "Week", choices=True),
    ),
    Part.WEEKS: (
        FieldKind("name", "Name"),
        *(FieldKind(name, name, choices=True) for name in WEEKDAYS),
    ),
    Part.DAYS: (FieldKind(NUMBER, "Number", stepped_number, "000", number=True),),
    Part.POINTS: (
        FieldKind("time", "From (hour:minute)", stepped_time, "00:00"),
        FieldKind(
            "script", "Rate", lambda text, step: stepped_number(text, step, 1, WORD), "000",
            number=True,
        ),
    ),
    Part.SPECIAL: (
        FieldKind("date", "Date (* for every)", stepped_date, "0000-00-00"),
        FieldKind("day", "Day table", choices=True),
        FieldKind(
            "index", "Number", lambda text, step: stepped_number(text, step, 0, WORD), "000",
            number=True,
        ),
    ),
}  # fmt: skip
NOUNS = {
    Part.SEASONS: "Season",
    Part.WEEKS: "Week",
    Part.DAYS: "Day table",
    Part.POINTS: "Switching point",
    Part.SPECIAL: "Special day",
}


class RowForm(Card):
    """Fields of the chosen row; every change goes out at once, as a step of the draft."""

    given = Signal(object, object)  # a step of the draft, and the field it was typed into
    ended = Signal()

    def __init__(self, look: Look, anchor: QWidget) -> None:
        super().__init__(look)
        self._look, self._anchor = look, anchor  # which it comes behind for who goes on with Tab
        self._place = Row(Part.SEASONS)
        self._part: Part | None = None
        self._fields: dict[str, RowField] = {}
        self.strip: DayStrip | None = None
        self._typed: dict[str, str] = {}  # texts that are no number yet
        self.title = label(look, "", "strong", strong=True)
        self.note = label(look, "", muted=True)
        head = row_of(look, self.title, gap=look.space.m)
        head.add(self.note, 1)
        self.add(head)
        self.matter = label(look, "", wrap=True)
        self.matter.setAccessibleName("What is the matter with the row")
        self.add(self.matter)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setAccessibleName("Fields of the row")
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its fields take the focus
        self.area.setMinimumHeight(look.control)
        self.area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.add(self.area, 1)

    def show_row(self, place: Row, draft: Draft, found: tuple[Problem, ...]) -> None:
        """Show a row, or that there is none."""
        there = place.row < count(draft, place.part, place.day)
        if place != self._place:
            self._typed.clear()
        self._place = place
        if place.part is not self._part:
            self._build(place.part)
        self.area.setVisible(there)
        self.title.setText(title_of(place, draft))
        note = note_of(place, draft) if there else ""
        room = max(self.width() - self.title.sizeHint().width() - 4 * self._look.space.l, 0)
        self.note.setText(
            self.note.fontMetrics().elidedText(note, Qt.TextElideMode.ElideRight, room)
        )
        self._say(found, there=there)
        if there:
            choices = choices_of(draft)
            for key, field in self._fields.items():
                listed = choices["week" if key == "week" else "day"]
                field.show_value(value_of(draft, place, key), listed)
            if self.strip is not None:
                row = place.day if place.part is Part.POINTS else place.row
                self.strip.show_day(draft.table.days[row])

    def focus_first(self) -> None:
        """Go to the first field, with all of it chosen."""
        for field in self._fields.values():
            operated = field.operated
            operated.setFocus()
            select = getattr(operated, "selectAll", None)
            if callable(select):
                select()
            return

    def _build(self, part: Part) -> None:
        look, old = self._look, self.area.takeWidget()
        if old is not None:
            old.deleteLater()
        self._part, self._fields = part, {}
        host = QWidget()
        host.setProperty("part", "plain")
        outer = QVBoxLayout(host)
        outer.setContentsMargins(0, 0, look.space.s, 0)
        grid = QGridLayout()
        grid.setHorizontalSpacing(look.space.m)
        grid.setVerticalSpacing(look.gap if look.gloves else look.space.xs)
        outer.addLayout(grid)
        self.strip = DayStrip(look, Day(0, ())) if part in {Part.DAYS, Part.POINTS} else None
        if self.strip is not None:
            outer.addSpacing(look.space.s)
            outer.addWidget(self.strip)
        outer.addStretch()
        pairs = part is Part.WEEKS
        for number, kind in enumerate(FIELDS[part]):
            field = RowField(look, kind)
            field.given.connect(self._give)
            field.ended.connect(self.ended)
            self._fields[kind.key] = field
            caption = label(look, kind.caption, muted=True)
            caption.setBuddy(field.operated)
            row, column = divmod(number, 2) if pairs else (number, 0)
            grid.addWidget(caption, row, 2 * column)
            grid.addWidget(field, row, 2 * column + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1 if pairs else 0)
        self.area.setWidget(host)
        before = self._anchor
        for field in self._fields.values():
            QWidget.setTabOrder(before, field.operated)
            before = field.operated

    def _say(self, found: tuple[Problem, ...], *, there: bool) -> None:
        texts = [problem.text for problem in found]
        for key, typed in self._typed.items():
            caption = next(kind.caption for kind in FIELDS[self._place.part] if kind.key == key)
            texts.insert(0, f"{caption}: {typed or 'nothing'} is no number.")
        grave = bool(self._typed) or any(problem.grave for problem in found)
        self.matter.setProperty("part", "problem" if grave else "muted")
        self.matter.style().polish(self.matter)
        self.matter.setText("\n".join(texts))
        self.matter.setVisible(bool(texts) and (there or self._place.row < 0))

    def _give(self, key: str, text: str) -> None:
        place = self._place
        step = step_of(place, key, text)
        if step is None:
            self._typed[key] = text
        else:
            self._typed.pop(key, None)
        self.given.emit(step, (place, key))


def title_of(place: Row, draft: Draft) -> str:
    """Say which row it is: "Season WIN", "Day table 1, 06:00"."""
    if place.row >= count(draft, place.part, place.day):
        return f"No {NOUNS[place.part].lower()} is chosen"
    key = {Part.DAYS: NUMBER, Part.POINTS: "time", Part.SPECIAL: "date"}.get(place.part, "name")
    name = value_of(draft, place, key)
    if place.part is Part.POINTS:
        return f"Day table {draft.table.days[place.day].number}, from {name}"
    return f"{NOUNS[place.part]} {name}"


def note_of(place: Row, draft: Draft) -> str:
    """Say what a row is for: which days use a table, which seasons a week."""
    table = draft.table
    if place.part is Part.WEEKS:
        name = table.weeks[place.row].name
        seasons = [one.name for one in table.seasons if one.week == name]
        return f"In season {', '.join(seasons)}." if seasons else ""
    if place.part is Part.DAYS:
        number = table.days[place.row].number
        special = [one.date for one in draft.special_days or () if one.day == number]
        used = [uses(table, number), f"special: {', '.join(special)}" if special else ""]
        told = "; ".join(part for part in used if part)
        return f"In force on {told}." if told else ""
    return ""


def value_of(draft: Draft, place: Row, key: str) -> str:
    """Give what a field shows."""
    row = _row(draft, place)
    if place.part is Part.WEEKS and key in WEEKDAYS:
        on = WEEKDAYS.index(key)
        return str(row.days[on]) if on < len(row.days) else ""
    return str(getattr(row, key))


def step_of(place: Row, key: str, text: str) -> Callable[[Draft], Draft] | None:
    """Give the step that typing ``text`` into a field is; None while it is no number."""
    if place.part is Part.WEEKS and key in WEEKDAYS:
        return lambda draft: _with_day(draft, place, WEEKDAYS.index(key), int(text))
    numeric = key in {NUMBER, "script", "index", "day"}
    if numeric and not (text.isascii() and text.isdecimal()):
        return None
    value: object = int(text) if numeric else text
    return lambda draft: changed(draft, place, **{key: value})


def choices_of(draft: Draft) -> dict[str, list[tuple[str, str]]]:
    """Give the weeks and the day tables that can be chosen, each once."""
    weeks = dict.fromkeys(week.name for week in draft.table.weeks)
    days = dict.fromkeys(str(day.number) for day in draft.table.days)
    return {
        "week": [(name, name) for name in weeks],
        "day": [(number, f"Day table {number}") for number in days],
    }


def _with_day(draft: Draft, place: Row, on: int, number: int) -> Draft:
    days = list(draft.table.weeks[place.row].days)[: len(WEEKDAYS)]
    days += [number] * (len(WEEKDAYS) - len(days))
    days[on] = number
    return changed(draft, place, days=tuple(days))


def _row(draft: Draft, place: Row) -> Any:
    table = draft.table
    if place.part is Part.POINTS:
        return table.days[place.day].points[place.row]
    rows: dict[Part, tuple[Any, ...]] = {
        Part.SEASONS: table.seasons,
        Part.WEEKS: table.weeks,
        Part.DAYS: table.days,
        Part.SPECIAL: draft.special_days or (),
    }
    return rows[place.part][place.row]
