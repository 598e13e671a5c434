"""The object list of an association, and attributes raw: read, listed, written."""

from collections.abc import Sequence

from drivers.dlms.apdu import Attribute
from drivers.dlms.objects import DATA, REGISTER, ObjectReader, reading
from drivers.dlms.session import Session
from drivers.errors import DriverError, ValueRefused
from drivers.obis import from_bytes, name_of, to_bytes
from drivers.objectmodel import ObjectEntry
from drivers.values import Reading

_VALUE = 2
_SCALED = frozenset({REGISTER, 4})


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

    def read(self, wanted: Sequence[tuple[str, int, int]]) -> list[Reading]:
        """Return attributes in few requests; scalers of registers are read with them."""
        asked = [
            (Attribute(class_id, to_bytes(code), index), f"{code}/{class_id}/{index}")
            for code, class_id, index in wanted
        ]
        found = []
        items = self._session.get_list(asked)
        for (code, class_id, index), item in zip(wanted, items, strict=True):
            obis = from_bytes(to_bytes(code))
            if isinstance(item, DriverError):
                found.append(Reading(obis, obis, name_of(obis), None, text=str(item), check="bad"))
                continue
            unit = (0, 255)
            if index == _VALUE and class_id in _SCALED:
                unit = self._objects.unit_of(class_id, to_bytes(code))
            found.append(reading(obis, name_of(obis), item, unit, None))
        return found

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
