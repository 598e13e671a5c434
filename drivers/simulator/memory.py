"""A link straight onto virtual meters, in virtual time: protocol tests without waiting."""

from collections.abc import Sequence

from drivers.errors import PortProblem, PortUnavailable
from drivers.link import POLL, Check, Line
from drivers.simulator.device import Device, WireFormat
from drivers.simulator.wire import PortMedium, Wire, character_s
from drivers.values import Statistics


def nothing() -> None:
    """Let every wait go on."""


class DeviceLink:
    """An open link whose far end is ``devices``; waiting moves its clock and takes no time.

    Characters take their true time on the line, at the speed and format of their sender, and are
    garbled where the other side uses another.  The port does 7E1 itself, like a good serial port.

    Args:
        devices: The meters on the line; several share it as on RS-485.
        check: Called at least every 50 virtual milliseconds of a wait; may raise.
        start: What the clock shows at first.
        latency: Seconds for which the port collects characters before it hands them over, as USB
            adapters do; the end of what a meter sends is handed over at once.
    """

    sets_line = True

    def __init__(
        self,
        devices: Sequence[Device],
        *,
        check: Check = nothing,
        start: float = 0.0,
        latency: float = 0.016,
    ) -> None:
        self.name = ", ".join(device.name for device in devices)
        self.statistics = Statistics()
        self.lines: list[Line] = []  # every line it was configured to
        self._check = check
        self._now = start
        self._medium = PortMedium(WireFormat(9600, 8, "N"))
        self._wire = Wire(devices, self._medium, latency=latency, start=start)
        self._gone = False
        self._pull_after: int | None = None
        self._parity_seen = 0

    def now(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Move the clock on by ``seconds``."""
        self._check()
        end = self._now + seconds
        while self._now < end:
            self._now = min(end, self._now + POLL)
            self._wire.run(self._now)
            self._check()

    def configure(self, line: Line) -> None:
        """Use ``line`` from now on; what arrived before is kept as it was heard."""
        self._alive()
        self._wire.before_change(self._now)
        self._medium.line = WireFormat(line.speed, line.data_bits, line.parity)
        self.lines.append(line)

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Do nothing: there is no probe to power."""

    def write(self, data: bytes, *, secret: bool = False) -> None:  # noqa: ARG002 (no trace here)
        """Queue ``data``; it goes out at the speed of the line."""
        self._alive()
        self._wire.put(self._now, data)
        self.statistics.bytes_sent += len(data)
        self.statistics.wire_s += len(data) * character_s(self._medium.line)

    def read(self, timeout: float) -> bytes:
        """Return what has arrived, letting up to ``timeout`` virtual seconds pass."""
        deadline = self._now + timeout
        while True:
            self._check()
            self._alive()
            self._wire.run(self._now)
            if data := self._wire.take():
                return self._received(data)
            if self._now >= deadline:
                return b""
            due = self._wire.next_at()
            self._now = min(deadline, self._now + POLL, deadline if due is None else due)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def pull(self) -> None:
        """Unplug the probe: from now on the port is gone."""
        self._gone = True

    def pull_after(self, received: int) -> None:
        """Unplug the probe once ``received`` bytes have been read from now on."""
        self._pull_after = self.statistics.bytes_received + received

    def _received(self, data: bytes) -> bytes:
        if self._pull_after is not None:
            data = data[: max(0, self._pull_after - self.statistics.bytes_received)]
            self._gone = self.statistics.bytes_received + len(data) >= self._pull_after
            if not data:
                self._alive()
        self.statistics.bytes_received += len(data)
        self.statistics.wire_s += len(data) * character_s(self._medium.line)
        self.statistics.parity_errors += self._medium.parity_errors - self._parity_seen
        self._parity_seen = self._medium.parity_errors
        self.statistics.parity_counted = True
        return data

    def _alive(self) -> None:
        if self._gone:
            raise PortUnavailable(f"{self.name} was unplugged", PortProblem.LOST)
