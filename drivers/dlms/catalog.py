"""The object list of an association (class 15), and attributes raw: read, listed, written."""

from collections.abc import Generator, Iterator, Sequence

from drivers.dlms.apdu import Attribute
from drivers.dlms.data import decode
from drivers.dlms.objects import DATA, DEMAND, EXTENDED, REGISTER, ObjectReader, reading
from drivers.dlms.session import Session
from drivers.errors import AccessDenied, DriverError, GarbledReply, NotSupported, ValueRefused
from drivers.obis import from_bytes, name_of, to_bytes
from drivers.objectmodel import AttributeReading, ObjectEntry
from drivers.values import Reading

_ASSOCIATION = Attribute(15, bytes((0, 0, 40, 0, 0, 255)), 2)
_NAME = 6  # octets of a logical name
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
        return _entries(self._session.get(_ASSOCIATION, "the object list"))

    def listing(self) -> Generator[int, None, tuple[ObjectEntry, ...]]:
        """Read the object list as `entries` does, and yield how many octets have come."""
        first, blocks = self._session.patiently(self._begun)
        raw = bytearray(first)
        yield len(raw)
        for block in blocks:
            raw += block
            yield len(raw)
        return _entries(decode(bytes(raw)))

    def _begun(self) -> tuple[bytes, Iterator[bytes]]:
        blocks = self._session.blocks(_ASSOCIATION, "the object list")
        return next(blocks), blocks

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
                nothing = Reading(obis, obis, name_of(obis), None, text=told, check="bad")
                found.append(AttributeReading(*address, nothing, None, told))
                continue
            unit = self._unit(code, class_id) if (class_id, index) in _SCALED else _NO_UNIT
            made = reading(obis, name_of(obis), item, unit, None)
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


def _entries(value: object) -> tuple[ObjectEntry, ...]:
    if not isinstance(value, list):
        raise GarbledReply("the object list is no list")
    try:
        return tuple(_entry(item) for item in value)
    except (TypeError, ValueError, IndexError) as error:
        raise GarbledReply("the object list cannot be read") from error


def _entry(item: object) -> ObjectEntry:
    if not isinstance(item, tuple):
        raise TypeError("no structure")
    class_id, version, name, *rights = item
    if not isinstance(name, bytes) or len(name) != _NAME:
        raise TypeError("no logical name")
    attributes: list[tuple[int, int]] = []
    methods: list[int] = []
    if rights and isinstance(rights[0], tuple):
        listed, acts = rights[0][:2]
        attributes = [(int(one[0]), _access(one[1])) for one in listed]
        methods = [int(one[0]) for one in acts if one[1]]
    code = from_bytes(name)
    return ObjectEntry(int(class_id), int(version), code, tuple(attributes), tuple(methods))


def _access(mode: object) -> int:
    """Return 1 read, 2 write; modes 4 to 6 are the same with authentication."""
    number = int(mode) if isinstance(mode, int) else 0
    return number - 3 if 4 <= number <= 6 else number & 3  # noqa: PLR2004 - access modes
