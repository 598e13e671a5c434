"""HDLC frames of type 3: addresses, checks, and bytes cut into frames.  Pure.

    7E | A0+S+length | destination | source | control | HCS | information | FCS | 7E
         2             1, 2 or 4     1, 2 or 4  1         2                   2

The length counts everything between the flags.  A frame without information has no HCS.
Source: IEC 62056-46, clauses 6.4 and 6.5; the check is CRC-16/X-25.
"""

from binascii import crc_hqx
from dataclasses import dataclass

FLAG = 0x7E
_SHORTEST = 7  # format, two addresses, control, FCS
_SEGMENTED = 0x0800
_TYPE, _TYPE_3 = 0xF0, 0xA0  # mask and value of the first octet
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_PART = 7  # bits of an address in one octet
_ONE_OCTET = 1 << _PART
_TWO_OCTETS = 1 << 2 * _PART


def fcs16(data: bytes) -> bytes:
    """Return the two check octets over ``data``, low octet first.

    The library's CRC runs the other way round, so the bits go in and come out reversed.
    """
    check = crc_hqx(data.translate(_REVERSED), 0xFFFF) ^ 0xFFFF
    return bytes((_REVERSED[check >> 8], _REVERSED[check & 0xFF]))


def address_bytes(upper: int, lower: int = 0, size: int = 0) -> bytes:
    """Return an HDLC address: 7 bits an octet, the lowest bit marks the last one.

    ``upper`` is the client or the logical device, ``lower`` the physical device (0: none);
    ``size`` 0 takes the smallest form that fits.

    Raises:
        ValueError: The numbers do not fit the size.
    """
    if not size:
        size = _smallest(upper, lower)
    if size == 1:
        parts = [upper] if not lower else []
    elif size == 2:  # noqa: PLR2004 - octets
        parts = [upper, lower]
    else:
        parts = [upper >> _PART, upper % _ONE_OCTET, lower >> _PART, lower % _ONE_OCTET]
    if not parts or size not in {1, 2, 4} or not all(0 <= part < _ONE_OCTET for part in parts):
        raise ValueError(f"address {upper}/{lower} does not fit {size} octets")
    octets = bytearray(part << 1 for part in parts)
    octets[-1] |= 1
    return bytes(octets)


def _smallest(upper: int, lower: int) -> int:
    if max(upper, lower) >= _ONE_OCTET:
        return 4
    return 2 if lower else 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; ``control`` is the raw control octet."""

    destination: bytes
    source: bytes
    control: int
    information: bytes = b""
    segmented: bool = False

    @property
    def final(self) -> bool:
        """Whether the poll/final bit is set: the turn passes to the other side."""
        return bool(self.control & 0x10)

    def encode(self) -> bytes:
        """Return the frame with its checks and both flags."""
        header_check = 2 if self.information else 0
        length = (
            2 + len(self.destination) + len(self.source) + 1 + header_check
            + len(self.information) + 2
        )  # fmt: skip
        form = 0xA000 | (_SEGMENTED if self.segmented else 0) | length
        head = form.to_bytes(2, "big") + self.destination + self.source + bytes((self.control,))
        if self.information:
            head += fcs16(head) + self.information
        return b"\x7e" + head + fcs16(head) + b"\x7e"


class Deframer:
    """Bytes in any chunks in, good frames out; everything else is counted and dropped."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.discarded = 0  # damaged frames and runs of noise

    @property
    def inside(self) -> bool:
        """Whether a frame has begun and not ended."""
        return len(self._buffer) > 1

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that ``data`` completes."""
        self._buffer += data
        frames: list[Frame] = []
        at = 0
        while True:
            at, frame = self._next(at)
            if frame is None:
                break
            frames.append(frame)
        del self._buffer[:at]
        return frames

    def give_up(self) -> list[Frame]:
        """Drop the unfinished frame at the front; return what was hidden behind its start."""
        if not self.inside:
            return []
        self.discarded += 1
        rest = bytes(self._buffer[1:])
        self._buffer.clear()
        start = rest.find(FLAG)
        return self.feed(rest[start:]) if start >= 0 else []

    def _next(self, at: int) -> tuple[int, Frame | None]:
        """Return the next good frame from ``at`` on, and where to go on after it."""
        buffer = self._buffer
        while True:
            start = buffer.find(FLAG, at)
            if start < 0:
                self.discarded += len(buffer) > at
                return len(buffer), None
            self.discarded += start > at
            while buffer[start + 1 : start + 2] == b"\x7e":  # fill, or the flag before the frame
                start += 1
            if len(buffer) < start + 3:
                return start, None
            length = (buffer[start + 1] & 7) << 8 | buffer[start + 2]
            if buffer[start + 1] & _TYPE != _TYPE_3 or length < _SHORTEST:
                self.discarded += 1
                at = self._past(start)
                continue
            end = start + 1 + length
            if len(buffer) <= end:
                return self._hidden(start)
            frame = decode(bytes(buffer[start + 1 : end])) if buffer[end] == FLAG else None
            if frame is not None:
                return end, frame  # the closing flag may open the next frame
            self.discarded += 1
            at = self._past(start)

    def _hidden(self, start: int) -> tuple[int, Frame | None]:
        """Return a good frame behind what begins like one at ``start`` and has not ended.

        Noise may look like the start of a long frame; both checks of a frame inside make it real.
        """
        at = self._buffer.find(FLAG, start + 1)
        while 0 <= at < len(self._buffer) - _SHORTEST:
            length = (self._buffer[at + 1] & 7) << 8 | self._buffer[at + 2]
            end = at + 1 + length
            if self._buffer[at + 1] & _TYPE == _TYPE_3 and self._buffer[end : end + 1] == b"\x7e":
                frame = decode(bytes(self._buffer[at + 1 : end]))
                if frame is not None:
                    self.discarded += 1
                    return end, frame
            at = self._buffer.find(FLAG, at + 1)
        return start, None

    def _past(self, start: int) -> int:
        """Return the place of the next flag: what closed a bad frame may open a good one."""
        found = self._buffer.find(FLAG, start + 1)
        return len(self._buffer) if found < 0 else found


def decode(body: bytes) -> Frame | None:
    """Return the frame between two flags, or None when a check or the form is wrong."""
    if fcs16(body[:-2]) != body[-2:]:
        return None
    destination = _address_at(body, 2)
    source = _address_at(body, 2 + len(destination))
    at = 2 + len(destination) + len(source)
    if not destination or not source or at + 3 > len(body):
        return None
    control = body[at]
    information = b""
    if len(body) > at + 3:
        if len(body) < at + 5 or fcs16(body[: at + 1]) != body[at + 1 : at + 3]:
            return None
        information = body[at + 3 : -2]
    return Frame(destination, source, control, information, bool(body[0] & _SEGMENTED >> 8))


def _address_at(body: bytes, at: int) -> bytes:
    for size in (1, 2, 4):
        if at + size <= len(body) and body[at + size - 1] & 1:
            part = body[at : at + size]
            return part if not any(octet & 1 for octet in part[:-1]) else b""
    return b""
