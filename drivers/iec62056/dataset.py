"""What a data set says: number, unit, time and history, read by the meaning of its code.

The code stays the meter's text; OBIS is a view on it.  The raw groups are always kept.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from drivers import obis
from drivers.iec62056.lines import RawSet
from drivers.iec62056.times import MeterZone, is_never, joined, parse_datetime

_NUMBER = re.compile(r" *([+-]?)([0-9]{1,32})(?:[.,]([0-9]{1,32}))? *", re.ASCII)
_GLUED = re.compile(r"( *[+-]?[0-9]{1,32}(?:[.,][0-9]{1,32})?)( *)([A-Za-z%][A-Za-z0-9/%]{0,7}) *")
_HISTORY = re.compile(r"(.+?)[*&]([0-9]{1,3})")
_DOT_HISTORY = re.compile(r"([0-9]+\.[0-9]+\.[0-9]+)\.([0-9]{2})")
_ERROR = re.compile(r"\(*(?:ERROR|ERR?[0-9]{0,3}|E[0-9]{2,3})\)*")
_COMMAND = re.compile(r"[BEPRW][0-9]")  # what `P0` carries is an operand, no amount
_LONGEST_NUMBER = 20  # digits without a unit; longer ones are identifiers
_CURRENT = "255"
_SURE_UNITS = frozenset(
    {"wh", "kwh", "mwh", "gwh", "varh", "kvarh", "mvarh", "vah", "kvah", "mvah", "kw", "mw"}
    | {"kvar", "mvar", "kva", "mva", "var", "va", "hz", "m3", "gj", "mj", "min", "m3ph"}
    | {"imp/kwh", "hour", "secs", "deg"}
)
_SHORT_UNITS = {"W", "V", "A", "h", "s", "%"}  # only after a point or a blank: `12A` may be hex

# C and D groups whose digits are no amount: numbers of devices, versions, states, messages.
_NO_AMOUNT = frozenset(
    {(0, 0), (0, 2), (42, 0), (96, 1), (96, 4), (96, 5), (96, 13), (96, 90), (96, 91), (97, 97)}
)
_STATES = range(50, 70)  # D of makers' 96.50 to 96.69: hex fields
_MANUFACTURER = 96
_TIMES = frozenset({(96, 51)})  # C and D groups that hold times without separators
_RESET_TIME, _CHANGES, _CLOCK = (0, 1, 2), (96, 2), (0, 0, 1, 0)
_TIME_OF_DAY, _DATE = (0, 9, 1), (0, 9, 2)
_HEADER_FIXED = 4  # groups before the codes and units: time, status, period, count
_HEAT_UNITS = frozenset({"gj", "mj", "mwh", "kwh", "gcal", "m3"})
_HEAT_CODES = ("6.8", "6.26")


@dataclass(frozen=True, slots=True)
class DataSet:
    """One value of a readout.

    ``code`` and ``groups`` are the meter's own text; ``history`` the suffix of a stored value
    without its sign.  ``text`` is None where the number says everything; it stands beside a
    number whose leading zeros may mean something.  ``time`` is in the meter's zone.
    """

    code: str
    obis: str
    value: Decimal | None = None
    unit: str = ""
    unit_inherited: bool = False
    text: str | None = None
    history: str | None = None
    time: datetime | None = None
    groups: tuple[str, ...] = ()
    damaged: bool = False
    error: bool = False

    @property
    def base(self) -> str:
        """The code without its history suffix."""
        return split_code(self.code)[0]


def split_code(code: str) -> tuple[str, str | None]:
    """Return the code without its suffix, and the suffix of a stored value (None: current)."""
    match = _HISTORY.fullmatch(code) or _DOT_HISTORY.fullmatch(code)
    if not match:
        return code, None
    return match[1], None if match[2] == _CURRENT else match[2]


def parse_number(text: str) -> Decimal | None:
    """Return the number of a field that holds nothing else; a comma may be its point."""
    match = _NUMBER.fullmatch(text)
    if not match:
        return None
    sign, whole, fraction = match.groups()
    return Decimal(f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}")


def split_value(group: str) -> tuple[Decimal | None, str, str]:
    """Return number, unit and text of one group ``value*unit``; known units may be glued on."""
    if "&" in group:
        return None, "", group
    text, _, unit = group.partition("*")
    number = parse_number(text)
    if number is not None or unit:
        return number, unit.strip(), text
    if glued := _GLUED.fullmatch(group):
        sure = glued[3].lower() in _SURE_UNITS
        if sure or (glued[3] in _SHORT_UNITS and ("." in glued[1] or glued[2])):
            return parse_number(glued[1]), glued[3], glued[1]
    return None, "", group


def is_error(group: str) -> bool:
    """Tell whether a group is an error answer: ``ERROR``, ``ER07``, ``E12``."""
    return _ERROR.fullmatch(group.strip()) is not None


def is_header(groups: tuple[str, ...]) -> bool:
    """Tell whether groups are ``(time)(status)(period)(count)`` and that many codes and units."""
    count = groups[3].strip()[:4] if len(groups) >= _HEADER_FIXED else ""
    return count.isdecimal() and len(groups) == _HEADER_FIXED + 2 * int(count)


class Interpreter:
    """Reads data sets one after the other; remembers codes and units for the rows that lack them.

    ``heat`` leaves the OBIS view out: heat meters use the same digits for other things.
    """

    def __init__(self, zone: MeterZone | None = None, *, heat: bool = False) -> None:
        self.zone = zone or MeterZone()
        self.heat = heat
        self._code = ""
        self._row_unit = ""  # of the rows that follow a header without a code of their own
        self._units: dict[str, str] = {}

    def read(self, raw: RawSet) -> DataSet:
        """Return what one data set says; a set without a code belongs to the one before."""
        code = raw.code or self._code
        self._code = code
        base, history = split_code(code)
        written = "" if self.heat and ":" not in code else obis.parse(code)
        found = DataSet(code, written, history=history, groups=raw.groups, damaged=raw.damaged)
        first = raw.groups[0] if raw.groups else ""
        if is_error(first):
            return replace(found, text=first, error=True)
        if raw.code:
            self._row_unit = ""
            if is_header(raw.groups) and len(raw.groups) > _HEADER_FIXED:
                self._row_unit = raw.groups[_HEADER_FIXED + 1]
                return replace(found, text=first, time=parse_datetime(first, self.zone))
        found = self._valued(found, written)
        return self._with_unit(found, base, bare=not raw.code)

    def _valued(self, found: DataSet, written: str) -> DataSet:
        groups = found.groups
        first = groups[0] if groups else ""
        key = _key(written)
        time = parse_datetime(first, self.zone, digits=_is_time(key))
        if time is not None or (is_never(first) and (_is_time(key) or "-" in first)):
            number, unit, _ = split_value(groups[1]) if len(groups) > 1 else (None, "", "")
            if number is not None and unit:
                return replace(found, value=number, unit=unit, time=time)
            return replace(found, text=first, time=time)
        number, unit, text = split_value(first)
        operand = _COMMAND.fullmatch(found.code) is not None
        if number is None or (not unit and (operand or not _is_amount(key, text))):
            return replace(found, unit=unit, text=text if unit else first)
        if len(groups) > 1:
            time = parse_datetime(groups[1], self.zone)
        beside = first if not unit and _zeros_matter(text) else None
        return replace(found, value=number, unit=unit, text=beside, time=time)

    def _with_unit(self, found: DataSet, base: str, *, bare: bool) -> DataSet:
        if found.unit:
            if found.history is None:
                self._units.setdefault(base, found.unit)
            return found
        unit = self._row_unit if bare else ""
        if found.history is not None:
            unit = self._units.get(base, "")
        if found.value is None or not unit:
            return found
        return replace(found, unit=unit, unit_inherited=True, text=None)


def is_heat(sets: list[RawSet]) -> bool:
    """Tell whether a readout is a heat meter's, whose codes are not those of electricity."""
    for raw in sets:
        if raw.code in _HEAT_CODES and raw.groups:
            unit = raw.groups[0].rpartition("*")[2].lower()
            if unit in _HEAT_UNITS:
                return True
    return False


def finished(sets: list[DataSet], zone: MeterZone) -> list[DataSet]:
    """Return the sets with what only the whole readout tells.

    The clock's registers get the moment they tell together; a lone ``*00`` row without a plain
    one is the current value; history rows before their current register get its unit.
    """
    moment = clock_of(sets, zone)
    units = {s.base: s.unit for s in reversed(sets) if s.history is None and s.unit}
    plain = {s.base for s in sets if s.history is None}
    zeros: dict[str, int] = {}
    for item in sets:
        if item.history == "00":
            zeros[item.base] = zeros.get(item.base, 0) + 1
    return [_finished(item, moment, units, plain, zeros) for item in sets]


def _finished(
    item: DataSet,
    moment: datetime | None,
    units: dict[str, str],
    plain: set[str],
    zeros: dict[str, int],
) -> DataSet:
    if moment is not None and _key(item.obis)[2:5] in {_TIME_OF_DAY, _DATE} and not item.history:
        return replace(item, time=moment)
    if item.history is None:
        return item
    if item.history == "00" and item.base not in plain and zeros[item.base] == 1 and item.obis:
        item = replace(item, obis=item.obis.rpartition(".")[0] + ".255")
    if item.value is not None and not item.unit and item.base in units:
        item = replace(item, unit=units[item.base], unit_inherited=True, text=None)
    return item


def clock_of(sets: list[DataSet], zone: MeterZone) -> datetime | None:
    """Return the meter's clock out of its time and date registers; None when they are missing."""
    telegram = next((s.time for s in sets if s.obis == "0-0:1.0.0.255" and s.time), None)
    if telegram is not None:
        return telegram
    found: dict[tuple[int, ...], str] = {}
    for item in sets:
        key = _key(item.obis)[2:5]
        if item.history is None and key in {_TIME_OF_DAY, _DATE} and item.groups:
            found.setdefault(key, item.groups[0])
    if len(found) < len((_TIME_OF_DAY, _DATE)):
        return None
    return joined(found[_DATE], found[_TIME_OF_DAY], zone)


def _key(written: str) -> tuple[int, ...]:
    return tuple(obis.to_bytes(written)) if written else ()


def _is_time(key: tuple[int, ...]) -> bool:
    if not key:
        return False
    changes = key[2:4] == _CHANGES and key[4] > 0
    return changes or key[2:5] == _RESET_TIME or key[2:4] in _TIMES or key[:4] == _CLOCK


def _is_amount(key: tuple[int, ...], text: str) -> bool:
    if not key:
        return len(text) <= _LONGEST_NUMBER or "." in text
    if key[2:4] in _NO_AMOUNT or key[2:5] in {_TIME_OF_DAY, _DATE} or _is_time(key):
        return False
    if key[2] == _MANUFACTURER and key[3] in _STATES:
        return False
    return len(text) <= _LONGEST_NUMBER or "." in text


def _zeros_matter(text: str) -> bool:
    digits = text.strip()
    return digits.isdigit() and digits != (digits.lstrip("0") or "0")
