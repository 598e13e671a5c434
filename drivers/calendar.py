"""The activity calendar of a meter: seasons, weeks, days with their switching points, special days.

Meters that keep one have the methods of `KeepsCalendar` beside those of `drivers.meter.Meter`.
"""

import re
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Any, Protocol, runtime_checkable

from drivers.metertype import CalendarType

SWITCHING_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
SEASON_START = re.compile(r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
SPECIAL_DATE = re.compile(r"(\d{4}|\*)-(0[1-9]|1[0-2]|\*)-(0[1-9]|[12]\d|3[01]|\*)")
_WEEK = 7
_LEAP = 2000  # a year in which every date exists that exists at all
BYTE, WORD = 0xFF, 0xFFFF  # the largest day number; the largest script and special day


class BadCalendar(ValueError):
    """A calendar cannot be used; the text says where."""


@dataclass(frozen=True, slots=True)
class Season:
    """From ``start`` (MM-DD) on the week ``week`` is in force."""

    name: str
    start: str
    week: str


@dataclass(frozen=True, slots=True)
class Week:
    """The day tables from Monday to Sunday."""

    name: str
    days: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SwitchingPoint:
    """At ``time`` (HH:MM) the tariff script ``script`` runs: 1 is rate 1."""

    time: str
    script: int


@dataclass(frozen=True, slots=True)
class Day:
    """One day table."""

    number: int
    points: tuple[SwitchingPoint, ...]


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A date (YYYY-MM-DD, * for every) on which another day table is in force."""

    index: int
    date: str
    day: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """One table: the active or the passive one."""

    name: str
    seasons: tuple[Season, ...]
    weeks: tuple[Week, ...]
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a calendar of this make can hold; 0: unknown."""

    seasons: int = 0
    weeks: int = 0
    days: int = 0
    points: int = 0
    special_days: int = 0
    name: int = 0  # characters of a name


def limits_of(kind: CalendarType) -> Limits:
    """Return how much a meter type's calendar can hold."""
    return Limits(kind.seasons, kind.weeks, kind.days, kind.points, kind.special_days, kind.name)


@dataclass(frozen=True, slots=True)
class CalendarReading:
    """Both tables, when the passive one comes into force, and the special days.

    ``parameters`` is the number of the parameterisation, where the make has one: it changes when
    another table comes into force.
    """

    active: Calendar
    passive: Calendar
    activation: datetime | None
    special_days: tuple[SpecialDay, ...] = ()
    parameters: str = ""


def sorted_table(calendar: Calendar) -> Calendar:
    """Return the table in an order of its own, to compare: meters may sort what they keep."""
    return replace(
        calendar,
        seasons=tuple(sorted(calendar.seasons, key=lambda one: one.start)),
        weeks=tuple(sorted(calendar.weeks, key=lambda one: one.name)),
        days=tuple(sorted(calendar.days, key=lambda one: one.number)),
    )


def check(calendar: Calendar, special_days: tuple[SpecialDay, ...], limits: Limits) -> None:
    """Make sure that a calendar is whole and that the meter can hold it.

    Raises:
        BadCalendar: It is not.
    """
    _unique("season", [season.name for season in calendar.seasons])
    _unique("season start", [season.start for season in calendar.seasons])
    _unique("week", [week.name for week in calendar.weeks])
    _unique("day table", [day.number for day in calendar.days])
    _unique("special day", [day.index for day in special_days])
    _check_links(calendar)
    _check_special(special_days, {day.number for day in calendar.days})
    _fits("seasons", len(calendar.seasons), limits.seasons)
    _fits("weeks", len(calendar.weeks), limits.weeks)
    _fits("day tables", len(calendar.days), limits.days)
    most = max((len(day.points) for day in calendar.days), default=0)
    _fits("switching points in a day", most, limits.points)
    _fits("special days", len(special_days), limits.special_days)
    seasons, weeks = calendar.seasons, calendar.weeks
    for name in (calendar.name, *(one.name for one in seasons), *(one.name for one in weeks)):
        if name_trouble(name):
            raise BadCalendar(f"name {name!r}: {name_trouble(name)}")
        _fits(f"characters in the name {name}", len(name), limits.name)


def _check_links(calendar: Calendar) -> None:
    weeks = {week.name for week in calendar.weeks}
    days = {day.number for day in calendar.days}
    for season in calendar.seasons:
        _matches(SEASON_START, season.start, f"season {season.name}", "MM-DD")
        if season.week not in weeks:
            raise BadCalendar(f"season {season.name} wants week {season.week}, which is not there")
        if not exists(f"*-{season.start}"):
            raise BadCalendar(f"season {season.name}: there is no {season.start}")
    for week in calendar.weeks:
        if len(week.days) != _WEEK or not set(week.days) <= days:
            raise BadCalendar(f"week {week.name} needs seven day tables that exist")
    for day in calendar.days:
        _check_day(day)


def _check_special(special_days: tuple[SpecialDay, ...], days: set[int]) -> None:
    for special in special_days:
        where = f"special day {special.index}"
        _matches(SPECIAL_DATE, special.date, where, "YYYY-MM-DD")
        if special.day not in days:
            raise BadCalendar(f"{where} wants day table {special.day}")
        if not exists(special.date):
            raise BadCalendar(f"{where}: there is no {special.date}")
        _in_range(where, special.index, WORD)


def exists(date: str) -> bool:
    """Tell whether a date of the form YYYY-MM-DD, each part perhaps *, falls on any day."""
    year, month, day = date.split("-")
    if day == "*":
        return True
    if month == "*":
        return int(day) <= max(monthrange(_LEAP, every)[1] for every in range(1, 13))
    if year == "*" or not MINYEAR <= int(year) <= MAXYEAR:
        return int(day) <= monthrange(_LEAP, int(month))[1]
    return int(day) <= monthrange(int(year), int(month))[1]


def name_trouble(name: str) -> str:
    """Say why a meter would not give a name back as it was written; "" where it would."""
    if not (name.isascii() and name.isprintable()):
        return "only plain letters, figures and signs come back from a meter"
    return "it begins or ends with a space" if name != name.strip(" ") else ""


def _check_day(day: Day) -> None:
    _in_range(f"day table {day.number}", day.number, BYTE)
    for point in day.points:
        _in_range(f"day table {day.number}: script", point.script, WORD)
    times = [point.time for point in day.points]
    for time in times:
        _matches(SWITCHING_TIME, time, f"day table {day.number}", "HH:MM")
    if not times or times != sorted(set(times)):
        raise BadCalendar(f"day table {day.number} needs switching points in ascending order")


def _matches(pattern: re.Pattern[str], text: str, where: str, form: str) -> None:
    if not pattern.fullmatch(text):
        raise BadCalendar(f"{where}: {text!r} is not of the form {form}")


def _in_range(where: str, number: int, most: int) -> None:
    if not 0 <= number <= most:
        raise BadCalendar(f"{where}: {number} is not 0 to {most}")


def _unique(what: str, names: list[Any]) -> None:
    if len(set(names)) != len(names):
        raise BadCalendar(f"a {what} is there twice")


def _fits(what: str, count: int, limit: int) -> None:
    if limit and count > limit:
        raise BadCalendar(f"{count} {what}: this meter holds {limit}")


@runtime_checkable
class KeepsCalendar(Protocol):
    """A meter whose switching table can be read and written."""

    def calendar(self) -> CalendarReading:
        """Return both tables and the special days."""

    def write_calendar(
        self,
        calendar: Calendar,
        special_days: tuple[SpecialDay, ...] | None,
        activation: datetime | None,
    ) -> CalendarReading:
        """Write the passive table, and when it comes into force (None: at once); read back.

        Raises:
            ValueRefused: The meter refused, or holds something else.
            NotSupported: It cannot hold so much; nothing was written.
        """
