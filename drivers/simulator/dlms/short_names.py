"""Short names of a virtual meter's objects: a base name each, attributes and methods behind it.

Attribute n is at the base name + 8 * (n - 1); where the methods of a class begin, the Blue Book
says.  Some base names are reserved.  Source: IEC 62056-6-2, annex with the short name mapping.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from drivers.simulator.dlms.objects import UNDEFINED, Access, CosemObject, Refused, logical_name

ASSOCIATION, SAP, DEVICE_NAME, MODULE = 0xFA00, 0xFC00, 0xFD00, 0xFF00
_STEP = 8
_FIRST = 0x0100
_RESERVED_FROM = 0xFA00
# class: offset of its first method; the others follow in steps of eight
METHODS = {
    3: 0x28, 4: 0x38, 5: 0x48, 6: 0x30, 7: 0x58, 8: 0x60, 9: 0x20, 10: 0x20, 11: 0x10,
    12: 0x20, 15: 0x60, 17: 0x20, 18: 0x40, 20: 0x50, 40: 0x38, 64: 0x30, 70: 0x20, 72: 0x70,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """What a short name stands for: an attribute or a method of an object."""

    item: CosemObject
    index: int
    method: bool


class ShortNames:
    """The base names of all objects.

    Args:
        objects: The objects, in the order in which they get their names.
        reserved: Base names that are given, by logical name.
    """

    def __init__(self, objects: Iterable[CosemObject], reserved: Mapping[str, int]) -> None:
        self._given = {logical_name(code): base for code, base in reserved.items()}
        self._bases: dict[bytes, int] = {}
        self._objects: dict[int, CosemObject] = {}
        self._free = _FIRST
        for item in objects:
            self.add(item)
        self._sorted = sorted(self._objects)

    def add(self, item: CosemObject) -> None:
        """Give one more object its name.

        Raises:
            ValueError: There are no more names below the reserved ones.
        """
        base = self._given.get(item.name)
        if base is None:
            base = self._free
            self._free += _size(item)
            if self._free > _RESERVED_FROM:
                raise ValueError("more objects than short names")
        self._bases[item.name] = base
        self._objects[base] = item
        self._sorted = sorted(self._objects)

    def base(self, item: CosemObject) -> int:
        """Return the base name of an object."""
        return self._bases[item.name]

    def find(self, name: int, access: Access) -> Place:
        """Return what ``name`` stands for.

        Raises:
            Refused: Nothing that an association with ``access`` sees.
        """
        place = bisect_right(self._sorted, name)
        if not place:
            raise Refused(UNDEFINED)
        base = self._sorted[place - 1]
        item, offset = self._objects[base], name - base
        if item.level > access or offset % _STEP:
            raise Refused(UNDEFINED)
        index = offset // _STEP + 1
        if index == 1 or index in item.attributes:
            return Place(item, index, method=False)
        index = (offset - METHODS.get(item.class_id, name)) // _STEP + 1
        if index not in item.methods:
            raise Refused(UNDEFINED)
        return Place(item, index, method=True)


def _size(item: CosemObject) -> int:
    """Return how many short names an object takes."""
    size = max(item.attributes, default=1) * _STEP
    if item.methods:
        size = max(size, METHODS[item.class_id] + max(item.methods) * _STEP)
    return size
