"""Short names: where each object of a meter begins, where its attributes and methods lie.  Pure.

An object has a base name; attribute n lies at base + 8 * (n - 1), and its methods from an offset on
that the class lays down, 8 apart.  A few base names are the same in every meter; the others stand
in the object list of the association (class 12).
Source: IEC 62056-6-2, clause 4.1.4 and each class; IEC 62056-5-3, clause 9.1.4.3.9.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.dlms.apdu import Attribute
from drivers.dlms.data import decode
from drivers.errors import GarbledReply, NotSupported
from drivers.metertype import Dlms
from drivers.obis import from_bytes, to_bytes

ASSOCIATION = 12
ASSOCIATION_CODE = bytes((0, 0, 40, 0, 0, 255))
ASSOCIATION_BASE = 0xFA00
_DEVICES = (17, bytes((0, 0, 41, 0, 0, 255)), 0xFB00)
NAME_BASE = 0xFD00
_NAME = (1, bytes((0, 0, 42, 0, 0, 255)), NAME_BASE)
_STEP = 8
_TOP = 0xFFFF
_CODE = 6  # octets of a logical name

_METHODS = {  # class -> offset of its first method
    3: 0x28, 4: 0x38, 5: 0x48, 6: 0x30, 7: 0x58, 8: 0x60, 9: 0x20, 10: 0x20, 11: 0x10,
    ASSOCIATION: 0x20, 17: 0x20, 18: 0x40, 20: 0x50, 40: 0x38, 42: 0x60, 61: 0x28, 64: 0x30,
    70: 0x20,
}  # fmt: skip
_METER_BUS = 72
_METER_BUS_METHODS = (0x60, 0x70)  # by version

Rights = tuple[tuple[tuple[int, int], ...], tuple[int, ...]]  # attributes with access; methods


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of the list."""

    base: int
    class_id: int
    version: int
    code: bytes

    def attribute(self, index: int) -> int:
        """Return the short name of an attribute.

        Raises:
            NotSupported: There can be none.
        """
        return _within(self.base + _STEP * (index - 1), self)

    def method(self, index: int, places: dict[int, int]) -> int:
        """Return the short name of a method; ``places`` are offsets of classes that the type names.

        Raises:
            NotSupported: Nobody knows where this class has its methods.
        """
        first = places.get(self.class_id, _METHODS.get(self.class_id))
        if self.class_id == _METER_BUS and first is None:
            first = _METER_BUS_METHODS[min(self.version, 1)]
        if first is None:
            raise NotSupported(
                f"{from_bytes(self.code)}: where class {self.class_id} has its methods among "
                "short names is not known"
            )
        return _within(self.base + first + _STEP * (index - 1), self)


def _within(name: int, entry: Entry) -> int:
    if not 0 <= name <= _TOP:
        raise NotSupported(f"{from_bytes(entry.code)}: there is no short name {name}")
    return name


class BaseNames:
    """The objects of one association by class and logical name, and by short name."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self._by_name = {(one.class_id, one.code): one for one in self.entries}
        self._sorted = sorted(self.entries, key=lambda one: one.base)

    def get(self, class_id: int, code: bytes) -> Entry | None:
        """Return the object of this class and name, None where there is none."""
        return self._by_name.get((class_id, code))

    def knows(self, code: bytes) -> bool:
        """Return whether some object has this logical name."""
        return any(one.code == code for one in self.entries)

    def attribute_at(self, name: int) -> Attribute | None:
        """Return the attribute that has this short name, as far as can be told."""
        before = [one for one in self._sorted if one.base <= name]
        if not before or (name - before[-1].base) % _STEP:
            return None
        found = before[-1]
        return Attribute(found.class_id, found.code, (name - found.base) // _STEP + 1)


def direct(dlms: Dlms) -> BaseNames:
    """Return what can be named without the list: the fixed names, and those of the type."""
    fixed = [
        Entry(ASSOCIATION_BASE, ASSOCIATION, 0, ASSOCIATION_CODE),
        *(Entry(base, class_id, 0, code) for class_id, code, base in (_DEVICES, _NAME)),
    ]
    own = [Entry(one.base, one.class_id, 0, to_bytes(one.code)) for one in dlms.short_names]
    return BaseNames([*fixed, *own])


def listed(raw: bytes) -> BaseNames:
    """Return the objects in an encoded object list: base name, class, version, logical name.

    Raises:
        GarbledReply: It is none.
    """
    value = decode(raw)
    if not isinstance(value, list):
        raise GarbledReply("the object list is no list")
    return BaseNames(_entry(item) for item in value)


def _entry(item: object) -> Entry:
    match item:
        case (int(base), int(class_id), int(version), bytes(code)) if len(code) == _CODE:
            return Entry(base & _TOP, class_id, version, code)
    raise GarbledReply("the object list cannot be read")


def rights(value: object) -> dict[int, Rights]:
    """Return attributes with their access and methods, by base name, from attribute 3.

    Raises:
        GarbledReply: It is no list of rights.
    """
    try:
        items = value if isinstance(value, list) else [None]
        return dict(_rights(item) for item in items)
    except (TypeError, ValueError, IndexError) as error:
        raise GarbledReply("the list of access rights cannot be read") from error


def _rights(item: object) -> tuple[int, Rights]:
    match item:
        case (int(base), list(attributes), list(methods), *_):
            readable = tuple((int(one[0]), access(one[1])) for one in attributes)
            return base & _TOP, (readable, tuple(int(one[0]) for one in methods if one[1]))
    raise TypeError("no structure")


def access(mode: object) -> int:
    """Return 1 read, 2 write; modes 4 to 6 are the same with authentication."""
    number = int(mode) if isinstance(mode, int) else 0
    return number - 3 if 4 <= number <= 6 else number & 3  # noqa: PLR2004 - access modes
