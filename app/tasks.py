"""Long-running work with progress, questions and cancel.  No Qt in here.

A task is a generator.  It yields `Progress` and `Ask` events, does blocking I/O
between them and returns its result::

    def set_clock(meter: Meter) -> Task[timedelta]:
        yield Progress("Reading the clock")
        drift = meter.read_clock() - now()
        if abs(drift) > LIMIT and (yield Ask("Set the clock?", ("Set", "Leave"))) == "Set":
            meter.set_clock(now())
        return drift

`run` drives one in the calling thread; `Worker` drives them in a worker thread,
one at a time, which is what keeps a serial port from being used twice.
"""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from app.errors import Cancelled

T = TypeVar("T")


@dataclass(frozen=True)
class Progress:
    """What the task is doing now; ``done`` of ``total`` (in ``unit``) when that is known."""

    text: str
    done: int = 0
    total: int = 0
    unit: str = ""


class AnswerKind(StrEnum):
    """What an answer looks like, so that the window and the scanner know what to offer."""

    CHOICE = "choice"  # one of ``choices``
    TEXT = "text"
    SERIAL = "serial"  # typed twice or scanned; see app.views.scanner
    SEAL = "seal"
    TOKEN = "token"  # noqa: S105 (twenty digits from paper, see app.services.token.TokenAsk)
    NUMBER = "number"
    FILE = "file"  # path of a photo
    SIGNATURE = "signature"  # typed name
    PROOF = "proof"  # the own password of whoever answers: shown as dots, kept nowhere


@dataclass(frozen=True)
class Ask:
    """A question the operator must answer before the task goes on.

    ``key`` names it for answer files ("identify.serial").  A question with ``optional`` may be
    answered with "".  ``detail`` is the second, quieter line under the question.
    """

    text: str
    choices: tuple[str, ...] = ("Continue",)
    key: str = ""
    kind: AnswerKind = AnswerKind.CHOICE
    detail: str = ""
    default: str = ""
    optional: bool = False
    dangerous: bool = False  # shown without a default button


@dataclass(frozen=True)
class Found:
    """Something the task has established and stored: shown at once, kept whatever follows.

    ``what`` names it ("check", "reading", "rows"); ``item`` is a frozen value of its noun.
    """

    what: str
    item: object = field(compare=False)


Event = Progress | Ask | Found
Task = Generator[Event, str | None, T]


class Cancel:
    """The operator's Stop button, pressed from any thread.

    Each press raises `Cancelled` once.  The sign-off in the task's ``finally`` can
    therefore still talk to the meter, and a second press abandons the sign-off too.
    """

    def __init__(self) -> None:
        self._pressed = threading.Event()

    def press(self) -> None:
        """Ask the task to stop."""
        self._pressed.set()

    def check(self) -> None:
        """Raise `Cancelled` when stopping was asked for."""
        self.sleep(0)

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``, or raise `Cancelled` as soon as stopping is asked for."""
        if self._pressed.wait(seconds):
            self._pressed.clear()
            raise Cancelled


_running = threading.local()


def checkpoint() -> None:
    """Raise `Cancelled` if the task that runs in this thread was asked to stop.

    Links are opened with this as their ``check``, so every wait on a meter is a checkpoint.
    """
    cancel: Cancel | None = getattr(_running, "cancel", None)
    if cancel is not None:
        cancel.check()


def run(task: Task[T], handle: Callable[[Event], str | None], cancel: Cancel) -> T:
    """Drive ``task`` to its end in this thread and return its result.

    ``handle`` receives every event and returns the answer to an `Ask`.  On cancel,
    `Cancelled` is raised inside the task, so its ``with`` and ``finally`` blocks run.
    """
    resume: Callable[[Any], Event] = task.send
    value: Any = None
    outer: Cancel | None = getattr(_running, "cancel", None)
    _running.cancel = cancel
    try:
        while True:
            event = resume(value)
            try:
                cancel.check()
                resume, value = task.send, handle(event)
            except Cancelled as stop:
                resume, value = task.throw, stop
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        task.close()
        _running.cancel = outer


class Worker:
    """Runs tasks one after another on a worker thread."""

    def __init__(self, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    def start(
        self, task: Task[T], handle: Callable[[Event], str | None], cancel: Cancel
    ) -> Future[T]:
        """Queue ``task``; the future holds its result or its exception."""
        return self._pool.submit(run, task, handle, cancel)

    def close(self) -> None:
        """Wait for the current task and stop the thread."""
        self._pool.shutdown()


def collect(task: Task[T], answers: dict[str, str] | None = None) -> tuple[T, list[Event]]:
    """Run ``task`` to its end; return its result and every event.

    ``answers`` are found by the key of a question, or by its text.
    """
    events: list[Event] = []

    def handle(event: Event) -> str | None:
        events.append(event)
        if not isinstance(event, Ask):
            return None
        known = answers or {}
        return known.get(event.key, known.get(event.text))

    return run(task, handle, Cancel()), events
