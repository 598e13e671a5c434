"""What a virtual meter is about to send, and when; the faults of a line apply here."""

from bisect import insort
from dataclasses import dataclass, field

from drivers.simulator.dlms.faults import Faults

_PIECE = 10  # characters between two pauses of a slow meter
_PAUSE_S = 0.05
_NOISE = bytes.fromhex("00FF7E55AA7EA0")


@dataclass(order=True, slots=True)
class Burst:
    """Characters to be sent at ``at``, in the order they were put in."""

    at: float
    turn: int
    data: bytes = field(compare=False)


class Outbox:
    """Bursts in the order of their times."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._bursts: list[Burst] = []
        self._turn = 0
        self._sent = 0

    def put(self, at: float, data: bytes) -> None:
        """Send ``data`` at ``at``, as the faults let it."""
        if "silence" in self._faults:
            return
        if "noise" in self._faults:
            data = _NOISE + data
        if "slow-octets" not in self._faults:
            self._add(at, data)
            return
        for place in range(0, len(data), _PIECE):
            self._add(at + place // _PIECE * _PAUSE_S, data[place : place + _PIECE])

    def echo(self, at: float, data: bytes) -> None:
        """Send back what was heard."""
        self._add(at, data)

    def clear(self) -> None:
        """Forget what was not sent yet."""
        self._bursts.clear()

    def next_at(self) -> float | None:
        """When there will be something to send; None when there is nothing."""
        return self._bursts[0].at if self._bursts else None

    def take(self, now: float) -> bytes:
        """Return what starts at ``now``."""
        due = 0
        while due < len(self._bursts) and self._bursts[due].at <= now:
            due += 1
        data = b"".join(burst.data for burst in self._bursts[:due])
        del self._bursts[:due]
        if self._faults.silent_after is not None:
            data = data[: max(0, self._faults.silent_after - self._sent)]
        self._sent += len(data)
        return data

    def _add(self, at: float, data: bytes) -> None:
        self._turn += 1
        insort(self._bursts, Burst(at, self._turn, data))
