"""The transport of SML: a file between two escape sequences, proved by a CRC.

::

    1B1B1B1B 01010101  data  1B1B1B1B 1A pp cc cc

``pp`` counts the zero octets that fill the data up to a multiple of four, ``cc cc`` is the CRC over
everything before it, low octet first.  1B1B1B1B among the data is sent twice.  The CRC is
CRC-16/X.25; some meters compute CRC-16/KERMIT.  Sans-IO: no clock, no link.
"""

from dataclasses import dataclass

ESCAPE = b"\x1b\x1b\x1b\x1b"
START = ESCAPE + b"\x01\x01\x01\x01"
LONGEST = 65_536  # octets of a file; real ones have some hundred
_END = 0x1A
_WORD = 4
_MOST_FILL = 3


def _table() -> tuple[int, ...]:
    found = []
    for octet in range(256):
        crc = octet
        for _ in range(8):
            crc = crc >> 1 ^ 0x8408 if crc & 1 else crc >> 1
        found.append(crc)
    return tuple(found)


_TABLE = _table()


def _crc(data: bytes, crc: int) -> int:
    for octet in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ octet) & 0xFF]
    return crc


def crc_x25(data: bytes) -> int:
    """Return the CRC-16/X.25 of ``data``."""
    return _crc(data, 0xFFFF) ^ 0xFFFF


def crc_kermit(data: bytes) -> int:
    """Return the CRC-16/KERMIT of ``data``."""
    return _crc(data, 0)


def rule_of(data: bytes, check: bytes) -> str:
    """Return which CRC proves ``data``: "x25", "kermit", or "" for none."""
    wanted = int.from_bytes(check, "little")
    if crc_x25(data) == wanted:
        return "x25"
    return "kermit" if crc_kermit(data) == wanted else ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One SML file; ``rule`` is what proved it ("x25", "kermit") or "bad"."""

    data: bytes
    rule: str


class FrameReader:
    """Takes octets in whatever pieces they arrive and returns the files among them.

    ``discarded`` counts the octets that belong to none.
    """

    def __init__(self) -> None:
        self.discarded = 0
        self._buffer = bytearray()
        self._place = 0  # where the search for the end goes on; 0: no start found yet

    def feed(self, data: bytes) -> list[Frame]:
        """Take ``data`` and return the files it completes."""
        self._buffer += data
        found = []
        while (frame := self._next()) is not None:
            if frame.rule:
                found.append(frame)
        return found

    def _next(self) -> Frame | None:
        """Return the next file; one without a rule is no file, only progress."""
        if not self._place and not self._started():
            return None
        while (at := self._buffer.find(ESCAPE, self._place)) >= 0:
            word = bytes(self._buffer[at + _WORD : at + 2 * _WORD])
            if len(word) < _WORD:
                self._place = at
                return None
            if word == ESCAPE:
                self._place = at + 2 * _WORD
            elif word[0] == _END:
                return self._ended(at, word)
            elif word[0] == ESCAPE[0]:  # the data before the escape end with its octets
                self._place = at + 1
            else:  # a new start: what came before it was cut off
                self._drop(at if word == START[_WORD:] else at + _WORD)
                return Frame(b"", "")
        if len(self._buffer) > LONGEST:
            self._drop(len(self._buffer))
            return Frame(b"", "")
        self._place = max(self._place, len(self._buffer) - _MOST_FILL)
        return None

    def _started(self) -> bool:
        start = self._buffer.find(START)
        if start < 0:
            self._drop(max(0, len(self._buffer) - len(START) + 1))
            return False
        self._drop(start)
        self._place = len(START)
        return True

    def _ended(self, at: int, word: bytes) -> Frame:
        covered = bytes(self._buffer[: at + _WORD + 2])
        rule = rule_of(covered, word[2:])
        fill = word[1] if word[1] <= _MOST_FILL else 0
        data = bytes(self._buffer[len(START) : at - fill if fill else at])
        del self._buffer[: at + 2 * _WORD]
        self._place = 0
        return Frame(_unescaped(data), rule or "bad")

    def _drop(self, count: int) -> None:
        self.discarded += count
        del self._buffer[:count]
        self._place = 0


def _unescaped(data: bytes) -> bytes:
    return data.replace(ESCAPE + ESCAPE, ESCAPE)
