"""The activity calendar (class 20) and the special days (class 11) over DLMS."""

from datetime import datetime

from drivers.calendar import (
    BadCalendar,
    Calendar,
    CalendarReading,
    Day,
    Season,
    SpecialDay,
    SwitchingPoint,
    Week,
    check,
    limits_of,
    sorted_table,
)
from drivers.dlms.apdu import Attribute
from drivers.dlms.ciphering import length_octets
from drivers.dlms.clock import MeterZone
from drivers.dlms.data import CosemTime, as_time, octets, printable, signed8, structure, unsigned16
from drivers.dlms.objects import ObjectReader
from drivers.dlms.session import Session
from drivers.errors import AccessDenied, GarbledReply, NotSupported, ValueRefused
from drivers.metertype import CalendarType
from drivers.obis import to_bytes

CALENDAR, SPECIAL_DAYS = 20, 11
_ACTIVE, _PASSIVE, _ACTIVATION, _ACTIVATE = 2, 6, 10, 1
_OPEN_DATE = b"\xff\xff\xff\xff\xff"
_NEVER_YEAR = 0xFFFF


class CalendarAccess:
    """Reads and writes the switching table of one meter."""

    def __init__(
        self,
        session: Session,
        objects: ObjectReader,
        zone: MeterZone,
        kind: CalendarType,
        parameters: str = "",
    ) -> None:
        self._session = session
        self._objects = objects
        self._zone = zone
        self._kind = kind
        self._code = to_bytes(kind.code)
        self._parameters = parameters

    def reading(self) -> CalendarReading:
        """Return both tables, the activation and the special days.

        Raises:
            NotSupported: The meter has no activity calendar.
            GarbledReply: It cannot be read.
        """
        moment = as_time(self._objects.value(CALENDAR, self._code, _ACTIVATION))
        return CalendarReading(
            active=self._table(_ACTIVE),
            passive=self._table(_PASSIVE),
            activation=None if moment is None else self._zone.utc(moment),
            special_days=self._special_days(),
            parameters=self._parameterisation(),
        )

    def write(
        self,
        calendar: Calendar,
        special_days: tuple[SpecialDay, ...] | None,
        activation: datetime | None,
    ) -> CalendarReading:
        """Write the passive table and bring it into force; return what reads back.

        Raises:
            NotSupported: The table is wrong or too large for this make; nothing was written.
            ValueRefused: The meter refused, or something else reads back.
        """
        kind = self._kind
        try:
            check(calendar, special_days or (), limits_of(kind))
        except BadCalendar as error:
            raise NotSupported(str(error)) from error
        script = to_bytes(kind.script)
        for n, value in enumerate(_encoded(calendar, script)):
            self._set(CALENDAR, self._code, _PASSIVE + n, value)
        if special_days is not None:
            value = _array([_special(day) for day in special_days])
            self._set(SPECIAL_DAYS, to_bytes(kind.special), 2, value)
        kept = self._table(_PASSIVE)
        if sorted_table(kept) != sorted_table(calendar):
            raise ValueRefused("the passive switching table reads back otherwise than written")
        if special_days is not None and _in_order(self._special_days()) != _in_order(special_days):
            raise ValueRefused("the special days read back otherwise than written")
        return self._in_force(calendar, activation)

    def _in_force(self, calendar: Calendar, activation: datetime | None) -> CalendarReading:
        if activation is None:
            method = Attribute(CALENDAR, self._code, _ACTIVATE)
            self._session.action(method, "the activation of the calendar", signed8(0))
            after = self.reading()
            if sorted_table(after.active) != sorted_table(calendar):
                raise ValueRefused("the new switching table is not in force")
            return after
        moment = octets(self._zone.octets(activation, deviation=True))
        self._set(CALENDAR, self._code, _ACTIVATION, moment)
        after = self.reading()
        if after.activation != activation.replace(microsecond=0):
            raise ValueRefused(f"the activation reads back as {after.activation}")
        return after

    def _set(self, class_id: int, code: bytes, index: int, value: bytes) -> None:
        what = f"attribute {index} of the switching table"
        self._session.set(Attribute(class_id, code, index), value, what)

    # --- reading ----------------------------------------------------------------------------

    def _table(self, first: int) -> Calendar:
        name, seasons, weeks, days = (
            self._objects.value(CALENDAR, self._code, first + n) for n in range(4)
        )
        try:
            return Calendar(
                _text(name),
                tuple(_season(item) for item in _items(seasons)),
                tuple(_week(item) for item in _items(weeks)),
                tuple(_day(item) for item in _items(days)),
            )
        except (TypeError, ValueError, IndexError) as error:
            raise GarbledReply("the switching table cannot be read") from error

    def _parameterisation(self) -> str:
        """Return the number of the parameterisation; "" where the make or the login has none."""
        if not self._parameters:
            return ""
        try:
            return _text(self._objects.find(to_bytes(self._parameters)).value)
        except (NotSupported, AccessDenied):
            return ""

    def _special_days(self) -> tuple[SpecialDay, ...]:
        try:
            found = self._objects.value(SPECIAL_DAYS, to_bytes(self._kind.special))
        except (NotSupported, AccessDenied):
            return ()
        try:
            return tuple(_special_day(item) for item in _items(found))
        except (TypeError, ValueError, IndexError) as error:
            raise GarbledReply("the special days cannot be read") from error


def _items(value: object) -> list[tuple[object, ...]]:
    if not isinstance(value, list):
        raise TypeError("no array")
    return [item for item in value if isinstance(item, tuple)]


def _text(value: object) -> str:
    """Return a name: characters where it has them, else hex."""
    raw = value if isinstance(value, bytes) else str(value or "").encode()
    return printable(raw) or raw.hex().upper()


def _raw(value: object, size: int) -> bytes:
    raw = value.raw if isinstance(value, CosemTime) else value
    if not isinstance(raw, bytes) or len(raw) < size:
        raise TypeError("no octets")
    return raw


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("no number")
    return value


def _season(item: tuple[object, ...]) -> Season:
    start = _raw(item[1], 4)
    return Season(_text(item[0]), f"{start[2]:02}-{start[3]:02}", _text(item[2]))


def _week(item: tuple[object, ...]) -> Week:
    return Week(_text(item[0]), tuple(_number(day) for day in item[1:8]))


def _day(item: tuple[object, ...]) -> Day:
    points = []
    for point in _items(item[1]):
        time = _raw(point[0], 2)
        points.append(SwitchingPoint(f"{time[0]:02}:{time[1]:02}", _number(point[2])))
    return Day(_number(item[0]), tuple(points))


def _in_order(days: tuple[SpecialDay, ...]) -> list[SpecialDay]:
    """Return special days by their number: some meters keep them in an order of their own."""
    return sorted(days, key=lambda day: day.index)


def _special_day(item: tuple[object, ...]) -> SpecialDay:
    raw = _raw(item[1], 4)
    year = int.from_bytes(raw[:2], "big")
    parts = (
        "*" if year == _NEVER_YEAR else f"{year:04}",
        *("*" if n == 0xFF else f"{n:02}" for n in raw[2:4]),  # noqa: PLR2004 - not specified
    )
    return SpecialDay(_number(item[0]), "-".join(parts), _number(item[2]))


# --- writing --------------------------------------------------------------------------------


def _encoded(calendar: Calendar, script: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return name, seasons, weeks and days as the attributes hold them."""
    seasons = [
        structure(octets(one.name.encode()), octets(_start(one.start)), octets(one.week.encode()))
        for one in calendar.seasons
    ]
    weeks = [
        structure(octets(one.name.encode()), *(_u8(day) for day in one.days))
        for one in calendar.weeks
    ]
    days = [
        structure(_u8(one.number), _array([_point(point, script) for point in one.points]))
        for one in calendar.days
    ]
    return octets(calendar.name.encode()), _array(seasons), _array(weeks), _array(days)


def _point(point: SwitchingPoint, script: bytes) -> bytes:
    hour, minute = map(int, point.time.split(":"))
    return structure(octets(bytes((hour, minute, 0, 0))), octets(script), unsigned16(point.script))


def _start(text: str) -> bytes:
    """Return the start of a season: every year, at midnight."""
    month, day = map(int, text.split("-"))
    return bytes((0xFF, 0xFF, month, day, 0xFF, 0, 0, 0, 0, 0x80, 0, 0xFF))


def _special(day: SpecialDay) -> bytes:
    year, month, date = day.date.split("-")
    raw = _OPEN_DATE[:2] if year == "*" else int(year).to_bytes(2, "big")
    raw += bytes(0xFF if part == "*" else int(part) for part in (month, date)) + b"\xff"
    return structure(unsigned16(day.index), octets(raw), _u8(day.day))


def _u8(number: int) -> bytes:
    return b"\x11" + number.to_bytes(1, "big")


def _array(items: list[bytes]) -> bytes:
    return b"\x01" + length_octets(len(items)) + b"".join(items)
