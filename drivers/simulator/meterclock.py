"""The clock of a virtual meter: virtual seconds in, the meter's own time out, with its error."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_HOUR = timedelta(hours=1)
_SUNDAY = 6
_UNSPECIFIED_YEAR, _UNSPECIFIED, _NO_DEVIATION = 0xFFFF, 0xFF, -0x8000
SUMMER = 0x80  # clock status: daylight saving active
_LONGEST_DEVIATION = 720  # minutes
_FIRST_YEAR, _LAST_YEAR = 1900, 2099


@dataclass(frozen=True, slots=True)
class Zone:
    """Local time of a meter: minutes east of Greenwich, and the European summer time or none."""

    standard_min: int = 60
    summer_time: bool = False

    def summer(self, moment: datetime) -> bool:
        """Tell whether summer time is in force at an aware moment."""
        if not self.summer_time:
            return False
        year = moment.astimezone(UTC).year
        return last_sunday(year, 3) <= moment < last_sunday(year, 10)

    def offset_min(self, moment: datetime) -> int:
        """Return the minutes east of Greenwich at an aware moment."""
        return self.standard_min + 60 * self.summer(moment)

    def local(self, moment: datetime) -> datetime:
        """Return the wall time, naive."""
        offset = timedelta(minutes=self.offset_min(moment))
        return (moment.astimezone(UTC) + offset).replace(tzinfo=None)

    def utc(self, local: datetime) -> datetime:
        """Return the moment of a naive wall time; of a repeated hour the first."""
        if self.summer_time:
            early = (local - timedelta(minutes=self.standard_min + 60)).replace(tzinfo=UTC)
            if self.summer(early):
                return early
        return (local - timedelta(minutes=self.standard_min)).replace(tzinfo=UTC)

    def octets(self, moment: datetime, status: int = 0) -> bytes:
        """Return the 12 octets of a date-time; the deviation counts from local time to UTC."""
        local = self.local(moment)
        summer = SUMMER if self.summer(moment) else 0
        return (
            local.year.to_bytes(2, "big")
            + bytes([local.month, local.day, local.isoweekday()])
            + bytes([local.hour, local.minute, local.second, _UNSPECIFIED])
            + (-self.offset_min(moment)).to_bytes(2, "big", signed=True)
            + bytes([status | summer])
        )

    def moment(self, octets: bytes) -> datetime:
        """Return the moment that 12 received octets mean; open seconds count as 0.

        Raises:
            ValueError: They are no date-time, or leave open what is needed.
        """
        if len(octets) != 12:  # noqa: PLR2004 (octets of a date-time)
            raise ValueError("a date-time has 12 octets")
        year = int.from_bytes(octets[:2], "big")
        month, day, weekday, hour, minute, second, hundredths = octets[2:9]
        deviation = int.from_bytes(octets[9:11], "big", signed=True)
        if year == _UNSPECIFIED_YEAR:
            raise ValueError("the year is left open")
        second = 0 if second == _UNSPECIFIED else second
        fraction = 0 if hundredths == _UNSPECIFIED else hundredths * 10_000
        local = datetime(year, month, day, hour, minute, second, fraction)  # noqa: DTZ001 (wall)
        if weekday not in {_UNSPECIFIED, local.isoweekday()}:
            raise ValueError("another day of the week")
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            raise ValueError("a year the meter does not know")
        if deviation == _NO_DEVIATION:
            return self.utc(local)
        if abs(deviation) > _LONGEST_DEVIATION:
            raise ValueError("a deviation of more than twelve hours")
        return (local + timedelta(minutes=deviation)).replace(tzinfo=UTC)


def last_sunday(year: int, month: int) -> datetime:
    """Return 01:00 UTC on the last Sunday of a month of 31 days."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() - _SUNDAY) % 7)


class MeterClock:
    """Runs with the ``now`` of the device; its error is what commissioning finds.

    Args:
        start: What true time is at the first ``now``; None for the real time then.
        error: Meter minus true time at first.
        zone: The meter's local time.
    """

    def __init__(self, start: datetime | None, error: timedelta, zone: Zone) -> None:
        self.zone = zone
        self.born = start or datetime.now(UTC)
        self.error = error
        self.lost = False  # whether it ran out without supply; setting it makes it good
        self._start = start
        self._origin: tuple[float, datetime] | None = None

    def true(self, now: float) -> datetime:
        """Return the true time at ``now``."""
        if self._origin is None:
            self._origin = (now, self._start or datetime.now(UTC))
        return self._origin[1] + timedelta(seconds=now - self._origin[0])

    def shown(self, now: float) -> datetime:
        """Return what the meter takes for the time at ``now``."""
        return self.true(now) + self.error

    def set(self, now: float, moment: datetime) -> timedelta:
        """Set the clock; return by how much it moved."""
        before, self.lost = self.error, False
        self.error = moment - self.true(now)
        return self.error - before

    def measured(self, now: float, period_s: int) -> datetime:
        """Return the time up to which the meter has brought its values at ``now``.

        They move on every ``period_s`` from the start, so that what was expected at the start
        stays true for one period.
        """
        passed = max(0.0, (self.true(now) - self.born).total_seconds())
        return self.born + timedelta(seconds=passed // period_s * period_s)
