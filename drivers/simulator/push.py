"""What all virtual meters share that send by themselves and hear nothing."""

from abc import ABC, abstractmethod

from drivers.simulator.device import WireFormat


class PushDevice(ABC):
    """Sends a telegram every ``period`` seconds; a ``silent`` one sends none."""

    def __init__(self, line: WireFormat, period: float, *, silent: bool) -> None:
        self._line, self._period, self._silent = line, period, silent
        self._next: float | None = None

    @abstractmethod
    def pushed(self, now: float) -> bytes:
        """Return the telegram that is due, as it goes out on the wire."""

    @property
    def format(self) -> WireFormat:
        """Always the same."""
        return self._line

    def receive(self, now: float, data: bytes) -> None:  # noqa: B027 (nothing is the answer)
        """Hear nothing."""

    def garbled(self, now: float, count: int) -> None:  # noqa: B027 (the same)
        """Hear nothing."""

    def wake_at(self) -> float | None:
        """When the next telegram is due."""
        if self._silent:
            return None
        return 0.0 if self._next is None else self._next

    def transmit(self, now: float) -> bytes:
        """Return the telegram that is due."""
        if self._next is not None and now < self._next:
            return b""
        self._next = now + self._period
        return self.pushed(now)

    def sent(self, now: float) -> None:  # noqa: B027 (the same)
        """Go on."""
