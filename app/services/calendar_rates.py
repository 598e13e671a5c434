"""Which rate a switching table gives at a date and time, and why."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from drivers.calendar import Calendar, CalendarReading, Day, Season, SpecialDay, SwitchingPoint

_LONGEST = 400  # days that are looked back for the switching point before
_ANY = "*"


@dataclass(frozen=True)
class Rate:
    """The script that runs (1 is rate 1), since when that day, and what led there."""

    script: int
    since: str  # HH:MM, or "" where it goes on from the day before
    day: int
    because: str

    def __str__(self) -> str:
        since = f"since {self.since}" if self.since else "from the day before on"
        return f"Rate {self.script}, {since}. {self.because}, day table {self.day}."


def table_at(reading: CalendarReading, when: datetime) -> Calendar:
    """Return the table that is in force at ``when``: the passive one from its activation on."""
    waiting = reading.activation is not None and when >= reading.activation
    return reading.passive if waiting and reading.passive.days else reading.active


def rate_at(table: Calendar, special_days: tuple[SpecialDay, ...], when: datetime) -> Rate | None:
    """Return the rate at ``when`` in the meter's own time; None where the table leaves it open."""
    found = day_at(table, special_days, when.date())
    if found is None:
        return None
    day, because = found
    point = _last(day, f"{when:%H:%M}")
    if point is not None:
        return Rate(point.script, point.time, day.number, because)
    for back in range(1, _LONGEST):
        before = day_at(table, special_days, when.date() - timedelta(days=back))
        if before is not None and before[0].points:
            return Rate(before[0].points[-1].script, "", day.number, because)
    return None


def day_at(
    table: Calendar, special_days: tuple[SpecialDay, ...], on: date
) -> tuple[Day, str] | None:
    """Return the day table of a date and why it is that one; None where the table has none."""
    days = {day.number: day for day in table.days}
    for special in special_days:
        if _falls(special.date, on) and special.day in days:
            return days[special.day], f"Special day {special.index}"
    season = _season(table, on)
    week = next((week for week in table.weeks if season and week.name == season.week), None)
    if season is None or week is None:
        return None
    number = week.days[on.weekday()] if on.weekday() < len(week.days) else None
    return (days[number], f"Season {season.name}, week {week.name}") if number in days else None


def uses(table: Calendar, number: int) -> str:
    """Say on which days of which weeks a day table is in force; "" where on none."""
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    told = []
    for week in table.weeks:
        on = [names[place] for place, day in enumerate(week.days) if day == number]
        if len(on) == len(names):
            told.append(f"all of week {week.name}")
        elif on:
            told.append(f"week {week.name}: {', '.join(on)}")
    return "; ".join(told)


def _season(table: Calendar, on: date) -> Season | None:
    """Return the season that began last, also in the year before."""
    begun = sorted(table.seasons, key=lambda season: season.start)
    before = [season for season in begun if season.start <= f"{on:%m-%d}"]
    chosen = before or begun
    return chosen[-1] if chosen else None


def _last(day: Day, time: str) -> SwitchingPoint | None:
    return next((point for point in reversed(day.points) if point.time <= time), None)


def _falls(pattern: str, on: date) -> bool:
    parts, known = pattern.split("-"), (f"{on:%Y}", f"{on:%m}", f"{on:%d}")
    return len(parts) == len(known) and all(
        wanted in {_ANY, found} for wanted, found in zip(parts, known, strict=True)
    )
