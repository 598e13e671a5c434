"""A switching table while somebody works on it: rows added, changed, removed; undone and redone.

A draft may be wrong or half typed at any time; `app.services.calendar_checks` says what is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from app.services.calendar_steps import Step, stepped_date, stepped_time
from drivers.calendar import Calendar, Day, Season, SpecialDay, SwitchingPoint, Week

DEPTH = 500  # steps that can be undone
FIRST_START, FIRST_TIME = "01-01", "00:00"
EVERY_NEW_YEAR = "*-01-01"


class Part(StrEnum):
    """The tables of a calendar, and the calendar itself."""

    CALENDAR = "calendar"
    SEASONS = "seasons"
    WEEKS = "weeks"
    DAYS = "days"
    POINTS = "points"
    SPECIAL = "special days"


class Row(NamedTuple):
    """One row; ``day`` says whose switching points are meant."""

    part: Part
    row: int = 0
    day: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """What a calendar file holds; no special days (None) leaves those of the meter alone."""

    table: Calendar
    special_days: tuple[SpecialDay, ...] | None = None
    activation: datetime | None = None


def new_draft() -> Draft:
    """Return the smallest table that is whole: one rate, all day, all year."""
    day = Day(1, (SwitchingPoint(FIRST_TIME, 1),))
    season, week = Season("S1", FIRST_START, "W1"), Week("W1", (1,) * 7)
    return Draft(Calendar("NEW", (season,), (week,), (day,)))


def count(draft: Draft, part: Part, day: int = 0) -> int:
    """Return how many rows a table has."""
    return len(_rows(draft, part, day))


# --- changes --------------------------------------------------------------------------------


def changed(draft: Draft, place: Row, **fields: Any) -> Draft:
    """Return the draft with other values in one row; whatever names the row follows its name."""
    if place.part is Part.CALENDAR:
        activation = fields.pop("activation", draft.activation)
        return replace(draft, table=replace(draft.table, **fields), activation=activation)
    rows = list(_rows(draft, place.part, place.day))
    before = rows[place.row]
    rows[place.row] = after = replace(before, **fields)
    found = _with(draft, place, rows)
    if place.part is Part.WEEKS and before.name != after.name:
        return _followed_week(draft, found, before.name, after.name)
    if place.part is Part.DAYS and before.number != after.number:
        return _followed_day(draft, found, before.number, after.number)
    return found


def added(draft: Draft, place: Row) -> tuple[Draft, Row]:
    """Return the draft with one more row, and where it is.

    A week and a day begin as copies of the row at ``place``, which is what one mostly wants.
    """
    rows = list(_rows(draft, place.part, place.day))
    rows.append(_MAKERS[place.part](draft, place))
    return _with(draft, place, rows), place._replace(row=len(rows) - 1)


def removed(draft: Draft, place: Row) -> Draft:
    """Return the draft without one row; what refers to it is left for the checks."""
    rows = list(_rows(draft, place.part, place.day))
    del rows[place.row]
    return _with(draft, place, rows)


def ordered(draft: Draft, place: Row) -> tuple[Draft, Row]:
    """Return seasons, points or special days in the order of time, and where the row is now."""
    keys: dict[Part, Callable[[Any], Any]] = {
        Part.SEASONS: lambda one: one.start,
        Part.POINTS: lambda one: one.time,
        Part.SPECIAL: lambda one: one.date,
    }
    rows = list(_rows(draft, place.part, place.day))
    if place.part not in keys or not rows:
        return draft, place
    key = keys[place.part]
    places = sorted(range(len(rows)), key=lambda row: key(rows[row]))
    there = places.index(min(place.row, len(rows) - 1))
    return _with(draft, place, [rows[row] for row in places]), place._replace(row=there)


def _rows(draft: Draft, part: Part, day: int) -> tuple[Any, ...]:
    table = draft.table
    if part is Part.POINTS:
        return table.days[day].points if day < len(table.days) else ()
    if part is Part.SPECIAL:
        return draft.special_days or ()
    return {Part.SEASONS: table.seasons, Part.WEEKS: table.weeks, Part.DAYS: table.days}.get(
        part, ()
    )


def _with(draft: Draft, place: Row, rows: Iterable[Any]) -> Draft:
    kept, table = tuple(rows), draft.table
    if place.part is Part.SPECIAL:
        return replace(draft, special_days=kept)
    if place.part is Part.POINTS:
        days = list(table.days)
        days[place.day] = replace(days[place.day], points=kept)
        return replace(draft, table=replace(table, days=tuple(days)))
    changes: dict[str, Any] = {place.part.value: kept}
    return replace(draft, table=replace(table, **changes))


def _followed_week(before: Draft, after: Draft, old: str, new: str) -> Draft:
    """Let the seasons follow a week that is called otherwise, where the old name was its own."""
    if [week.name for week in before.table.weeks].count(old) != 1:
        return after
    seasons = tuple(
        replace(one, week=new) if one.week == old else one for one in after.table.seasons
    )
    return replace(after, table=replace(after.table, seasons=seasons))


def _followed_day(before: Draft, after: Draft, old: int, new: int) -> Draft:
    """Let weeks and special days follow a day table that has another number."""
    if [day.number for day in before.table.days].count(old) != 1:
        return after
    weeks = tuple(
        replace(one, days=tuple(new if day == old else day for day in one.days))
        for one in after.table.weeks
    )
    special = after.special_days
    if special is not None:
        special = tuple(replace(one, day=new) if one.day == old else one for one in special)
    return replace(after, table=replace(after.table, weeks=weeks), special_days=special)


# --- what a new row begins as ---------------------------------------------------------------


def _new_season(draft: Draft, _: Row) -> Season:
    table = draft.table
    taken = {one.start for one in table.seasons}
    firsts = [f"{month:02}-01" for month in range(1, 13)]
    last = max(taken, default="")
    free = [start for start in firsts if start not in taken]
    start = next((one for one in free if one > last), free[0] if free else FIRST_START)
    week = table.weeks[0].name if table.weeks else ""
    return Season(_free("S", {one.name for one in table.seasons}), start, week)


def _new_week(draft: Draft, place: Row) -> Week:
    table = draft.table
    name = _free("W", {one.name for one in table.weeks})
    if place.row < len(table.weeks):
        return replace(table.weeks[place.row], name=name)
    return Week(name, (table.days[0].number if table.days else 1,) * 7)


def _new_day(draft: Draft, place: Row) -> Day:
    days = draft.table.days
    taken = {one.number for one in days}
    number = next(number for number in range(1, len(taken) + 2) if number not in taken)
    like = days[place.row].points if place.row < len(days) else ()
    return Day(number, like or (SwitchingPoint(FIRST_TIME, 1),))


def _new_point(draft: Draft, place: Row) -> SwitchingPoint:
    points = draft.table.days[place.day].points
    if not points:
        return SwitchingPoint(FIRST_TIME, 1)
    last = points[-1]
    later = stepped_time(last.time, Step.FAR) or FIRST_TIME
    return SwitchingPoint(later, 2 if last.script == 1 else 1)


def _new_special(draft: Draft, place: Row) -> SpecialDay:
    listed = draft.special_days or ()
    taken = {one.index for one in listed}
    index = next(number for number in range(1, len(taken) + 2) if number not in taken)
    if not listed:
        number = draft.table.days[-1].number if draft.table.days else 1
        return SpecialDay(index, EVERY_NEW_YEAR, number)
    like = listed[min(place.row, len(listed) - 1)]
    date = stepped_date(like.date, Step.ON) or EVERY_NEW_YEAR
    dates = {one.date for one in listed}
    for _ in listed:  # so many at most are taken
        if date in dates:
            date = stepped_date(date, Step.ON)
    return SpecialDay(index, date, like.day)


_MAKERS: dict[Part, Callable[[Draft, Row], Any]] = {
    Part.SEASONS: _new_season,
    Part.WEEKS: _new_week,
    Part.DAYS: _new_day,
    Part.POINTS: _new_point,
    Part.SPECIAL: _new_special,
}


def _free(letter: str, taken: set[str]) -> str:
    return next(
        f"{letter}{number}"
        for number in range(1, len(taken) + 2)
        if f"{letter}{number}" not in taken
    )


# --- taken back -----------------------------------------------------------------------------


class History:
    """A draft with the way that led to it; what is typed into one field is one step."""

    def __init__(self, draft: Draft) -> None:
        self.now = draft
        self._past: list[Draft] = []
        self._future: list[Draft] = []
        self._field: object = None

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._future)

    def change(self, step: Callable[[Draft], Draft], field: object = None) -> bool:
        """Take a step; while ``field`` stays the same, it is taken anew from where that began.

        A week that is called W, then W2, on its way to WIN never meets the W2 that is there.
        """
        goes_on = field is not None and field == self._field and bool(self._past)
        base = self._past[-1] if goes_on else self.now
        after = step(base)
        self._field = field
        if after == self.now:
            return False
        if not goes_on:
            self._past = [*self._past[-DEPTH:], self.now]
        self._future.clear()
        self.now = after
        if after == base and goes_on:
            self._past.pop()
            self._field = None
        return True

    def settle(self, step: Callable[[Draft], Draft]) -> bool:
        """Put what was done last in order; that is no step of its own."""
        after = step(self.now)
        turned, self.now = after != self.now, after
        return turned

    def seal(self) -> None:
        """Let the next change be a step of its own."""
        self._field = None

    def undo(self) -> None:
        """Take the last step back."""
        if self._past:
            self._future.append(self.now)
            self.now = self._past.pop()
        self._field = None

    def redo(self) -> None:
        """Take it again."""
        if self._future:
            self._past.append(self.now)
            self.now = self._future.pop()
        self._field = None
