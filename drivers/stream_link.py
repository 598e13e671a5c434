"""What all links over an operating system's stream share: waiting that can be stopped, counting."""

import time
from abc import ABC, abstractmethod

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import Check, Line
from drivers.values import Statistics

SLICE = 0.02  # s between two looks at the stop button


def nothing() -> None:
    """Let every wait go on."""


class StreamLink(ABC):
    """A link in real time.  A kind of link says how to put and take bytes without waiting long.

    Args:
        name: Port name or URL, as the operator knows it.
        line: The line it was opened with.
        check: Called at least every 50 ms of every wait; may raise to abandon it.
    """

    def __init__(self, name: str, line: Line, check: Check) -> None:
        self.name = name
        self.statistics = Statistics()
        self._line = line
        self._check = check
        self._closed = False

    @property
    @abstractmethod
    def sets_line(self) -> bool:
        """Whether speed and format can be set from here."""

    @abstractmethod
    def _take(self, seconds: float) -> bytes:
        """Return what has arrived, waiting at most ``seconds`` (never above `SLICE`)."""

    @abstractmethod
    def _put(self, data: bytes) -> int:
        """Hand over the beginning of ``data`` within 50 ms; return how many bytes that were."""

    @abstractmethod
    def _use(self, line: Line) -> None:
        """Set speed and format."""

    @abstractmethod
    def _give_back(self) -> None:
        """Close what is open; may raise."""

    def now(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass, looking at the stop button meanwhile."""
        end = time.monotonic() + seconds
        self._check()
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(SLICE, left))
            self._check()

    def configure(self, line: Line) -> None:
        """Use ``line`` from now on; received bytes are kept."""
        if line == self._line or not self.sets_line:
            return
        self._alive()
        self._use(line)
        self._line = line

    def set_lines(self, *, rts: bool, dtr: bool) -> None:  # noqa: B027 (most have none)
        """Do nothing: there are no modem lines here."""

    def write(self, data: bytes, *, secret: bool = False) -> None:  # noqa: ARG002 (for the trace)
        """Hand all of ``data`` over for sending."""
        self._alive()
        self._check()
        left = memoryview(data)
        while left:
            done = self._put(bytes(left))
            left = left[done:]
            self._count(sent=done)
            if left:
                self._check()

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, waiting up to ``timeout`` seconds for the first byte."""
        end = time.monotonic() + timeout
        left = max(0.0, timeout)
        while True:
            self._check()
            self._alive()
            if data := self._take(min(SLICE, left)):
                self._count(received=len(data))
                return data
            left = end - time.monotonic()
            if left <= 0:
                return b""

    def close(self) -> None:
        """Give the port back; a second call changes nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            self._give_back()
        except (OSError, ValueError):
            return  # it is gone already, which is what was wanted

    def _count(self, sent: int = 0, received: int = 0) -> None:
        self.statistics.bytes_sent += sent
        self.statistics.bytes_received += received
        if self.sets_line:
            self.statistics.wire_s += (sent + received) * self._line.character_s

    def _alive(self) -> None:
        if self._closed:
            raise PortUnavailable(f"{self.name} is closed", PortProblem.LOST)
