"""What a virtual meter is to the line it hangs on: bytes in, timed bytes out, no I/O.

A device never sleeps and never reads a clock: ``now`` (seconds, monotonic, any origin) comes with
every call.  `drivers.simulator.serve` puts devices on pseudo-terminals, TCP, RFC 2217 and memory
links, paces their bytes at the true line speed and garbles what was sent at a wrong speed.

Characters are 8-bit values *as on the wire*: a device whose `format` is 7E1 sends its data with
even parity in bit 7 and treats received characters with wrong parity as damaged.  A transport that
does 7E1 itself (RFC 2217 with 7 data bits, TCP) adds and strips parity in `serve`, not here.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class WireFormat:
    """The speed and format a device listens and talks with at this moment."""

    speed: int
    data_bits: int
    parity: str


class Device(Protocol):
    """One virtual meter on a line."""

    name: str  # type and serial, for the list of ports: "landisgyr-zmf100 00018438"

    @property
    def format(self) -> WireFormat:
        """What the device uses now; changes when it switches speed."""

    def receive(self, now: float, data: bytes) -> None:
        """Hear ``data``, whose last stop bit passed at ``now``."""

    def garbled(self, now: float, count: int) -> None:
        """Hear ``count`` characters that were sent at another speed or format."""

    def wake_at(self) -> float | None:
        """When `transmit` will next have something to do; None: not before more is received."""

    def transmit(self, now: float) -> bytes:
        """Return what the device starts sending at ``now`` (b"" for nothing)."""

    def sent(self, now: float) -> None:
        """Learn that the last stop bit of everything transmitted so far passed at ``now``."""

    def expected(self) -> dict[str, object]:
        """Return what a correct reader must find, in the JSON shape of ``read --json``."""


@runtime_checkable
class HasKeypad(Protocol):
    """A virtual meter with a keypad and a display of its own."""

    name: str

    def typed(self, now: float, keys: str) -> str:
        """Take what is typed; return what the display says, "" where there is no keypad."""
