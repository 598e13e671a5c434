"""The object list of an association, and attributes raw: read, listed, written."""

from collections.abc import Generator, Sequence

from drivers.dlms.apdu import Attribute
from drivers.dlms.objects import DATA, DEMAND, EXTENDED, REGISTER, ObjectReader, reading
from drivers.dlms.session import Session
from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused
from drivers.obis import from_bytes, to_bytes
from drivers.objectmodel import AttributeReading, ObjectEntry
from drivers.values import Reading

_NO_UNIT = (0, 255)
_SCALED = frozenset({(REGISTER, 2), (EXTENDED, 2), (DEMAND, 2), (DEMAND, 3)})


class Catalog:
    """What one session shows of the meter's objects."""

    def __init__(self, session: Session, objects: ObjectReader) -> None:
        self._session = session
        self._objects = objects

    def entries(self) -> tuple[ObjectEntry, ...]:
        """Return the object list.

        Raises:
            GarbledReply: It cannot be read.
        """
        return self._session.entries()

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list as `entries` does, and yield how many octets have come."""
        return self._session.listing()

    def read(self, wanted: Sequence[tuple[str, int, int]]) -> list[AttributeReading]:
        """Return attributes in few requests; scalers of registers are read with them."""
        asked = [
            (Attribute(class_id, to_bytes(code), index), f"{code}/{class_id}/{index}")
            for code, class_id, index in wanted
        ]
        found = []
        items = self._session.get_list(asked)
        for address, item in zip(wanted, items, strict=True):
            code, class_id, index = address
            obis = from_bytes(to_bytes(code))
            if isinstance(item, DriverError):
                told = str(item)
                nothing = Reading(
                    obis, obis, self._objects.name_of(obis), None, text=told, check="bad"
                )
                found.append(AttributeReading(*address, nothing, None, told))
                continue
            unit = self._unit(code, class_id) if (class_id, index) in _SCALED else _NO_UNIT
            made = reading(obis, self._objects.name_of(obis), item, unit, None)
            found.append(AttributeReading(code, class_id, index, made, item))
        return found

    def _unit(self, code: str, class_id: int) -> tuple[int, int]:
        """Return scaler and unit; none where the meter does not show them: the rest goes on."""
        try:
            return self._objects.unit_of(class_id, to_bytes(code))
        except (NotSupported, AccessDenied):
            return _NO_UNIT

    def raw(self, code: str, class_id: int, index: int) -> bytes:
        """Return an attribute as the meter encodes it."""
        attribute = Attribute(class_id or DATA, to_bytes(code), index)
        return self._session.patiently(lambda: b"".join(self._session.blocks(attribute, code)))

    def write(self, code: str, class_id: int, index: int, value: bytes) -> bytes:
        """Write an encoded attribute and return what reads back."""
        self._session.set(Attribute(class_id, to_bytes(code), index), value, code)
        kept = self.raw(code, class_id, index)
        if kept != value:
            raise ValueRefused(f"{code} reads back as {kept.hex(' ').upper()}")
        return kept
