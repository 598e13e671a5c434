"""The TCP wrapper of DLMS: eight octets of header before each APDU.  Bytes in, APDUs out, no I/O.

    version (2, always 1) | source port (2) | destination port (2) | length (2) | APDU

Source: IEC 62056-47, clause 6.3.
"""

from drivers.values import Statistics

_HEADER = 8
_VERSION = b"\x00\x01"


class Wrapper:
    """The framing of one client and one logical device; both ports of every APDU are checked."""

    def __init__(self, client: int, server: int, statistics: Statistics) -> None:
        self._client = client.to_bytes(2, "big")
        self._server = server.to_bytes(2, "big")
        self._statistics = statistics
        self._buffer = bytearray()

    def wrap(self, apdu: bytes) -> bytes:
        """Return ``apdu`` with its header."""
        return _VERSION + self._client + self._server + len(apdu).to_bytes(2, "big") + apdu

    @property
    def inside(self) -> bool:
        """Whether an APDU has begun and not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Return the APDUs for this link that ``data`` completes."""
        self._buffer += data
        apdus = []
        at = self._start(0)
        while len(self._buffer) >= at + _HEADER:
            length = int.from_bytes(self._buffer[at + 6 : at + 8], "big")
            end = at + _HEADER + length
            if len(self._buffer) < end:
                break
            if self._buffer[at + 2 : at + 6] == self._server + self._client:
                apdus.append(bytes(self._buffer[at + _HEADER : end]))
            else:
                self._statistics.discarded += 1
            at = self._start(end)
        del self._buffer[:at]
        return apdus

    def give_up(self) -> None:
        """Forget the unfinished APDU."""
        self._statistics.discarded += bool(self._buffer)
        self._buffer.clear()

    def _start(self, at: int) -> int:
        """Return where the next header begins; what is not one is counted and skipped."""
        rest = self._buffer[at : at + 2]
        if _VERSION.startswith(bytes(rest)):
            return at
        self._statistics.discarded += 1
        found = self._buffer.find(_VERSION, at)
        if found >= 0:
            return found
        return len(self._buffer) - self._buffer.endswith(_VERSION[:1])
