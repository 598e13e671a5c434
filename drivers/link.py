"""The byte pipe under every protocol: what a link is, and how its settings are named.

A link is opened by `drivers.ports.open_link` from a port name or URL.  Its `read` waits in slices
of at most `POLL` seconds and calls the ``check`` it was opened with between them, so that every
wait anywhere above it can be stopped within 50 ms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from drivers.values import Statistics

POLL = 0.05  # s, longest time a cancelled wait keeps running

Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Line:
    """Speed and character format.

    ``software`` keeps the port at 8N1 and adds, strips and counts parity ourselves: for links
    that cannot do 7E1 (pseudo-terminals, some adapters, transparent TCP converters).
    """

    speed: int = 9600
    data_bits: int = 8
    parity: str = "N"
    software: bool = False

    @classmethod
    def named(cls, speed: int, name: str) -> "Line":
        """Return the line for a format name: ``8N1``, ``7E1``, ``8E1`` or ``soft7E1``."""
        software = name.startswith("soft")
        short = name.removeprefix("soft")
        if short not in {"8N1", "7E1", "8E1"} or (software and short != "7E1"):
            raise ValueError(f"unknown character format {name!r}; use 7E1, 8N1, 8E1 or soft7E1")
        return cls(speed, int(short[0]), short[1], software)

    @property
    def character_s(self) -> float:
        """Seconds one character takes: start, data, parity and one stop bit."""
        return (2 + self.data_bits + (self.parity != "N")) / self.speed

    def __str__(self) -> str:
        return f"{self.speed} {'soft' if self.software else ''}{self.data_bits}{self.parity}1"


class Link(Protocol):
    """An open connection that carries bytes: serial port, TCP socket, RFC 2217, or memory."""

    name: str
    statistics: Statistics

    @property
    def sets_line(self) -> bool:
        """Whether speed and format can be set from here (not so on plain TCP)."""

    def now(self) -> float:
        """Return the link's monotonic time in seconds; a memory link's time is virtual."""

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass without reading; stopped within `POLL` like `read`."""

    def configure(self, line: Line) -> None:
        """Use ``line`` from now on; received bytes are kept.  No effect where `sets_line` is false.

        Raises:
            PortUnavailable: The port is gone or refuses the setting.
        """

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Set the modem lines that power a probe; no effect where there are none."""

    def write(self, data: bytes, *, secret: bool = False) -> None:
        """Queue all of ``data`` for sending; ``secret`` writes are traced as dots.

        Raises:
            PortUnavailable: The port or the peer is gone.
        """

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, waiting up to ``timeout`` seconds for the first byte.

        Returns b"" when nothing came.  Whatever ``check`` raises passes through.

        Raises:
            PortUnavailable: The port or the peer is gone.
        """

    def close(self) -> None:
        """Give the port back; never raises, a second call changes nothing."""
