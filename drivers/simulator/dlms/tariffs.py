"""The activity calendar (class 20) and special days (class 11) of a virtual meter.

The passive table may be written; it becomes the active one at the activation time or at once by
method 1.  Tables that are too large, or refer to what is not there, are refused.
"""

from collections.abc import Callable
from datetime import datetime

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import BadData, Value
from drivers.simulator.dlms.objects import Attribute, CosemObject, logical_name
from drivers.simulator.meterclock import MeterClock

CALENDAR, SPECIAL_DAYS, SCRIPTS = "0-0:13.0.0.255", "0-0:11.0.0.255", "0-0:10.0.100.255"
SEASONS, WEEKS, DAYS, POINTS, SPECIALS = 4, 4, 8, 4, 50
_NAME, _SEASONS, _WEEKS, _DAYS = range(4)
_PASSIVE, _ACTIVATION = 6, 10
_NEVER = bytes.fromhex("FFFFFFFFFFFFFFFFFF8000FF")


class Tariffs:
    """Both tables of one meter, encoded; ``changed`` learns of an activation."""

    def __init__(self, clock: MeterClock, changed: Callable[[float], None]) -> None:
        self._clock = clock
        self._changed = changed
        self._active = list(_usual())
        self._passive = list(_usual())
        self._activation = _NEVER
        self._due: datetime | None = None
        self._specials = axdr.array([])

    @property
    def name(self) -> bytes:
        """The name of the active table."""
        return axdr.value_of(self._active[_NAME]).octets()

    def objects(self) -> tuple[CosemObject, CosemObject]:
        """Return the calendar and the special days."""
        attributes = {n + 2: Attribute(self._reader(self._active, n)) for n in range(4)}
        for n in range(4):
            attributes[_PASSIVE + n] = Attribute(
                self._reader(self._passive, n), write=self._writer(n)
            )
        attributes[_ACTIVATION] = Attribute(self._when, write=self._set_when)
        calendar = CosemObject(20, CALENDAR, attributes, {1: self._activate})
        special = Attribute(lambda _: self._specials, write=self._set_specials)
        return calendar, CosemObject(11, SPECIAL_DAYS, {2: special})

    def _reader(self, table: list[bytes], place: int) -> Callable[[float], bytes]:
        def read(now: float) -> bytes:
            self.settle(now)
            return table[place]

        return read

    def _writer(self, place: int) -> Callable[[float, Value], None]:
        def write(now: float, value: Value) -> None:
            self.settle(now)
            self._passive[place] = (_name, _seasons, _weeks, _days)[place](value)

        return write

    def _when(self, now: float) -> bytes:
        self.settle(now)
        return axdr.octets(self._activation)

    def _set_when(self, now: float, value: Value) -> None:
        octets = value.octets(axdr.OCTETS, axdr.DATE_TIME)
        due = self._clock.zone.moment(octets)
        if due <= self._clock.shown(now):
            raise BadData("an activation in the past")
        self._activation, self._due = octets, due

    def _activate(self, now: float, parameter: Value | None) -> bytes:
        if parameter is None or parameter.number(axdr.I8):
            raise BadData("the parameter must be the integer 0")
        self._active[:] = self._passive
        self._due = None
        self._changed(now)
        return b""

    def settle(self, now: float) -> None:
        """Make the passive table the active one where its time has come."""
        if self._due is not None and self._clock.shown(now) >= self._due:
            self._activate(now, Value(axdr.I8, 0))

    def _set_specials(self, now: float, value: Value) -> None:
        del now
        items = _some(value, SPECIALS)
        rows: dict[int, bytes] = {}  # kept by their numbers, whatever order they come in
        for item in items:
            index, date, day = item.members(3)
            raw = date.octets(axdr.OCTETS, axdr.DATE)
            if len(raw) != 5:  # noqa: PLR2004 (octets of a date)
                raise BadData("no date")
            number = index.number(axdr.U16)
            rows[number] = axdr.structure(
                axdr.integer(axdr.U16, number),
                axdr.octets(raw),
                axdr.integer(axdr.U8, day.number(axdr.U8)),
            )
        self._specials = axdr.array([rows[number] for number in sorted(rows)])


def _some(value: Value, most: int) -> tuple[Value, ...]:
    items = value.members()
    if value.tag != axdr.ARRAY or len(items) > most:
        raise BadData(f"more than {most}")
    return items


def _name(value: Value) -> bytes:
    return axdr.octets(value.octets())


def _seasons(value: Value) -> bytes:
    rows = []
    for item in _some(value, SEASONS):
        name, start, week = item.members(3)
        raw = start.octets(axdr.OCTETS, axdr.DATE_TIME)
        if len(raw) != 12:  # noqa: PLR2004 (octets of a date-time)
            raise BadData("no date-time")
        rows.append(
            axdr.structure(axdr.octets(name.octets()), axdr.octets(raw), axdr.octets(week.octets()))
        )
    return axdr.array(rows)


def _weeks(value: Value) -> bytes:
    rows = []
    for item in _some(value, WEEKS):
        name, *days = item.members(8)
        numbers = [axdr.integer(axdr.U8, day.number(axdr.U8)) for day in days]
        rows.append(axdr.structure(axdr.octets(name.octets()), *numbers))
    return axdr.array(rows)


def _days(value: Value) -> bytes:
    rows = []
    for item in _some(value, DAYS):
        number, points = item.members(2)
        actions = []
        for point in _some(points, POINTS):
            time, script, selector = point.members(3)
            if len(time.octets(axdr.OCTETS, axdr.TIME)) != 4 or len(script.octets()) != 6:  # noqa: PLR2004
                raise BadData("no time or no script")
            actions.append(_point(time.octets(axdr.OCTETS, axdr.TIME), script.octets(),
                                  selector.number(axdr.U16)))  # fmt: skip
        day = axdr.integer(axdr.U8, number.number(axdr.U8))
        rows.append(axdr.structure(day, axdr.array(actions)))
    return axdr.array(rows)


def _point(time: bytes, script: bytes, selector: int) -> bytes:
    number = axdr.integer(axdr.U16, selector)
    return axdr.structure(axdr.octets(time), axdr.octets(script), number)


def _usual() -> tuple[bytes, bytes, bytes, bytes]:
    """Return the table a meter is delivered with: rate 2 at night."""
    script = logical_name(SCRIPTS)
    start = bytes.fromhex("FFFF0101FF000000008000FF")
    season = axdr.structure(axdr.text("ALL"), axdr.octets(start), axdr.text("W1"))
    week = axdr.structure(axdr.text("W1"), *(axdr.integer(axdr.U8, 1) for _ in range(7)))
    points = [_point(bytes((hour, 0, 0, 0)), script, rate) for hour, rate in ((6, 1), (22, 2))]
    day = axdr.structure(axdr.integer(axdr.U8, 1), axdr.array(points))
    return axdr.text("TOU-1"), axdr.array([season]), axdr.array([week]), axdr.array([day])
