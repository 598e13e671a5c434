"""How fast a long read goes and when it ends, from the progress that it reports.  No Qt."""

import time
from collections import deque
from collections.abc import Callable

from app.tasks import Progress
from app.views import words

WINDOW = 12.0  # s, over which the rate is measured
EARLIEST = 0.7  # s, before which a forecast would be a guess


class Forecast:
    """Measures one run of progress after the other; a new text begins a new run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._text = ""
        self._marks: deque[tuple[float, int]] = deque()
        self.last = Progress("")

    def take(self, progress: Progress) -> None:
        """Remember how far it has come by now."""
        now = self._clock()
        backwards = bool(self._marks) and progress.done < self._marks[-1][1]
        if progress.text != self._text or backwards:
            self._text = progress.text
            self._marks.clear()
        self._marks.append((now, progress.done))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW:  # noqa: PLR2004
            self._marks.popleft()
        self.last = progress

    @property
    def share(self) -> float | None:
        """What is done, as a share of 1; None when the end is not known."""
        return min(1.0, self.last.done / self.last.total) if self.last.total else None

    @property
    def rate(self) -> float | None:
        """Items a second; None while it cannot be told."""
        if not self._marks:
            return None
        (begun, first), (now, done) = self._marks[0], self._marks[-1]
        if now - begun < EARLIEST or done <= first:
            return None
        return (done - first) / (now - begun)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end; None while it cannot be told."""
        rate = self.rate
        if rate is None or not self.last.total:
            return None
        return max(0.0, (self.last.total - self.last.done) / rate)

    def what(self) -> str:
        """Say what is done and of how much: "Reading the profile, 412 of 2,160 rows"."""
        last = self.last
        if not last.total and not last.done:
            return last.text
        of = f" of {last.total:,}" if last.total else ""
        unit = f" {last.unit}" if last.unit else ""
        return f"{last.text}, {last.done:,}{of}{unit}"

    def outlook(self) -> str:
        """Say rate and time left: "38 rows a second, about 46 s left"; "" when unknown."""
        rate, left = self.rate, self.seconds_left
        parts = []
        if rate is not None:
            parts.append(f"{rate:.0f} {self.last.unit or 'items'} a second" if rate >= 1 else "")
        if left is not None and self.last.done < self.last.total:
            parts.append(f"about {words.duration(round(left) or 1)} left")
        return ", ".join(part for part in parts if part)
