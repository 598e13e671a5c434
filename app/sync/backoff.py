"""When to sync again: apart by chance, slower after each failure, at once on a new network."""

import random
from collections.abc import Callable

from app.centre.contract import MAX_EVENTS

SMALLEST_S = 1.0
LARGEST_S = 900.0
_FAILURES_BEFORE_SMALLER_BATCHES = 2
_MOST_DOUBLINGS = 20


class Backoff:
    """Delay before the next session and size of its batches; independent of what the user does."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._failures = 0
        self._delay = 0.0

    @property
    def batch(self) -> int:
        """Return how many events to send at once: halved after repeated errors, never below 1."""
        halvings = max(0, self._failures - _FAILURES_BEFORE_SMALLER_BATCHES)
        return max(1, MAX_EVENTS >> halvings)

    def delay(self) -> float:
        """Return the seconds to wait, drawn once for each failure; 0 when nothing failed.

        Full jitter below a bound that doubles with each failure: many laptops that lost the
        centre together do not come back together.
        """
        return self._delay

    def failed(self) -> None:
        """Note a session that broke."""
        self._failures += 1
        bound = min(LARGEST_S, SMALLEST_S * (1 << min(self._failures, _MOST_DOUBLINGS)))
        self._delay = self._chance() * bound

    def succeeded(self) -> None:
        """Note a session that went through."""
        self._failures = 0
        self._delay = 0.0

    def network_changed(self) -> None:
        """Forget the failures: they belonged to the network before."""
        self.succeeded()
