"""What has happened to a virtual meter before it is read: outages, events, a wrong clock."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

from drivers.simulator.household import Outage
from drivers.simulator.meterclock import Zone, last_sunday
from drivers.simulator.model import POWER_DOWN, POWER_UP, SUMMER_TIME, Event

_DAY = timedelta(days=1)
_YEARS = 3
_TEN_YEARS = timedelta(days=3653)
_MARCH, _OCTOBER = 3, 10

Ago = tuple[int, int, int, int]  # days, hour and minute (UTC), minutes it lasted


def clock_error(chance: Random, *, ten_years: bool) -> timedelta:
    """Return by how much a meter's clock is wrong: a few seconds, or ten years."""
    if ten_years:
        return -_TEN_YEARS
    return timedelta(seconds=round(chance.uniform(3.0, 8.0), 1) * chance.choice((1, -1)))


def midnight(moment: datetime) -> datetime:
    """Return the midnight (UTC) before ``moment``."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def counting_since(born: datetime, rows: int, period_s: int) -> datetime:
    """Return when a meter with so many rows was installed: three years ago, or before the first."""
    rows_begin = born - timedelta(seconds=(rows + 2) * period_s) - 30 * _DAY
    return min(midnight(born) - _YEARS * 366 * _DAY, rows_begin)


def outages(born: datetime, ago: Iterable[Ago]) -> tuple[Outage, ...]:
    """Return the outages, the oldest first."""
    found = []
    for days, hour, minute, lasted in ago:
        begin = midnight(born) - days * _DAY + timedelta(hours=hour, minutes=minute, seconds=17)
        found.append(Outage(begin, begin + timedelta(minutes=lasted)))
    return tuple(sorted(found, key=lambda outage: outage.start))


def outage_events(past: Sequence[Outage]) -> list[Event]:
    """Return what the log says of the outages."""
    down = [Event(outage.start, POWER_DOWN) for outage in past]
    return down + [Event(outage.end, POWER_UP) for outage in past]


def summer_time_events(zone: Zone, born: datetime) -> list[Event]:
    """Return the changes to and from summer time of the last three years."""
    if not zone.summer_time:
        return []
    changes = [
        last_sunday(year, month)
        for year in range(born.year - _YEARS, born.year + 1)
        for month in (_MARCH, _OCTOBER)
    ]
    first = midnight(born) - _YEARS * 366 * _DAY
    return [Event(moment, SUMMER_TIME) for moment in changes if first < moment < born]


def daily(born: datetime, days: int, hour: int, minute: int) -> datetime:
    """Return a time of day (UTC) so many days ago."""
    return midnight(born) - days * _DAY + timedelta(hours=hour, minutes=minute)
