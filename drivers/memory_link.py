"""A link in memory whose far end is a function: for tests of one protocol part by itself."""

from collections import deque
from collections.abc import Callable

from drivers.link import POLL, Check, Line
from drivers.stream_link import nothing
from drivers.values import Statistics

Answer = Callable[[bytes], bytes]


def silence(_data: bytes) -> bytes:
    """Answer nothing."""
    return b""


class MemoryLink:
    """A link in virtual time; whatever is written is given to ``answer``, which returns the reply.

    ``written`` and ``lines`` keep what the program did.  `feed` queues bytes from the far end.
    """

    sets_line = True

    def __init__(
        self, answer: Answer = silence, *, delay: float = 0.0, check: Check = nothing
    ) -> None:
        self.name = "memory"
        self.statistics = Statistics()
        self.written: list[bytes] = []
        self.lines: list[Line] = []
        self.closed = False
        self._answer = answer
        self._delay = delay
        self._check = check
        self._now = 0.0
        self._coming: deque[tuple[float, bytes]] = deque()

    def feed(self, data: bytes, after: float = 0.0) -> None:
        """Let ``data`` arrive ``after`` seconds from now (not before what was fed earlier)."""
        at = max(self._now + after, self._coming[-1][0] if self._coming else 0.0)
        self._coming.append((at, data))

    def now(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Move the clock on by ``seconds``."""
        end = self._now + seconds
        self._check()
        while self._now < end:
            self._now = min(end, self._now + POLL)
            self._check()

    def configure(self, line: Line) -> None:
        """Note ``line``."""
        self.lines.append(line)

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Do nothing: there is no probe to power."""

    def write(self, data: bytes, *, secret: bool = False) -> None:  # noqa: ARG002 (no trace here)
        """Note ``data`` and queue the answer to it."""
        self.written.append(data)
        self.statistics.bytes_sent += len(data)
        if reply := self._answer(data):
            self.feed(reply, self._delay)

    def read(self, timeout: float) -> bytes:
        """Return the next piece that arrives within ``timeout`` virtual seconds."""
        self._check()
        end = self._now + timeout
        due = self._coming[0][0] if self._coming else end
        self.wait(min(max(due, self._now), end) - self._now)
        if not self._coming or self._coming[0][0] > self._now:
            return b""
        data = self._coming.popleft()[1]
        self.statistics.bytes_received += len(data)
        return data

    def close(self) -> None:
        """Note that it was closed."""
        self.closed = True
