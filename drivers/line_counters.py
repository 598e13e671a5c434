"""What the driver of a serial port counts of damaged characters: parity, framing, overrun.

A port that checks the parity itself hands damaged characters on without a word.  Linux keeps the
numbers (TIOCGICOUNT), since the driver was loaded, so the growth over a session is what it heard.
Pseudo-terminals and some adapters have no such numbers; other systems do not tell them.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from drivers.values import Statistics

SIZE = 80  # octets of the kernel's record: twenty integers
_RECORD = struct.Struct("=20I")
_FRAMING, _OVERRUN, _PARITY, _BUFFER = 6, 7, 8, 10
_WRAPS = 1 << 32


@dataclass(frozen=True, slots=True)
class LineCounts:
    """Damaged characters since some moment in the past."""

    parity: int = 0
    framing: int = 0
    overrun: int = 0


Ask = Callable[[], LineCounts | None]


def parse_counts(record: bytes) -> LineCounts | None:
    """Return the numbers in the kernel's record; None when it is none."""
    if len(record) != SIZE:
        return None
    numbers = _RECORD.unpack(record)
    lost = numbers[_OVERRUN] + numbers[_BUFFER]
    return LineCounts(numbers[_PARITY], numbers[_FRAMING], lost % _WRAPS)


def growth(before: LineCounts, after: LineCounts) -> LineCounts:
    """Return what came between two moments, also where a number has wrapped round."""
    return LineCounts(
        (after.parity - before.parity) % _WRAPS,
        (after.framing - before.framing) % _WRAPS,
        (after.overrun - before.overrun) % _WRAPS,
    )


class CounterWatch:
    """Adds to a line's statistics what the driver has counted since the last look.

    ``ask`` gives the driver's numbers, None where it has none; it is then not asked again.
    """

    def __init__(self, ask: Ask, statistics: Statistics) -> None:
        self._ask: Ask | None = ask
        self._statistics = statistics
        self._last = self._numbers()

    def look(self, *, parity: bool) -> None:
        """Take over what is new; ``parity`` says that the port itself checks it now."""
        now = self._numbers()
        if now is None or self._last is None:
            return
        new, self._last = growth(self._last, now), now
        self._statistics.framing_errors += new.framing
        self._statistics.overruns += new.overrun
        if parity:
            self._statistics.parity_counted = True
            self._statistics.parity_errors += new.parity

    def _numbers(self) -> LineCounts | None:
        found = self._ask() if self._ask is not None else None
        if found is None:
            self._ask = None
        return found
