"""Meter times to UTC and back: the deviation in the time, or the zone of the meter type."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from drivers.dlms.data import CosemTime, time_octets
from drivers.metertype import MeterType

_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class MeterZone:
    """How this meter counts local time.

    ``learned`` is the deviation (in the meter's sign) that its clock showed last; it wins over the
    offset of the type, because the type cannot know where the meter hangs.
    """

    meter_type: MeterType
    learned: int | None = None

    @property
    def sign(self) -> int:
        """+1 where local time is UTC minus deviation, -1 where the maker turned it round."""
        return self.meter_type.dlms.deviation_sign

    def utc(self, moment: CosemTime) -> datetime | None:
        """Return the meter's time in UTC; None when the meter left it open."""
        local = moment.local()
        if local is None or moment.deviation is not None:
            return moment.utc(self.sign)
        zone = self._named()
        if zone is not None:
            return local.replace(tzinfo=zone, fold=int(not moment.summer)).astimezone(UTC)
        offset = self._offset() + (_HOUR if moment.summer and self.learned is None else _NONE)
        return (local - offset).replace(tzinfo=UTC)

    def octets(self, moment: datetime, *, deviation: bool, seconds: bool = True) -> bytes:
        """Return an aware time as the meter writes it, in its local time."""
        local = moment.astimezone(self._named() or timezone(self._offset()))
        offset = local.utcoffset() or _NONE
        minutes = -self.sign * (offset // timedelta(minutes=1))
        return time_octets(
            local.replace(tzinfo=None),
            minutes if deviation else None,
            summer=bool(local.dst()),
            seconds=seconds,
        )

    def _named(self) -> tzinfo | None:
        name = self.meter_type.iec62056.timezone
        return ZoneInfo(name) if name else None

    def _offset(self) -> timedelta:
        if self.learned is not None:
            return timedelta(minutes=-self.sign * self.learned)
        return timedelta(minutes=self.meter_type.iec62056.utc_offset_min)


_NONE = timedelta(0)
