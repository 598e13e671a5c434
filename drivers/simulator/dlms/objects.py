"""The object model of a virtual meter as plain data: attributes are octets or functions of time.

Source: COSEM interface classes, IEC 62056-6-2.  Results are those of the GET, SET and ACTION
services, IEC 62056-5-3.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from drivers.simulator.dlms import axdr
from drivers.simulator.dlms.axdr import Value

SUCCESS, HARDWARE_FAULT, TEMPORARY_FAILURE, DENIED, UNDEFINED = 0, 1, 2, 3, 4
WRONG_CLASS, UNAVAILABLE, TYPE_UNMATCHED, OUT_OF_SCOPE = 9, 11, 12, 13
NO_LONG_GET, LONG_GET_ABORTED, WRONG_BLOCK, OTHER_REASON = 16, 15, 19, 250
NO_LONG_SET = 18

WH, VARH, WATT, VOLT, AMPERE, HERTZ, DEGREE, NO_UNIT, DBM = 30, 32, 27, 35, 33, 44, 8, 255, 70


class Refused(Exception):
    """A service is answered with this result instead of data."""

    def __init__(self, result: int) -> None:
        super().__init__(f"result {result}")
        self.result = result


class Access(IntEnum):
    """What an association may do."""

    PUBLIC = 0  # see who the meter is, and its clock
    READ = 1
    MANAGE = 2  # read, write and act


Content = bytes | Iterator[bytes]
Reader = Callable[[float], Content]
Writer = Callable[[float, Value], None]
Selector = Callable[[float, int, Value], Content]
Action = Callable[[float, Value | None], bytes]


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute; ``write`` and ``select`` (selective access) where the meter allows them."""

    read: bytes | Reader
    write: Writer | None = None
    select: Selector | None = None
    level: Access = Access.READ


@dataclass(frozen=True, slots=True)
class CosemObject:
    """One object.  ``level`` is what an association needs to see it at all."""

    class_id: int
    code: str  # 1-0:1.8.0.255
    attributes: Mapping[int, Attribute]
    methods: Mapping[int, Action] = field(default_factory=dict)
    version: int = 0
    level: Access = Access.READ

    @property
    def name(self) -> bytes:
        """Return the logical name, six octets."""
        return logical_name(self.code)


class ObjectModel:
    """All objects of one logical device, found by logical name."""

    def __init__(self, objects: Iterable[CosemObject] = ()) -> None:
        self._objects: dict[bytes, CosemObject] = {}
        for item in objects:
            self.add(item)

    def add(self, item: CosemObject) -> None:
        """Take in one object; a second with the same name replaces it."""
        self._objects[item.name] = item

    def __iter__(self) -> Iterator[CosemObject]:
        return iter(self._objects.values())

    def find(self, class_id: int, name: bytes, access: Access) -> CosemObject:
        """Return an object that an association with ``access`` sees.

        Raises:
            Refused: There is none, or it is of another class.
        """
        item = self._objects.get(name)
        if item is None or item.level > access:
            raise Refused(UNDEFINED)
        if item.class_id != class_id:
            raise Refused(WRONG_CLASS)
        return item

    def read(self, now: float, item: CosemObject, index: int, access: Access) -> Content:
        """Return the whole value of an attribute.

        Raises:
            Refused: It may not be read, or does not exist.
        """
        if index == 1:
            return axdr.octets(item.name)
        attribute = attribute_of(item, index)
        if attribute.level > access and item.level > Access.PUBLIC:
            raise Refused(DENIED)
        return attribute.read if isinstance(attribute.read, bytes) else attribute.read(now)


def attribute_of(item: CosemObject, index: int) -> Attribute:
    """Return an attribute other than the logical name.

    Raises:
        Refused: The object has none with this number.
    """
    attribute = item.attributes.get(index)
    if attribute is None:
        raise Refused(UNDEFINED)
    return attribute


def logical_name(code: str) -> bytes:
    """Return the six octets of ``A-B:C.D.E.F``."""
    return bytes(int(part) for part in code.replace("-", ".").replace(":", ".").split("."))


def data(code: str, value: bytes | Reader, level: Access = Access.READ) -> CosemObject:
    """Return an object of class 1, Data."""
    return CosemObject(1, code, {2: Attribute(value)}, level=level)


def register(code: str, scaler: int, unit: int, value: bytes | Reader) -> CosemObject:
    """Return an object of class 3, Register; the scaler is a power of ten."""
    form = axdr.structure(axdr.integer(axdr.I8, scaler), axdr.integer(axdr.ENUM, unit))
    return CosemObject(3, code, {2: Attribute(value), 3: Attribute(form)})


def object_list(objects: Iterable[CosemObject], access: Access) -> Iterator[bytes]:
    """Yield the object list of an association, encoded, in pieces."""
    seen = [item for item in objects if item.level <= access]
    yield bytes([axdr.ARRAY]) + axdr.length(len(seen))
    for item in seen:
        attributes, methods = access_rights(item, access)
        yield axdr.structure(
            axdr.integer(axdr.U16, item.class_id),
            axdr.integer(axdr.U8, item.version),
            axdr.octets(item.name),
            axdr.structure(attributes, methods),
        )


def access_rights(
    item: CosemObject, access: Access, methods: int = axdr.BOOLEAN
) -> tuple[bytes, bytes]:
    """Return what may be done to attributes and to methods, encoded.

    The right to a method is a boolean with logical names, an enumeration with short ones.
    """
    attributes = [
        axdr.structure(
            axdr.integer(axdr.I8, index),
            axdr.integer(axdr.ENUM, _mode(item, index, access)),
            _selectors(item, index),
        )
        for index in (1, *sorted(item.attributes))
    ]
    allowed = access >= Access.MANAGE
    right = axdr.boolean(allowed) if methods == axdr.BOOLEAN else axdr.integer(axdr.ENUM, allowed)
    listed = [axdr.structure(axdr.integer(axdr.I8, index), right) for index in sorted(item.methods)]
    return axdr.array(attributes), axdr.array(listed)


def _mode(item: CosemObject, index: int, access: Access) -> int:
    """Return 0 no access, 1 read, 3 read and write."""
    if index == 1:
        return 1
    attribute = item.attributes[index]
    if attribute.level > access and item.level > Access.PUBLIC:
        return 0
    return 3 if attribute.write is not None and access >= Access.MANAGE else 1


def _selectors(item: CosemObject, index: int) -> bytes:
    if index == 1 or item.attributes[index].select is None:
        return axdr.null()
    return axdr.array([axdr.integer(axdr.I8, 1), axdr.integer(axdr.I8, 2)])
