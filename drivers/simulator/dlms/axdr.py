"""COSEM data as octets (A-XDR, IEC 62056-5-3 annex and IEC 61334-6): written and taken apart.

The object model keeps its values encoded, so writing is a handful of functions that return octets.
Taking apart is strict: a count or length that exceeds what is there, an unknown type, too deep a
nesting are `BadData`.
"""

from collections.abc import Iterable
from typing import NamedTuple

NULL, ARRAY, STRUCTURE, BOOLEAN, BITS = 0, 1, 2, 3, 4
I32, U32, OCTETS, VISIBLE, UTF8 = 5, 6, 9, 10, 12
I8, I16, U8, U16, I64, U64, ENUM = 15, 16, 17, 18, 20, 21, 22
DATE_TIME, DATE, TIME = 25, 26, 27
_INTEGERS = {  # type -> octets, signed
    I32: (4, True), U32: (4, False), I8: (1, True), I16: (2, True), U8: (1, False),
    U16: (2, False), I64: (8, True), U64: (8, False), ENUM: (1, False),
}  # fmt: skip
_FIXED = {DATE_TIME: 12, DATE: 5, TIME: 4, 23: 4, 24: 8}
_SHORT = 0x80  # lengths below stand in one octet
_LONGEST = 4  # octets of a length
_DEEPEST = 16


class BadData(ValueError):
    """What was received is no well-formed data."""


class Value(NamedTuple):
    """One received value: its type and, for arrays and structures, the values in it."""

    tag: int
    value: object

    def members(self, count: int = -1) -> tuple["Value", ...]:
        """Return the values of an array or structure (of ``count``, where given).

        Raises:
            BadData: It is none, or has another count.
        """
        if self.tag not in {ARRAY, STRUCTURE} or not isinstance(self.value, tuple):
            raise BadData("not a structure")
        if count >= 0 and len(self.value) != count:
            raise BadData(f"{len(self.value)} elements instead of {count}")
        return self.value

    def number(self, *tags: int) -> int:
        """Return an integer of one of the types ``tags`` (any integer type, where none is named).

        Raises:
            BadData: It is no such integer.
        """
        if self.tag not in (tags or _INTEGERS) or not isinstance(self.value, int):
            raise BadData("not the integer type")
        return self.value

    def octets(self, *tags: int) -> bytes:
        """Return the octets of an octet string (or of one of the types ``tags``).

        Raises:
            BadData: It is none.
        """
        if self.tag not in (tags or (OCTETS,)) or not isinstance(self.value, bytes):
            raise BadData("not an octet string")
        return self.value


# -- writing ---------------------------------------------------------------------------------------


def length(count: int) -> bytes:
    """Return a length or count in its shortest form."""
    if count < _SHORT:
        return bytes([count])
    size = (count.bit_length() + 7) // 8
    return bytes([_SHORT | size]) + count.to_bytes(size, "big")


def integer(tag: int, number: int) -> bytes:
    """Return an integer of the type ``tag``."""
    size, signed = _INTEGERS[tag]
    return bytes([tag]) + number.to_bytes(size, "big", signed=signed)


def null() -> bytes:
    """Return null-data."""
    return b"\x00"


def boolean(value: bool) -> bytes:
    """Return a boolean."""
    return b"\x03\xff" if value else b"\x03\x00"


def octets(data: bytes) -> bytes:
    """Return an octet string."""
    return bytes([OCTETS]) + length(len(data)) + data


def text(characters: str) -> bytes:
    """Return characters as an octet string, as meters send their identifications."""
    return octets(characters.encode("ascii"))


def bits(count: int, number: int) -> bytes:
    """Return ``number`` as a bit string of ``count`` bits, its highest bit first."""
    size = (count + 7) // 8
    return bytes([BITS]) + length(count) + (number << (size * 8 - count)).to_bytes(size, "big")


def array(items: Iterable[bytes]) -> bytes:
    """Return an array of encoded items."""
    listed = list(items)
    return bytes([ARRAY]) + length(len(listed)) + b"".join(listed)


def structure(*items: bytes) -> bytes:
    """Return a structure of encoded items."""
    return bytes([STRUCTURE]) + length(len(items)) + b"".join(items)


# -- taking apart ----------------------------------------------------------------------------------


class Taker:
    """Takes values off the front of received octets.

    Every method raises `BadData` when what it wants is not there.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        """How many octets are left."""
        return len(self._data) - self._at

    def octets(self, count: int) -> bytes:
        """Return the next ``count`` octets."""
        if count > self.left:
            raise BadData(f"{count} octets wanted, {self.left} there")
        self._at += count
        return self._data[self._at - count : self._at]

    def octet(self) -> int:
        """Return the next octet."""
        return self.octets(1)[0]

    def peek(self) -> int:
        """Return the next octet and leave it there."""
        octet = self.octet()
        self._at -= 1
        return octet

    def number(self, size: int) -> int:
        """Return the next ``size`` octets as an unsigned number."""
        return int.from_bytes(self.octets(size), "big")

    def length(self) -> int:
        """Return the next length or count."""
        first = self.octet()
        if first < _SHORT:
            return first
        size = first & 0x7F
        if not 1 <= size <= _LONGEST:
            raise BadData("a length in no known form")
        return self.number(size)

    def flag(self) -> bool:
        """Return whether an optional part follows."""
        octet = self.octet()
        if octet > 1:
            raise BadData(f"{octet:02X} in place of 00 or 01")
        return bool(octet)

    def end(self) -> None:
        """Make sure that nothing is left."""
        if self.left:
            raise BadData(f"{self.left} octets too many")

    def value(self, depth: int = 0) -> Value:
        """Return the next value with everything in it."""
        tag = self.octet()
        if tag in _INTEGERS:
            size, signed = _INTEGERS[tag]
            return Value(tag, int.from_bytes(self.octets(size), "big", signed=signed))
        if tag in {OCTETS, VISIBLE, UTF8}:
            return Value(tag, self.octets(self.length()))
        if tag in {ARRAY, STRUCTURE}:
            return Value(tag, self._members(depth + 1))
        if tag in _FIXED:
            return Value(tag, self.octets(_FIXED[tag]))
        return Value(tag, self._simple(tag))

    def _simple(self, tag: int) -> object:
        if tag == BOOLEAN:
            return self.octet() != 0
        if tag == BITS:
            return self.octets((self.length() + 7) // 8)
        if tag == NULL:
            return None
        raise BadData(f"type {tag}")

    def _members(self, depth: int) -> tuple[Value, ...]:
        count = self.length()
        if depth > _DEEPEST or count > self.left:  # every value takes at least one octet
            raise BadData("more values announced than can follow")
        return tuple(self.value(depth) for _ in range(count))


def value_of(data: bytes) -> Value:
    """Return the one value that ``data`` is.

    Raises:
        BadData: It is not exactly one.
    """
    taker = Taker(data)
    value = taker.value()
    taker.end()
    return value
