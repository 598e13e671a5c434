"""Values of COSEM attributes: A-XDR bytes to plain Python values and back.  Pure.

null-data is None, integers and enumerations are int, floats are Decimal, octet strings bytes,
visible strings str, bit strings `Bits`, arrays list, structures tuple, times `CosemTime` only where
the tag says so: most meters send them as octet strings.
Source: IEC 62056-53, clause 8; IEC 61334-6.
"""

import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from drivers.errors import GarbledReply

DEEPEST = 16  # nesting; COSEM objects need about five
LONGEST = 1 << 20  # octets of one string, entries of one array
NOT_SPECIFIED = 0x8000
_TIME = 12


class Incomplete(Exception):
    """The bytes end in the middle of a value."""


@dataclass(frozen=True, slots=True)
class Bits:
    """A bit string, first bit first, as text of 0 and 1."""

    text: str


class Delta(int):
    """A difference to the value of the same column in the row before."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class CosemTime:
    """The twelve octets of a date-time; fields that the meter left open are None."""

    raw: bytes

    @property
    def day(self) -> date | None:
        """The date, or None when it is open or impossible."""
        year = int.from_bytes(self.raw[0:2], "big")
        try:
            return date(year, self.raw[2], self.raw[3])
        except ValueError:
            return None

    @property
    def deviation(self) -> int | None:
        """Minutes between UTC and the local time, in the meter's own sign; None when open."""
        value: int = struct.unpack(">h", self.raw[9:11])[0]
        return None if value & 0xFFFF == NOT_SPECIFIED else value

    @property
    def status(self) -> int | None:
        """The clock status octet; None when not specified."""
        return None if self.raw[11] == 0xFF else self.raw[11]  # noqa: PLR2004 - an octet

    @property
    def summer(self) -> bool:
        """Whether the status says that daylight saving is in force."""
        return bool((self.status or 0) & 0x80)

    def local(self) -> datetime | None:
        """Return the time of the meter's own zone without a zone, or None when it is open."""
        day = self.day
        hour, minute, second, hundredths = self.raw[5:9]
        if day is None or hour > 23 or minute > 59:  # noqa: PLR2004 - a clock
            return None
        second = second if second <= 59 else 0  # noqa: PLR2004 - a clock; 255 is open
        micro = hundredths * 10_000 if hundredths <= 99 else 0  # noqa: PLR2004 - hundredths
        return datetime(  # noqa: DTZ001 - the zone is the meter's, see `utc`
            day.year, day.month, day.day, hour, minute, second, micro
        )

    def utc(self, sign: int = 1) -> datetime | None:
        """Return the time in UTC, or None when the time or the deviation is open."""
        local, deviation = self.local(), self.deviation
        if local is None or deviation is None:
            return None
        return (local + timedelta(minutes=deviation * sign)).replace(tzinfo=UTC)


def as_time(value: object) -> CosemTime | None:
    """Return the time in a value that holds one, as an octet string or tagged; else None."""
    if isinstance(value, CosemTime):
        return value
    if isinstance(value, bytes) and len(value) == _TIME:
        return CosemTime(value)
    return None


def length_at(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Return a length in any of its forms, and where the bytes after it begin.

    Raises:
        Incomplete: The bytes end inside the length.
        GarbledReply: It is longer than any real value.
    """
    if at >= len(data):
        raise Incomplete
    first = data[at]
    if first < 0x80:  # noqa: PLR2004 - the short form
        return first, at + 1
    size = first & 0x7F
    if not 1 <= size <= 4:  # noqa: PLR2004 - octets
        raise GarbledReply(f"impossible length octet {first:02X}")
    if at + 1 + size > len(data):
        raise Incomplete
    length = int.from_bytes(data[at + 1 : at + 1 + size], "big")
    if length > LONGEST:
        raise GarbledReply(f"impossible length {length}")
    return length, at + 1 + size


_NUMBERS = {  # tag -> struct format
    5: ">i", 6: ">I", 13: ">b", 15: ">b", 16: ">h", 17: ">B", 18: ">H", 20: ">q", 21: ">Q",
    22: ">B", 28: ">b", 29: ">h", 30: ">i", 31: ">B", 32: ">H", 33: ">I",
}  # fmt: skip
_FLOATS = {7: ">f", 23: ">f", 24: ">d"}
_DELTAS = range(28, 34)
_COMPACT = 19
Described = int | tuple["Described", ...] | list["Described"]  # a type, a structure, an array of n
_FIXED_STRINGS = {25: 12, 26: 5, 27: 4}  # date-time, date, time


def value_at(data: bytes | bytearray, at: int, depth: int = 0) -> tuple[object, int]:
    """Return the tagged value at ``at`` and where the next one begins.

    Raises:
        Incomplete: The bytes end inside it.
        GarbledReply: It is no A-XDR value.
    """
    if at >= len(data):
        raise Incomplete
    return bare_value_at(data, at + 1, data[at], depth)


def bare_value_at(data: bytes | bytearray, at: int, tag: int, depth: int = 0) -> tuple[object, int]:
    """Return the value of type ``tag`` whose contents begin at ``at``, and where it ends."""
    if tag == 0:
        return None, at
    if tag in {1, 2, _COMPACT}:
        return _LISTS[tag](data, at, tag, depth)
    if tag in _NUMBERS or tag in _FLOATS:
        return _number_at(data, at, tag)
    if tag in {3, *_FIXED_STRINGS}:
        raw = _octets(data, at, _FIXED_STRINGS.get(tag, 1))
        end = at + len(raw)
        if tag == 3:  # noqa: PLR2004 - boolean
            return raw != b"\x00", end
        return (CosemTime(raw) if len(raw) == _TIME else raw), end
    if tag in {4, 9, 10, 12}:
        length, at = length_at(data, at)
        raw = _octets(data, at, (length + 7) // 8 if tag == 4 else length)  # noqa: PLR2004
        return _string(raw, tag, length), at + len(raw)
    raise GarbledReply(f"unknown type {tag} in the meter's data")


def _list_at(
    data: bytes | bytearray, at: int, tag: int, depth: int
) -> tuple[list[object] | tuple[object, ...], int]:
    if depth >= DEEPEST:
        raise GarbledReply("the meter's data is nested too deep")
    count, at = length_at(data, at)
    items = []
    for _ in range(count):
        item, at = value_at(data, at, depth + 1)
        items.append(item)
        if len(items) > len(data):  # null-data takes an octet each: more than that is a lie
            raise GarbledReply(f"a list announces {count} items")
    return (items if tag == 1 else tuple(items)), at


def _compact_at(data: bytes | bytearray, at: int, tag: int, depth: int) -> tuple[list[object], int]:
    """Return the entries of a compact array: one description of their type, then bare values."""
    del tag
    kind, at = _description_at(data, at, depth)
    length, at = length_at(data, at)
    raw = _octets(data, at, length)
    items: list[object] = []
    place = 0
    try:
        while place < length:
            before = place
            item, place = _described_at(raw, place, kind)
            if place == before:
                raise GarbledReply("the entries of a compact array hold nothing")
            items.append(item)
    except Incomplete as error:
        raise GarbledReply("a compact array ends in the middle of an entry") from error
    return items, at + length


def _description_at(data: bytes | bytearray, at: int, depth: int) -> tuple[Described, int]:
    if depth >= DEEPEST:
        raise GarbledReply("the meter's data is nested too deep")
    tag = _octets(data, at, 1)[0]
    at += 1
    if tag == 1:
        count = int.from_bytes(_octets(data, at, 2), "big")
        kind, at = _description_at(data, at + 2, depth + 1)
        if not count or not _least(kind):
            raise GarbledReply("the entries of a compact array hold nothing")
        return [kind] * count, at
    if tag != 2:  # noqa: PLR2004 - structure
        return tag, at
    count, at = length_at(data, at)
    kinds = []
    for _ in range(count):
        kind, at = _description_at(data, at, depth + 1)
        kinds.append(kind)
    return tuple(kinds), at


def _least(kind: Described) -> int:
    """Return how many octets an entry has at least."""
    if isinstance(kind, int):
        return int(kind != 0)
    if isinstance(kind, list):
        return len(kind) * _least(kind[0])
    return sum(map(_least, kind))


def _described_at(data: bytes, at: int, kind: Described) -> tuple[object, int]:
    if isinstance(kind, int):
        if kind in {1, 2, _COMPACT}:
            raise GarbledReply(f"type {kind} in a compact array has no description")
        return bare_value_at(data, at, kind)
    items = []
    for part in kind:
        item, at = _described_at(data, at, part)
        items.append(item)
    return (items if isinstance(kind, list) else tuple(items)), at


_LISTS = {1: _list_at, 2: _list_at, _COMPACT: _compact_at}


def _number_at(data: bytes | bytearray, at: int, tag: int) -> tuple[int | Decimal, int]:
    form = _NUMBERS.get(tag) or _FLOATS[tag]
    raw = _octets(data, at, struct.calcsize(form))
    end = at + len(raw)
    (number,) = struct.unpack(form, raw)
    if tag in _FLOATS:
        return _decimal(number, single=form == ">f"), end
    return (Delta(number) if tag in _DELTAS else number), end


def _decimal(number: float, *, single: bool) -> Decimal:
    """Return the shortest decimal that is this float; a 32-bit one has 6 to 9 digits."""
    if single and number == number and abs(number) != float("inf"):  # noqa: PLR0124 - not NaN
        for digits in range(6, 10):
            text = f"{number:.{digits}g}"
            if struct.pack(">f", float(text)) == struct.pack(">f", number):
                return Decimal(text)
    return Decimal(repr(number))


def _string(raw: bytes, tag: int, bits: int) -> object:
    if tag == 4:  # noqa: PLR2004 - bit string
        return Bits("".join(f"{octet:08b}" for octet in raw)[:bits])
    if tag == 9:  # noqa: PLR2004 - octet string
        return raw
    return raw.decode("utf-8" if tag == 12 else "latin-1", "replace")  # noqa: PLR2004


def _octets(data: bytes | bytearray, at: int, length: int) -> bytes:
    if at + length > len(data):
        raise Incomplete
    return bytes(data[at : at + length])


def decode(data: bytes) -> object:
    """Return the one value that ``data`` is.

    Raises:
        GarbledReply: It is cut short, followed by more, or no value at all.
    """
    try:
        value, end = value_at(data, 0)
    except Incomplete as error:
        raise GarbledReply("the meter's value is cut short") from error
    if end != len(data):
        raise GarbledReply(f"{len(data) - end} octets follow the meter's value")
    return value


# --- what is sent ----------------------------------------------------------------------------


def unsigned16(value: int) -> bytes:
    """Return a long-unsigned."""
    return b"\x12" + value.to_bytes(2, "big")


def unsigned32(value: int) -> bytes:
    """Return a double-long-unsigned."""
    return b"\x06" + value.to_bytes(4, "big")


def signed8(value: int) -> bytes:
    """Return an integer."""
    return b"\x0f" + value.to_bytes(1, "big", signed=True)


def octets(value: bytes) -> bytes:
    """Return an octet string of fewer than 128 octets."""
    return b"\x09" + bytes((len(value),)) + value


def structure(*items: bytes) -> bytes:
    """Return a structure of encoded items."""
    return b"\x02" + bytes((len(items),)) + b"".join(items)


def array(*items: bytes) -> bytes:
    """Return an array of encoded items."""
    return b"\x01" + bytes((len(items),)) + b"".join(items)


def time_octets(
    local: datetime, deviation: int | None, *, summer: bool = False, seconds: bool = True
) -> bytes:
    """Return the twelve octets of a date-time; ``deviation`` None leaves it and the status open."""
    status = 0xFF if deviation is None else 0x80 if summer else 0
    minutes = NOT_SPECIFIED if deviation is None else deviation & 0xFFFF
    return struct.pack(
        ">HBBBBBBBHB",
        local.year, local.month, local.day, 0xFF,
        local.hour, local.minute, local.second if seconds else 0xFF, 0,
        minutes, status,
    )  # fmt: skip


def as_text(value: object) -> str:
    """Return a value in words or hex, for people: what `read object` shows."""
    if value is None:
        return "no value"
    if isinstance(value, bytes | CosemTime):
        return _octets_text(value)
    if isinstance(value, Bits):
        return value.text
    if isinstance(value, list | tuple):
        inner = ", ".join(as_text(item) for item in value)
        return f"[{inner}]" if isinstance(value, list) else f"({inner})"
    return str(value)


def _octets_text(value: bytes | CosemTime) -> str:
    moment = as_time(value)
    local = moment.local() if moment else None
    if local is not None:
        return local.isoformat(" ")
    raw = value.raw if isinstance(value, CosemTime) else value
    return printable(raw) or raw.hex(" ").upper()


def printable(raw: bytes) -> str:
    """Return the octets as ASCII text without padding, or "" when they are no text."""
    text = raw.strip(b"\x00 ")
    return text.decode("ascii") if all(0x20 <= octet < 0x7F for octet in text) else ""  # noqa: PLR2004
