"""HDLC frames as a meter sees them: cut out of the characters on the line, checked, built.

    7E | format 2 | destination | source | control | HCS 2 | information | FCS 2 | 7E

Format: 1010, the segmentation bit, eleven bits of length (of all between the flags).  HCS and
information are there together or not at all.  An address is 1, 2 or 4 octets of seven bits each;
the lowest bit of the last octet is set.  Source: IEC 62056-46, 6.4; the check is that of
ISO/IEC 13239 (polynomial x16+x12+x5+1, least significant bit first, start FFFF, complemented).
"""

from dataclasses import dataclass

FLAG = 0x7E
TYPE_3 = 0xA000
SEGMENT = 0x0800
LENGTH = 0x07FF
POLL = 0x10
GAP_S = 0.5  # longest pause inside a frame; the standard's 25 ms is too short for TCP
_LEAST = 7  # format, two one-octet addresses, control, FCS
_MOST = 2 + LENGTH  # with both flags
_WIDTHS = (1, 2, 4)


def _table() -> tuple[int, ...]:
    table = []
    for octet in range(256):
        rest = octet
        for _ in range(8):
            rest = rest >> 1 ^ (0x8408 if rest & 1 else 0)
        table.append(rest)
    return tuple(table)


_TABLE = _table()


def check_sequence(data: bytes) -> bytes:
    """Return the two octets of the check over ``data``, the low one first."""
    rest = 0xFFFF
    for octet in data:
        rest = rest >> 8 ^ _TABLE[(rest ^ octet) & 0xFF]
    return (rest ^ 0xFFFF).to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class Address:
    """One HDLC address: ``upper`` alone, or with the ``lower`` (physical) part.

    ``width`` is its octets on the line; an answer uses the width that was asked with.
    """

    upper: int
    lower: int | None = None
    width: int = 1

    def octets(self) -> bytes:
        """Return it as on the line."""
        half = self.width // 2
        if self.lower is None or not half:
            parts = [self.upper]
        elif half == 1:
            parts = [self.upper, self.lower]
        else:
            parts = [self.upper >> 7, self.upper & 0x7F, self.lower >> 7, self.lower & 0x7F]
        raw = bytearray(part << 1 for part in parts)
        raw[-1] |= 1
        return bytes(raw)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose form and checks are right."""

    destination: Address
    source: Address
    control: int
    information: bytes = b""
    segmented: bool = False

    @property
    def poll(self) -> bool:
        """Whether the sender passes the turn to the other side."""
        return bool(self.control & POLL)

    def octets(self) -> bytes:
        """Return the frame with its flags and checks."""
        to, by = self.destination.octets(), self.source.octets()
        size = 2 + len(to) + len(by) + 1 + 2
        if self.information:
            size += 2 + len(self.information)
        form = TYPE_3 | (SEGMENT if self.segmented else 0) | size
        body = form.to_bytes(2, "big") + to + by + bytes([self.control])
        if self.information:
            body += check_sequence(body) + self.information
        return bytes([FLAG]) + body + check_sequence(body) + bytes([FLAG])


def _address(body: bytes, at: int) -> tuple[Address, int]:
    """Return the address at ``at`` and where it ends.

    Raises:
        ValueError: It has no allowed width.
    """
    for width in _WIDTHS:
        part = body[at : at + width]
        if len(part) == width and part[-1] & 1:
            if any(octet & 1 for octet in part[:-1]):
                break
            values = [octet >> 1 for octet in part]
            if width == 1:
                return Address(values[0]), at + 1
            if width == 2:  # noqa: PLR2004 (octets)
                return Address(values[0], values[1], 2), at + 2
            upper, lower = values[0] << 7 | values[1], values[2] << 7 | values[3]
            return Address(upper, lower, 4), at + 4
    raise ValueError("no address")


def parse(body: bytes) -> Frame | None:
    """Return the frame between two flags; None for anything that is not exactly one."""
    if len(body) < _LEAST or check_sequence(body[:-2]) != body[-2:]:
        return None
    form = int.from_bytes(body[:2], "big")
    if form & 0xF000 != TYPE_3 or form & LENGTH != len(body):
        return None
    try:
        destination, at = _address(body, 2)
        source, at = _address(body, at)
    except ValueError:
        return None
    rest = len(body) - at - 3  # beside control and FCS
    if rest == 0:
        return Frame(destination, source, body[at], segmented=bool(form & SEGMENT))
    if rest < 3 or check_sequence(body[: at + 1]) != body[at + 1 : at + 3]:  # noqa: PLR2004
        return None  # information comes with its header check and is at least one octet
    return Frame(destination, source, body[at], body[at + 3 : -2], bool(form & SEGMENT))


class FrameCutter:
    """Characters in any pieces in, right frames out; everything else is dropped unanswered."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._last = float("-inf")

    @property
    def inside(self) -> bool:
        """Whether a frame has begun."""
        return len(self._held) > 1

    def drop(self) -> None:
        """Forget what has begun."""
        self._held.clear()

    def feed(self, now: float, data: bytes) -> list[Frame]:
        """Return the frames that ``data``, heard until ``now``, completes."""
        if now - self._last > GAP_S:
            self._held.clear()
        self._last = now
        self._held += data
        found = []
        while (frame := self._cut()) is not None:
            found.append(frame)
        return found

    def _cut(self) -> Frame | None:
        """Take the next right frame off the front; the flag that ends it may begin another."""
        held = self._held
        while True:
            start = held.find(FLAG)
            del held[: start if start >= 0 else len(held)]
            while held[1:2] == bytes([FLAG]):
                del held[0]
            if len(held) < 3:  # noqa: PLR2004 (flag and format field)
                return None
            form = int.from_bytes(held[1:3], "big")
            size = form & LENGTH
            if form & 0xF000 == TYPE_3 and size >= _LEAST:
                if len(held) < size + 2:
                    return None
                frame = parse(bytes(held[1 : size + 1])) if held[size + 1] == FLAG else None
                if frame is not None:
                    del held[: size + 1]
                    return frame
            del held[0]
