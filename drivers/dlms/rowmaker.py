"""Rows of a profile with times, numbers and states, made of the raw values of its buffer."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from drivers.dlms.clock import MeterZone
from drivers.dlms.data import CosemTime, Delta, as_time
from drivers.dlms.objects import CLOCK, DATA
from drivers.dlms.rows import Row
from drivers.dlms.units import decimal_places, scaled
from drivers.eventwords import status_words
from drivers.metertype import ProfileType
from drivers.obis import from_bytes, to_bytes
from drivers.values import ProfileRow

_STATUS_GROUP = (96, (10, 5))  # C and D of status words
_TIME = 12  # octets of a date-time: date 0 to 4, time 5 to 8, deviation and status 9 to 11
_OPEN = b"\x80\x00"  # a deviation that is not specified
_STATES = 256  # different states whose words are remembered


@dataclass(frozen=True, slots=True)
class Capture:
    """One captured attribute of a profile."""

    class_id: int
    code: bytes
    attribute: int
    index: int

    @property
    def is_clock(self) -> bool:
        """Whether this column holds the time of the row."""
        return self.class_id == CLOCK and self.attribute == 2  # noqa: PLR2004 - the time

    @property
    def is_status(self) -> bool:
        """Whether this column holds the status word of the row."""
        group, kinds = _STATUS_GROUP
        return self.class_id == DATA and self.code[2] == group and self.code[3] in kinds


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a buffer become rows: places, and (scaler, unit) of each value."""

    captures: tuple[Capture, ...]
    clock: int | None
    status: int | None
    values: tuple[int, ...]
    units: tuple[tuple[int, int], ...]

    @property
    def clock_code(self) -> bytes:
        """The logical name of the clock in the first time column."""
        return to_bytes("0-0:1.0.0.255") if self.clock is None else self.captures[self.clock].code


@dataclass(slots=True)
class RowMaker:
    """Makes rows of what the decoder gives: times, repeated values, differences, scalers.

    State goes on from block to block: null-data repeats the row before.  A year of quarter hours
    passes here, so what stays the same from row to row (day, scalers, states) is worked out once.
    """

    layout: Layout
    zone: MeterZone
    period_s: int
    kind: ProfileType
    _before: Row = ()
    _time: datetime | None = None
    _timeless: int = 0
    _texts: set[int] = field(default_factory=set)
    _places: tuple[tuple[int, int], ...] = ()  # place and power of ten of each value
    _day: bytes = b""  # date, deviation and status of the row before
    _midnight: datetime | None = None  # when that day began, in UTC
    _states: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        powers = (decimal_places(*unit) for unit in self.layout.units)
        self._places = tuple(zip(self.layout.values, powers, strict=True))

    def rows(self, raw: list[Row]) -> list[ProfileRow]:
        """Return the rows that have a time."""
        return [row for row in map(self._row, raw) if row is not None]

    def remarks(self, tell: Callable[[str], None]) -> None:
        """Tell what could not be shown."""
        if self._timeless:
            tell(f"{self._timeless} rows without a time were skipped")
        for place in sorted(self._texts):
            tell(f"column {from_bytes(self.layout.captures[place].code)} holds no numbers")

    def _row(self, row: Row) -> ProfileRow | None:
        layout = self.layout
        value = None if layout.clock is None else row[layout.clock]
        if None in row or Delta in map(type, row):
            row = self._complete(row)
        self._before = row
        time, reconstructed = self._when(value)
        if time is None:
            self._timeless += 1
            return None
        self._time = time
        raw_status = None if layout.status is None else row[layout.status]
        if type(raw_status) is not int:
            raw_status = None
        return ProfileRow(
            time,
            tuple(
                [
                    Decimal(number).scaleb(power)
                    if type(number := row[place]) is int and power <= 0
                    else self._value(number, place)
                    for place, power in self._places
                ]
            ),
            raw_status,
            () if raw_status is None else self._words(raw_status),
            reconstructed,
        )

    def _when(self, value: object) -> tuple[datetime | None, bool]:
        if type(value) is bytes and len(value) == _TIME:
            day = value[:5] + value[9:]
            hour, minute, second, hundredths = value[5:9]
            if day != self._day:
                self._day, self._midnight = day, self._begin(value)
            if self._midnight is not None and hour < 24 and minute < 60:  # noqa: PLR2004 - a clock
                second = second if second < 60 else 0  # noqa: PLR2004 - a clock; 255 is open
                micro = hundredths * 10_000 if hundredths < 100 else 0  # noqa: PLR2004 - hundredths
                passed = timedelta(0, hour * 3600 + minute * 60 + second, micro)
                return self._midnight + passed, False
        moment: CosemTime | None = as_time(value)
        if moment is not None:
            return self.zone.utc(moment), False
        if self._time is None:
            return None, False
        return self._time + timedelta(seconds=self.period_s), True

    def _begin(self, value: bytes) -> datetime | None:
        """Return when the day of a time with a deviation began; None where hours differ."""
        if value[9:11] == _OPEN:
            return None  # its zone may change in the middle of the day
        return self.zone.utc(CosemTime(value[:5] + bytes(4) + value[9:]))

    def _words(self, status: int) -> tuple[str, ...]:
        words = self._states.get(status)
        if words is None:
            if len(self._states) >= _STATES:
                self._states.clear()
            words = self._states[status] = status_words(self.kind.status, status)
        return words

    def _complete(self, row: Row) -> Row:
        """Return the row with null-data and differences replaced by what they stand for."""
        before = self._before
        if not before:
            return row
        values: list[object] = []
        for place, value in enumerate(row):
            old = before[place]
            if value is None and self.kind.null_is_previous:
                values.append(old)
            elif isinstance(value, Delta):
                values.append(old + int(value) if isinstance(old, int) else None)
            else:
                values.append(value)
        return tuple(values)

    def _value(self, value: object, place: int) -> Decimal | None:
        if value is None:
            return None
        number = scaled(value, *self.layout.units[self.layout.values.index(place)])[0]
        if number is None:
            self._texts.add(place)
        return number
