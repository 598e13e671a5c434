"""Where two switching tables differ, row by row in words: a meter's and a draft's."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.services.calendar_checks import WEEKDAYS
from app.services.calendar_draft import Draft
from drivers.calendar import CalendarReading, Day, Season, SpecialDay, Week

NOTHING = ""


class Change(StrEnum):
    """What writing the draft does to a row of the meter's table."""

    CHANGED = "differs"
    NEW = "only in the draft"
    GONE = "only in the meter"


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not the same on both sides, "" where a side has none."""

    what: str
    meter: str
    draft: str

    @property
    def change(self) -> Change:
        """Which of the two sides has it."""
        if self.meter and self.draft:
            return Change.CHANGED
        return Change.NEW if self.draft else Change.GONE


def differences(
    draft: Draft, reading: CalendarReading, *, waiting: bool = False
) -> tuple[Difference, ...]:
    """Return what the draft has otherwise than the table in force, or than the waiting one.

    The order of rows is no difference: meters sort what they keep.
    """
    table = reading.passive if waiting else reading.active
    found: list[Difference] = []
    if table.name != draft.table.name:
        found.append(Difference("Name", table.name or "none", draft.table.name or "none"))
    found += _between("Season", table.seasons, draft.table.seasons, _name, season_words)
    found += _between("Week", table.weeks, draft.table.weeks, _name, week_words)
    found += _between("Day table", table.days, draft.table.days, _number, day_words)
    if draft.special_days is not None:
        found += _between(
            "Special day", reading.special_days, draft.special_days, _date, special_words
        )
    return tuple(found)


def _between(
    noun: str,
    meter: Iterable[Any],
    draft: Iterable[Any],
    key: Callable[[Any], Any],
    told: Callable[[Any], str],
) -> list[Difference]:
    there = {key(one): told(one) for one in meter}
    here = {key(one): told(one) for one in draft}
    return [
        Difference(f"{noun} {name}", there.get(name, NOTHING), here.get(name, NOTHING))
        for name in {**there, **here}
        if there.get(name) != here.get(name)
    ]


def _name(one: Season | Week) -> str:
    return one.name


def _number(day: Day) -> int:
    return day.number


def _date(special: SpecialDay) -> str:
    return special.date


def season_words(season: Season) -> str:
    """Say when a season begins and which week it has: "from 04-01, week W2"."""
    return f"from {season.start}, week {season.week}"


def week_words(week: Week) -> str:
    """Say the day tables of a week, runs of the same one together: "Mon to Fri 1, Sat, Sun 2"."""
    runs: list[tuple[int, int, int]] = []
    for place, day in enumerate(week.days[: len(WEEKDAYS)]):
        if runs and runs[-1][2] == day:
            runs[-1] = (runs[-1][0], place, day)
        else:
            runs.append((place, place, day))
    return ", ".join(f"{_span(begin, end)} {day}" for begin, end, day in runs)


def _span(begin: int, end: int) -> str:
    if end - begin > 1:
        return f"{WEEKDAYS[begin]} to {WEEKDAYS[end]}"
    return ", ".join(WEEKDAYS[begin : end + 1])


def day_words(day: Day) -> str:
    """Say the switching points of a day: "00:00 rate 2, 06:00 rate 1"."""
    points = ", ".join(f"{point.time} rate {point.script}" for point in day.points)
    return points or "no switching point"


def special_words(special: SpecialDay) -> str:
    """Say what a special day does: "day table 2"."""
    return f"day table {special.day}"
