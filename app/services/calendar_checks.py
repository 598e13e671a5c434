"""What is wrong with a draft of a switching table, and what is only odd, row by row in words."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from app.services.calendar_draft import Draft, Part, Row
from drivers.calendar import (
    BYTE,
    SEASON_START,
    SPECIAL_DATE,
    SWITCHING_TIME,
    WORD,
    Day,
    Limits,
    SpecialDay,
    exists,
    name_trouble,
)

OUT_OF_ORDER = "out of order"  # what a press on Sort puts right
ALL_ROWS = -1  # a problem of the table, not of one row
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DATE_PARTS = 3  # year, month, day
_LEAP_DAY = "02-29"
_NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is the matter at a row: ``short`` stands in the row, ``text`` says what to do.

    ``grave`` means that it cannot be written like this.
    """

    place: Row
    short: str
    text: str
    grave: bool = True


def problems(
    draft: Draft,
    limits: Limits = _NO_LIMITS,
    *,
    today: date | None = None,
    now: datetime | None = None,
) -> tuple[Problem, ...]:
    """Return all problems in the order of the tables.

    Args:
        draft: What is looked at.
        limits: What the meter can hold; 0 for what is not known.
        today: In the meter's time, to tell special days that have passed.
        now: To tell an activation that has passed.
    """
    found = [
        *_of_calendar(draft, limits, now),
        *_of_seasons(draft, limits),
        *_of_weeks(draft, limits),
        *_of_days(draft, limits),
        *_of_special(draft, limits, today),
    ]
    return tuple(found)


def grave(found: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return what must be put right before it can be written."""
    return tuple(problem for problem in found if problem.grave)


def at_row(found: Iterable[Problem], place: Row) -> tuple[Problem, ...]:
    """Return the problems of one row, the grave ones first."""
    here = [problem for problem in found if problem.place == place]
    return tuple(sorted(here, key=lambda problem: not problem.grave))


# --- the calendar and its capacity ----------------------------------------------------------


def _of_calendar(draft: Draft, limits: Limits, now: datetime | None) -> Iterator[Problem]:
    place = Row(Part.CALENDAR)
    yield from _of_name(place, draft.table.name, limits)
    if not draft.table.name:
        text = "Give the calendar a name: by it one sees in the meter which one is in force."
        yield Problem(place, "no name", text, grave=False)
    if draft.activation is not None and now is not None and draft.activation <= now:
        text = (
            "The time to come into force has passed; another one is asked for when it is written."
        )
        yield Problem(place, "time has passed", text, grave=False)
    if not draft.table.seasons:
        yield _whole(Part.SEASONS, "none", "Without a season no rate is in force: add one.")
    if not draft.table.weeks:
        yield _whole(Part.WEEKS, "none", "A season needs a week: add one.")
    if not draft.table.days:
        yield _whole(Part.DAYS, "none", "A week needs a day table: add one.")


def _of_name(place: Row, name: str, limits: Limits) -> Iterator[Problem]:
    trouble = name_trouble(name)
    if trouble:
        yield Problem(place, "name", f"The name cannot stay like this: {trouble}.")
    if limits.name and len(name) > limits.name:
        text = f"The name has {len(name)} characters; this meter holds {limits.name}."
        yield Problem(place, "name too long", text)


def _whole(part: Part, short: str, text: str) -> Problem:
    return Problem(Row(part, ALL_ROWS), short, text)


def _room(part: Part, noun: str, count: int, limit: int) -> Iterator[Problem]:
    if limit and count > limit:
        text = f"{count} {noun}, but this meter holds {limit}: remove {count - limit}."
        yield _whole(part, f"{count} of {limit}", text)


# --- seasons and weeks ----------------------------------------------------------------------


def _of_seasons(draft: Draft, limits: Limits) -> Iterator[Problem]:
    seasons, weeks = draft.table.seasons, {week.name for week in draft.table.weeks}
    yield from _room(Part.SEASONS, "seasons", len(seasons), limits.seasons)
    names = Counter(season.name for season in seasons)
    starts = Counter(season.start for season in seasons)
    for row, season in enumerate(seasons):
        place = Row(Part.SEASONS, row)
        yield from _of_label(place, season.name, names, limits, "season")
        yield from _of_start(place, season.start)
        if starts[season.start] > 1:
            text = f"Two seasons begin on {season.start}: change one or remove it."
            yield Problem(place, "same start", text)
        if season.week not in weeks:
            what = f"Week {season.week} is not there" if season.week else "It has no week"
            short = f"no week {season.week}".strip()
            yield Problem(place, short, f"{what}: choose one of the weeks.")
        before = seasons[row - 1].start if row else ""
        if season.start < before:
            text = f"It begins before the season above it, on {season.start}: put them in order."
            yield Problem(place, OUT_OF_ORDER, text, grave=False)


def _of_label(
    place: Row, name: str, names: Counter[str], limits: Limits, noun: str
) -> Iterator[Problem]:
    yield from _of_name(place, name, limits)
    if not name:
        yield Problem(place, "no name", f"The {noun} needs a name.")
    elif names[name] > 1:
        yield Problem(place, "name twice", f"Two are called {name}: give this {noun} another name.")


def _of_start(place: Row, start: str) -> Iterator[Problem]:
    if not SEASON_START.fullmatch(start):
        text = f"{start or 'Nothing'} is no date: type month and day like 04-01."
        yield Problem(place, "no date", text)
    elif not exists(f"*-{start}"):
        yield Problem(place, "no such date", f"There is no {start}: the month is shorter.")
    elif start == _LEAP_DAY:
        text = "02-29 is there in leap years only: take 03-01."
        yield Problem(place, "leap years only", text, grave=False)


def _of_weeks(draft: Draft, limits: Limits) -> Iterator[Problem]:
    table = draft.table
    yield from _room(Part.WEEKS, "weeks", len(table.weeks), limits.weeks)
    names = Counter(week.name for week in table.weeks)
    days = {day.number for day in table.days}
    used = {season.week for season in table.seasons}
    for row, week in enumerate(table.weeks):
        place = Row(Part.WEEKS, row)
        yield from _of_label(place, week.name, names, limits, "week")
        if len(week.days) != len(WEEKDAYS):
            text = f"It has {len(week.days)} days, not seven: choose a day table for each."
            yield Problem(place, "not seven days", text)
        missing = sorted(set(week.days) - days)
        for number in missing:
            on = [WEEKDAYS[n] for n, day in enumerate(week.days[:7]) if day == number]
            text = f"Day table {number} is not there ({', '.join(on)}): choose another."
            yield Problem(place, f"no day {number}", text)
        if week.name not in used:
            text = "No season uses this week: it never comes into force."
            yield Problem(place, "not used", text, grave=False)


# --- days and their switching points --------------------------------------------------------


def _of_days(draft: Draft, limits: Limits) -> Iterator[Problem]:
    table = draft.table
    yield from _room(Part.DAYS, "day tables", len(table.days), limits.days)
    numbers = Counter(day.number for day in table.days)
    used = {day for week in table.weeks for day in week.days}
    used |= {special.day for special in draft.special_days or ()}
    for row, day in enumerate(table.days):
        place = Row(Part.DAYS, row)
        if not 0 <= day.number <= BYTE:
            text = f"{day.number} is no number of a day table: 0 to {BYTE}."
            yield Problem(place, "number", text)
        if numbers[day.number] > 1:
            text = f"There are two day tables {day.number}: give this one another number."
            yield Problem(place, "number twice", text)
        if day.number not in used:
            text = "No week and no special day uses this day table."
            yield Problem(place, "not used", text, grave=False)
        yield from _of_day(place, day, limits)
        yield from _of_points(row, day)


def _of_day(place: Row, day: Day, limits: Limits) -> Iterator[Problem]:
    points = day.points
    if not points:
        text = "It has no switching point: add one at 00:00."
        yield Problem(place, "no switching point", text)
    elif points[0].time > "00:00":
        text = (
            f"It begins at {points[0].time}: until then the rate of the day before goes on."
            " Add a switching point at 00:00 if that is not meant."
        )
        yield Problem(place, f"begins at {points[0].time}", text, grave=False)
    if limits.points and len(points) > limits.points:
        over = len(points) - limits.points
        text = (
            f"{len(points)} switching points, but this meter holds {limits.points} in a day:"
            f" remove {over}."
        )
        yield Problem(place, f"{len(points)} of {limits.points} points", text)


def _of_points(row: int, day: Day) -> Iterator[Problem]:
    for number, point in enumerate(day.points):
        place = Row(Part.POINTS, number, row)
        before = day.points[number - 1] if number else None
        if not SWITCHING_TIME.fullmatch(point.time):
            text = f"{point.time or 'Nothing'} is no time of day: type it like 06:30."
            yield Problem(place, "no time", text)
        elif before is not None and point.time == before.time:
            text = f"Two switching points at {point.time}: change one or remove it."
            yield Problem(place, "time twice", text)
        elif before is not None and point.time < before.time:
            text = "It comes before the one above it: put them in order."
            yield Problem(place, OUT_OF_ORDER, text)
        if not 0 <= point.script <= WORD:
            yield Problem(place, "no rate", f"{point.script} is no rate: 1 to {WORD}.")
        elif not point.script:
            text = "Rates count from 1: 0 runs no tariff script."
            yield Problem(place, "rate 0", text, grave=False)
        if before is not None and point.script == before.script:
            text = f"Rate {point.script} runs already: this switching point changes nothing."
            yield Problem(place, "same rate", text, grave=False)


# --- special days ---------------------------------------------------------------------------


def _of_special(draft: Draft, limits: Limits, today: date | None) -> Iterator[Problem]:
    listed = draft.special_days or ()
    yield from _room(Part.SPECIAL, "special days", len(listed), limits.special_days)
    days = {day.number for day in draft.table.days}
    numbers = Counter(special.index for special in listed)
    dates = Counter(special.date for special in listed)
    for row, special in enumerate(listed):
        place = Row(Part.SPECIAL, row)
        yield from _of_date(place, special.date, today)
        if dates[special.date] > 1:
            text = f"{special.date} is there twice: remove one."
            yield Problem(place, "date twice", text)
        else:
            yield from _of_overlap(place, special, listed[:row])
        if numbers[special.index] > 1:
            text = f"Two special days have number {special.index}: give this one another."
            yield Problem(place, "number twice", text)
        if not 0 <= special.index <= WORD:
            text = f"{special.index} is no number of a special day: 0 to {WORD}."
            yield Problem(place, "number", text)
        if special.day not in days:
            text = f"Day table {special.day} is not there: choose another."
            yield Problem(place, f"no day {special.day}", text)


def _of_date(place: Row, text: str, today: date | None) -> Iterator[Problem]:
    if not SPECIAL_DATE.fullmatch(text):
        said = f"{text or 'Nothing'} is no date: type 2026-12-25, or *-12-25 for every year."
        yield Problem(place, "no date", said)
    elif not exists(text):
        yield Problem(place, "no such date", f"There is no {text}: that month is shorter.")
    elif text == f"*-{_LEAP_DAY}":
        said = "This day comes in leap years only."
        yield Problem(place, "leap years only", said, grave=False)
    elif today is not None and "*" not in text and text < str(today):
        said = "This date has passed: the special day can be removed."
        yield Problem(place, "has passed", said, grave=False)


def _of_overlap(
    place: Row, special: SpecialDay, above: tuple[SpecialDay, ...]
) -> Iterator[Problem]:
    for other in above:
        if _meet(special.date, other.date):
            text = f"Special day {other.index} ({other.date}) can fall on the same date and counts."
            yield Problem(place, f"also in {other.index}", text, grave=False)
            return


def _meet(one: str, other: str) -> bool:
    pairs = list(zip(one.split("-"), other.split("-"), strict=False))
    return len(pairs) == DATE_PARTS and all(a == b or "*" in {a, b} for a, b in pairs)
