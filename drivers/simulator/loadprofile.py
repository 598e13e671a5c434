"""The rows of a virtual meter's profiles, computed from their number when they are asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.profile import Row
from drivers.simulator.household import Outage
from drivers.simulator.meterclock import Zone
from drivers.simulator.quantities import Quantity

CLOCK_INVALID = 0x02
SUMMER_TIME, CLOCK_ADJUSTED, POWER_DOWN = 0x08, 0x20, 0x80
STATUS_WORDS = {
    CLOCK_INVALID: "clock invalid",
    SUMMER_TIME: "daylight saving",
    CLOCK_ADJUSTED: "clock adjusted",
    POWER_DOWN: "power down",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Capture:
    """What goes into each row: time, status, and the quantities.

    ``adjusted`` holds the times at which the clock was moved by more than its limit, ``lost`` those
    from which and until which it was not known.
    """

    zone: Zone
    quantities: Sequence[Quantity]
    outages: Sequence[Outage] = ()
    adjusted: list[datetime] = field(default_factory=list)
    lost: list[datetime] = field(default_factory=list)

    def status(self, start: datetime, end: datetime) -> int:
        """Return the status of the interval from ``start`` to ``end``."""
        status = SUMMER_TIME if self.zone.summer(end) else 0
        if any(outage.start < end and start < outage.end for outage in self.outages):
            status |= POWER_DOWN
        if any(start < moment <= end for moment in self.adjusted):
            status |= CLOCK_ADJUSTED
        if sum(moment < end for moment in self.lost) % 2:
            status |= CLOCK_INVALID
        return status

    def row(self, start: datetime, end: datetime) -> Row:
        """Return the row that names the interval by its end."""
        cells = [axdr.octets(self.zone.octets(end)), axdr.integer(axdr.U8, self.status(start, end))]
        cells += [quantity.octets(end) for quantity in self.quantities]
        return Row(end, tuple(cells))


class PeriodicRows:
    """Rows on every multiple of a period, but for those when there was no supply.

    Args:
        capture: What goes into each.
        period_s: The capture period.
        newest: The moment up to which there are rows.
        count: How many there are.
    """

    def __init__(self, capture: Capture, period_s: int, newest: datetime, count: int) -> None:
        self._capture = capture
        self._period_s = period_s
        self._count = count
        self._missing = [
            (first, last - first)
            for outage in capture.outages
            if (last := self._slot_from(outage.end)) > (first := self._slot_from(outage.start))
        ]
        slot = int(newest.timestamp()) // period_s
        self._newest = slot - sum(lost for first, lost in self._missing if first <= slot)

    def _slot_from(self, moment: datetime) -> int:
        """Return the number of the first boundary at or after ``moment``."""
        return -(-int(moment.timestamp()) // self._period_s)

    def __len__(self) -> int:
        return self._count

    def time(self, place: int) -> datetime:
        """Return the time of row ``place``."""
        if not 0 <= place < self._count:
            raise IndexError(place)
        slot = self._newest - (self._count - 1 - place)
        for first, lost in self._missing:
            slot += lost if slot >= first else 0
        return _EPOCH + timedelta(seconds=slot * self._period_s)

    def row(self, place: int) -> Row:
        """Return row ``place``."""
        end = self.time(place)
        return self._capture.row(end - timedelta(seconds=self._period_s), end)


@dataclass(frozen=True, slots=True)
class CalendarRows:
    """Rows at the local midnights of ``times``; the first interval begins at ``begin``."""

    capture: Capture
    begin: datetime
    times: Sequence[datetime]

    def __len__(self) -> int:
        return len(self.times)

    def time(self, place: int) -> datetime:
        """Return the time of row ``place``."""
        return self.times[place]

    def row(self, place: int) -> Row:
        """Return row ``place``."""
        start = self.times[place - 1] if place else self.begin
        return self.capture.row(start, self.times[place])


def midnights(zone: Zone, newest: datetime, count: int) -> list[datetime]:
    """Return the last ``count`` local midnights up to ``newest``, oldest first."""
    day = zone.local(newest).replace(hour=0, minute=0, second=0, microsecond=0)
    return [zone.utc(day - timedelta(days=n)) for n in reversed(range(count))]


def month_starts(zone: Zone, newest: datetime, count: int) -> list[datetime]:
    """Return the last ``count`` local midnights of a first of the month, oldest first."""
    local = zone.local(newest)
    months = local.year * 12 + local.month - 1
    return [
        zone.utc(datetime((months - n) // 12, (months - n) % 12 + 1, 1))  # noqa: DTZ001 (wall)
        for n in reversed(range(count))
    ]


def grown(born: datetime, moment: datetime, period_s: int) -> int:
    """Return how many rows came after the start."""
    return int(moment.timestamp()) // period_s - int(born.timestamp()) // period_s
