"""A record of every byte on a link, and a link that plays such a record back.

A trace holds what the protocol saw: text of a 7E1 line without its parity bits.  Bytes of a write
marked secret are dots, and so are they in the echo that an optical probe sends back.
"""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from drivers.echo_mask import EchoMask
from drivers.errors import PortProblem, PortUnavailable
from drivers.link import POLL, Check, Line, Link
from drivers.stream_link import nothing
from drivers.values import Statistics

KEPT = 10_000  # records in memory; a file gets them all
DOT = b"."


class Direction(StrEnum):
    """Which way a record went."""

    OUT = "out"
    IN = "in"
    LINE = "line"  # the line was configured; the data is its description


@dataclass(frozen=True, slots=True)
class Record:
    """Bytes that went over the link together; ``at`` is the link's clock in seconds."""

    at: float
    time: datetime
    direction: Direction
    data: bytes
    masked: bool = False  # the data are dots in place of a secret


class BadTrace(ValueError):
    """The file is no trace, or a line of it is damaged."""


class TraceDiffers(ValueError):
    """The program under replay does something else than was recorded."""


class Trace:
    """Records in the order they happened.

    Args:
        path: A file that gets every record at once; memory keeps the last 10,000.
        records: What it begins with.
    """

    def __init__(self, path: Path | None = None, records: Iterable[Record] = ()) -> None:
        self.listeners: list[Callable[[Record], None]] = []
        self.failure = ""  # why the file could not be written, if so
        self._lock = threading.Lock()
        self._records: deque[Record] = deque(records, KEPT)
        self._file: TextIO | None = None
        if path is not None:
            self._file = path.open("w", encoding="utf-8")

    @property
    def records(self) -> tuple[Record, ...]:
        """The last 10,000 records, oldest first."""
        with self._lock:
            return tuple(self._records)

    def add(self, record: Record) -> None:
        """Append ``record``, write it to the file and tell the listeners.

        A full disk ends the file, never the session with the meter; `failure` then says why.
        """
        with self._lock:
            self._records.append(record)
            if self._file is not None:
                try:
                    self._file.write(_as_line(record))
                    self._file.flush()
                except OSError as error:
                    self.failure = str(error)
                    self._shut()
        for listener in tuple(self.listeners):
            listener(record)

    def save(self, path: Path) -> None:
        """Write the records in memory to ``path``, one JSON object a line."""
        with path.open("w", encoding="utf-8") as file:
            file.writelines(map(_as_line, self.records))

    def close(self) -> None:
        """Close the file; records added later stay in memory only."""
        with self._lock:
            self._shut()

    def _shut(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self.failure = str(error)

    @classmethod
    def load(cls, path: Path) -> "Trace":
        """Return the trace in the file ``path``.

        Raises:
            BadTrace: A line is no record; the text says which.
            OSError: The file cannot be read.
        """
        with path.open(encoding="utf-8") as file:
            return cls(records=list(_from_lines(file, path.name)))

    @classmethod
    def of(cls, *steps: tuple[str, bytes], gap: float = 0.0) -> "Trace":
        """Return a trace of steps (``"out"`` or ``"in"``, bytes), ``gap`` seconds apart."""
        start = datetime(2000, 1, 1, tzinfo=UTC)
        return cls(
            records=[
                Record(n * gap, start, Direction(direction), data)
                for n, (direction, data) in enumerate(steps)
            ]
        )


def _as_line(record: Record) -> str:
    item: dict[str, object] = {
        "at": round(record.at, 6),
        "time": record.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "direction": record.direction.value,
        "hex": record.data.hex(),
    }
    if record.masked:
        item["masked"] = True
    return json.dumps(item) + "\n"


def _from_lines(lines: Iterable[str], name: str) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            yield Record(
                float(item["at"]),
                datetime.fromisoformat(item["time"]),
                Direction(item["direction"]),
                bytes.fromhex(item["hex"]),
                masked=bool(item.get("masked", False)),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise BadTrace(f"{name}, line {number}: {error}") from error


class TraceLink:
    """A link that records every byte of ``inner`` in ``trace``."""

    def __init__(self, inner: Link, trace: Trace) -> None:
        self.name = inner.name
        self.statistics = inner.statistics  # the inner link counts
        self._inner = inner
        self._trace = trace
        self._mask = EchoMask()

    @property
    def sets_line(self) -> bool:
        """Whether the inner link can set speed and format."""
        return self._inner.sets_line

    def now(self) -> float:
        """Return the inner link's time."""
        return self._inner.now()

    def wait(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._inner.wait(seconds)

    def configure(self, line: Line) -> None:
        """Use ``line``, and record that."""
        self._inner.configure(line)
        self._add(Direction.LINE, str(line).encode("ascii"))

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Set the modem lines."""
        self._inner.set_lines(rts=rts, dtr=dtr)

    def write(self, data: bytes, *, secret: bool = False) -> None:
        """Send ``data`` and record it, as dots when it is secret."""
        self._add(Direction.IN, self._mask.flush())
        self._inner.write(data, secret=secret)
        self._mask.expect(data if secret else b"")
        self._add(Direction.OUT, data, masked=secret)

    def read(self, timeout: float) -> bytes:
        """Return what arrived, and record it."""
        data = self._inner.read(timeout)
        for piece, masked in self._mask.sift(data):
            self._add(Direction.IN, piece, masked=masked)
        return data

    def close(self) -> None:
        """Close the inner link; the trace stays open for the next one."""
        self._add(Direction.IN, self._mask.flush())
        self._inner.close()

    def _add(self, direction: Direction, data: bytes, *, masked: bool = False) -> None:
        if data:
            shown = DOT * len(data) if masked else data
            record = Record(self.now(), datetime.now(UTC), direction, shown, masked=masked)
            self._trace.add(record)


class ReplayLink:
    """A link that plays ``trace`` back in virtual time.

    Every write must equal the recorded bytes (a masked record: their number); what was received
    comes as long after the record before it as it did then.
    """

    sets_line = True

    def __init__(self, trace: Trace, *, check: Check = nothing) -> None:
        self.name = "replay"
        self.statistics = Statistics()
        self._check = check
        self._steps = deque(r for r in trace.records if r.direction is not Direction.LINE)
        self._recorded = self._steps[0].at if self._steps else 0.0  # time of the last step, then
        self._now = self._due_from = self._recorded  # and now
        self._part = b""  # rest of a recorded write that is not written yet
        self._ready = bytearray()  # received then, passed over by a write now
        self._written = 0

    @property
    def finished(self) -> bool:
        """Whether everything recorded has been played."""
        return not self._steps and not self._part and not self._ready

    def now(self) -> float:
        """Return the virtual time in seconds."""
        return self._now

    def wait(self, seconds: float) -> None:
        """Move the clock on by ``seconds``."""
        end = self._now + seconds
        self._check()
        while self._now < end:
            self._now = min(end, self._now + POLL)
            self._check()

    def configure(self, line: Line) -> None:
        """Do nothing: what was recorded was heard."""

    def set_lines(self, *, rts: bool, dtr: bool) -> None:
        """Do nothing: there is no probe to power."""

    def write(self, data: bytes, *, secret: bool = False) -> None:  # noqa: ARG002 (no trace here)
        """Take ``data`` if it is what was recorded.

        Raises:
            TraceDiffers: It is not; the text says from which byte on.
        """
        self._check()
        self._pass_over()
        left = data
        while left:
            masked = False
            if not self._part:
                if not self._steps or self._steps[0].direction is not Direction.OUT:
                    raise TraceDiffers(self._differs(left, b""))
                step = self._steps.popleft()
                self._step_to(step)
                self._part, masked = step.data, step.masked
            size = min(len(left), len(self._part))
            if masked:
                size = len(self._part)
                if size > len(left):
                    raise TraceDiffers(f"a secret of {size} bytes was recorded, not {len(left)}")
            elif left[:size] != self._part[:size]:
                raise TraceDiffers(self._differs(left, self._part))
            self._written += size
            self._part, left = self._part[size:], left[size:]
        self._due_from = self._now
        self.statistics.bytes_sent += len(data)

    def read(self, timeout: float) -> bytes:
        """Return what was received next, if it came within ``timeout`` virtual seconds.

        Raises:
            PortUnavailable: The trace is at its end.
        """
        self._check()
        if self._ready:
            data = bytes(self._ready)
            self._ready.clear()
            return self._received(data)
        if self.finished:
            raise PortUnavailable("the trace is at its end", PortProblem.LOST)
        deadline = self._now + timeout
        if self._part or self._steps[0].direction is Direction.OUT:
            self.wait(timeout)
            return b""
        due = max(self._now, self._due_from + self._steps[0].at - self._recorded)
        self.wait(min(due, deadline) - self._now)
        if due > deadline:
            return b""
        step = self._steps.popleft()
        self._step_to(step)
        self._due_from = due
        return self._received(step.data)

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _pass_over(self) -> None:
        while not self._part and self._steps and self._steps[0].direction is Direction.IN:
            step = self._steps.popleft()
            self._step_to(step)
            self._ready += step.data

    def _step_to(self, step: Record) -> None:
        self._recorded = step.at

    def _received(self, data: bytes) -> bytes:
        self.statistics.bytes_received += len(data)
        return data

    def _differs(self, written: bytes, recorded: bytes) -> str:
        same = next(
            (n for n, (a, b) in enumerate(zip(written, recorded, strict=False)) if a != b),
            min(len(written), len(recorded)),
        )
        then = recorded[same : same + 16].hex(" ") or "nothing more"
        return (
            f"written byte {self._written + same}: recorded {then},"
            f" written now {written[same : same + 16].hex(' ')}"
        )
