"""Reads single objects: registers with scaler and unit, texts, and classes nobody told us."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from drivers.dlms.apdu import Attribute
from drivers.dlms.clock import MeterZone
from drivers.dlms.data import as_text, as_time, printable
from drivers.dlms.session import Session
from drivers.dlms.units import scaled, scaler_unit
from drivers.errors import AccessDenied, DriverError, MeterBusy, NotSupported
from drivers.obis import from_bytes, name_of, to_bytes
from drivers.values import Reading

DATA, REGISTER, EXTENDED, DEMAND, PROFILE, CLOCK, RELAY = 1, 3, 4, 5, 7, 8, 70
_SCALER_ATTRIBUTE = {REGISTER: 3, EXTENDED: 3, DEMAND: 4}
_TIME_ATTRIBUTE = {EXTENDED: 5, DEMAND: 6}
_NO_UNIT = (0, 255)
_NAME = 6  # octets of a logical name
_DATA_GROUPS = frozenset({0, 94, 96, 97})
_MAXIMA = frozenset({3, 6, 13, 16, 23, 26})
_AVERAGES = frozenset({4, 5, 14, 15, 24, 25, 27, 28})
_KNOWN = {"0-0:1.0.0.255": CLOCK, "0-0:96.3.10.255": RELAY}


@dataclass(frozen=True, slots=True)
class Found:
    """One object's value as the meter gave it."""

    class_id: int
    value: object


class ObjectReader:
    """Reads objects of one session, and remembers classes, scalers and units."""

    def __init__(
        self, session: Session, zone: MeterZone, names: Callable[[str], str] = name_of
    ) -> None:
        self.name_of = names
        self._session = session
        self._zone = zone
        self._classes: dict[bytes, int] = {}
        self._units: dict[tuple[int, bytes], tuple[int, int]] = {}

    def value(self, class_id: int, code: bytes, attribute: int = 2) -> object:
        """Return an attribute of an object whose class is known."""
        return self._session.get(Attribute(class_id, code, attribute), from_bytes(code))

    def find(self, code: bytes, attribute: int = 2) -> Found:
        """Return an attribute of an object, trying the classes that its code makes likely.

        Raises:
            NotSupported: No likely class has it.
        """
        known = self._classes.get(code)
        refused = NotSupported(f"{from_bytes(code)}: object undefined")
        for class_id in (known,) if known else likely_classes(code):
            try:
                value = self.value(class_id, code, attribute)
            except NotSupported as error:
                refused = error
                continue
            self._classes[code] = class_id
            return Found(class_id, value)
        raise refused

    def unit_of(self, class_id: int, code: bytes) -> tuple[int, int]:
        """Return scaler and unit number of a register; none for classes without, or denied."""
        attribute = _SCALER_ATTRIBUTE.get(class_id)
        if attribute is None:
            return _NO_UNIT
        key = (class_id, code)
        if key not in self._units:
            self._units[key] = scaler_unit(self.value(class_id, code, attribute))
        return self._units[key]

    def register(self, code: str, name: str = "") -> Reading:
        """Return one register as a reading with its unit."""
        octets = to_bytes(code)
        obis = from_bytes(octets)
        found = self.find(octets)
        unit = self.unit_of(found.class_id, octets)
        name = name or self.name_of(obis)
        return reading(obis, name, found.value, unit, self._time(found, octets))

    def attribute(self, code: str, class_id: int, attribute: int, name: str = "") -> Reading:
        """Return any attribute of any object: its number where it has one, and its text."""
        octets = to_bytes(code)
        obis = from_bytes(octets)
        if class_id:
            found = Found(class_id, self.value(class_id, octets, attribute))
        else:
            found = self.find(octets, attribute)
        unit = _NO_UNIT
        if attribute == 2 and found.class_id in _SCALER_ATTRIBUTE:  # noqa: PLR2004 - the value
            unit = self.unit_of(found.class_id, octets)
        return reading(obis, name or self.name_of(obis), found.value, unit, None)

    def told(self, class_id: int, code: bytes, attributes: Sequence[int]) -> dict[int, object]:
        """Return the attributes that an object tells; what it lacks or denies is left out."""
        name = from_bytes(code)
        wanted = [(Attribute(class_id, code, n), f"{name}/{class_id}/{n}") for n in attributes]
        try:
            items = self._session.patiently(lambda: self._session.get_list(wanted))
        except NotSupported:  # lists were agreed on and are refused nevertheless
            items = [MeterBusy(text) for _, text in wanted]
        found: dict[int, object] = {}
        for number, item in zip(attributes, items, strict=True):
            value = self._singly(class_id, code, number) if isinstance(item, MeterBusy) else item
            if not isinstance(value, DriverError):
                found[number] = value
        return found

    def _singly(self, class_id: int, code: bytes, attribute: int) -> object:
        try:
            return self.value(class_id, code, attribute)
        except (NotSupported, AccessDenied) as error:
            return error

    def moment(self, value: object) -> datetime | None:
        """Return the time in a value in UTC; None where it holds none or leaves it open."""
        moment = as_time(value)
        return self._zone.utc(moment) if moment else None

    def text(self, code: str) -> str:
        """Return an identifying text, "" where the meter has none or does not show it."""
        if not code:
            return ""
        try:
            value = self.find(to_bytes(code)).value
        except (NotSupported, AccessDenied):
            return ""
        return identifier(value)

    def _time(self, found: Found, code: bytes) -> datetime | None:
        attribute = _TIME_ATTRIBUTE.get(found.class_id)
        if attribute is None:
            return None
        try:
            return self.moment(self.value(found.class_id, code, attribute))
        except (NotSupported, AccessDenied):
            return None


def likely_classes(code: bytes) -> tuple[int, ...]:
    """Return the interface classes an object with this code may have, the likeliest first."""
    obis = from_bytes(code)
    if obis in _KNOWN:
        return (_KNOWN[obis],)
    if code[2] in _DATA_GROUPS:
        return DATA, REGISTER, EXTENDED
    if code[3] in _MAXIMA:
        return EXTENDED, REGISTER, DATA
    if code[3] in _AVERAGES:
        return DEMAND, REGISTER, EXTENDED
    return REGISTER, EXTENDED, DATA, DEMAND


def named(value: object) -> str:
    """Return a logical name as a code; "" for what is none."""
    return from_bytes(value) if isinstance(value, bytes) and len(value) == _NAME else ""


def identifier(value: object) -> str:
    """Return an identifying value as text: characters where it has them, else hex or digits."""
    if isinstance(value, bytes):
        return printable(value) or value.hex().upper()
    if isinstance(value, str):
        return value.strip("\x00 ")
    return "" if value is None else as_text(value)


def reading(
    obis: str, name: str, value: object, unit: tuple[int, int], time: datetime | None
) -> Reading:
    """Return a reading of a decoded value; text beside it where it is no number."""
    number, text = scaled(value, *unit)
    shown = "" if number is not None else as_text(value)
    if isinstance(value, bool):
        number = Decimal(int(value))
    return Reading(obis, obis, name, number, text, shown, None, time)
