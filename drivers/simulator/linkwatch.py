"""Watches the frames that go through an optical port for the DISC that ends their link.

Frames are told apart by the length they announce: a ciphered one has flags in its middle, and what
follows such a flag may look like a DISC.
"""

_FLAG, _POLL = 0x7E, 0x10
_SNRM, _DISC = 0x83, 0x43  # control octets without the poll bit
_FORMAT = 0xA  # upper half of a frame's first octet
_KEPT = 16  # octets of a frame: format, addresses and control stand in them


class LinkWatch:
    """Hears frames; ``leaving`` once a DISC has ended an open link."""

    def __init__(self) -> None:
        self.leaving = False
        self._linked = False
        self._frame = bytearray()
        self._octets = 0  # of this frame, those too many to keep among them

    def begin(self) -> None:
        """Wait for a new link."""
        self.leaving = self._linked = False
        self._frame.clear()
        self._octets = 0

    def hear(self, data: bytes) -> None:
        """Note a DISC that ends an open link, however its octets arrive."""
        for octet in data:
            if octet != _FLAG or self._octets < _announced(self._frame):
                self._octets += 1
                if len(self._frame) < _KEPT:
                    self._frame.append(octet)
                continue
            control = _control(self._frame) & ~_POLL
            self._linked = self._linked or control == _SNRM
            self.leaving = self.leaving or (self._linked and control == _DISC)
            self._frame.clear()
            self._octets = 0


def _announced(frame: bytearray) -> int:
    """Return how many octets a frame says it has; 0 for what is no frame."""
    if len(frame) < 2 or frame[0] >> 4 != _FORMAT:  # noqa: PLR2004 (the format field)
        return 0
    return (frame[0] & 7) << 8 | frame[1]


def _control(frame: bytearray) -> int:
    """Return the control octet of ``frame`` (without its flags); 0 when it is cut short.

    It follows two octets of format and two addresses, each of which ends with the octet whose
    lowest bit is set.
    """
    place = 2
    for _ in range(2):
        while place < len(frame) and not frame[place] & 1:
            place += 1
        place += 1
    return frame[place] if place < len(frame) else 0
