"""A tiny virtual meter for tests of lines and links: it repeats what it hears, when it is told."""

from collections import deque

from drivers.simulator.device import WireFormat

PLAIN = WireFormat(9600, 8, "N")


class Parrot:
    """A device that answers each message (ended by ``end``) with ``answer``, after ``reaction``.

    ``heard`` keeps what it heard with times, ``damaged`` how many characters were garbled.
    """

    def __init__(
        self,
        answer: bytes = b"pong\n",
        *,
        form: WireFormat = PLAIN,
        reaction: float = 0.02,
        end: bytes = b"\n",
        name: str = "parrot",
    ) -> None:
        self.name = name
        self.format = form
        self.answer, self.reaction, self.end = answer, reaction, end
        self.heard: list[tuple[float, bytes]] = []
        self.damaged = 0
        self.finished: list[float] = []
        self._message = b""
        self._queue: deque[tuple[float, bytes]] = deque()

    @property
    def text(self) -> bytes:
        """Everything heard so far."""
        return b"".join(data for _, data in self.heard)

    def say(self, at: float, data: bytes) -> None:
        """Queue ``data`` for sending at the time ``at``."""
        self._queue.append((at, data))

    def receive(self, now: float, data: bytes) -> None:
        """Note what was heard; answer a whole message."""
        self.heard.append((now, data))
        self._message += data
        if self._message.endswith(self.end):
            self._message = b""
            if self.answer:
                self.say(now + self.reaction, self.answer)

    def garbled(self, now: float, count: int) -> None:
        """Count what was damaged."""
        del now
        self.damaged += count

    def wake_at(self) -> float | None:
        """When the next answer is due."""
        return self._queue[0][0] if self._queue else None

    def transmit(self, now: float) -> bytes:
        """Return what is due."""
        if self._queue and self._queue[0][0] <= now + 1e-9:
            return self._queue.popleft()[1]
        return b""

    def sent(self, now: float) -> None:
        """Note when the last character was out."""
        self.finished.append(now)

    def expected(self) -> dict[str, object]:
        """Nothing to read here."""
        return {}
