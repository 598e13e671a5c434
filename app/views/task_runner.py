"""Runs tasks behind the window and brings their events back to the GUI thread."""

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal
from shiboken6 import isValid

from app.errors import Cancelled
from app.tasks import Ask, Cancel, Event, Found, Progress, Task, Worker

POLL = 0.05  # s, how often a waiting question looks for its answer or a cancel

T = TypeVar("T")


class TaskRunner(QObject):
    """One task at a time; all signals arrive in the GUI thread."""

    progressed = Signal(Progress)
    asked = Signal(Ask)
    found = Signal(Found)
    succeeded = Signal(object)
    failed = Signal(object)
    _ended = Signal(object)

    def __init__(self, runner: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._runner = runner
        self._cancel = Cancel()
        self._answer: Future[str] = Future()
        self._busy = False
        self._ended.connect(self._end, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether a task is under way."""
        return self._busy

    def start(self, task: Task[Any]) -> None:
        """Begin ``task`` in the worker thread."""
        self._cancel = Cancel()
        self._busy = True
        self._runner.start(task, self._handle, self._cancel).add_done_callback(self._ended.emit)

    def answer(self, choice: str) -> None:
        """Give the operator's choice to the waiting task; a second click changes nothing."""
        if not self._answer.done():
            self._answer.set_result(choice)

    def cancel(self) -> None:
        """Stop the task at its next check, also when it waits for an answer."""
        self._cancel.press()

    def _handle(self, event: Event) -> str | None:  # worker thread
        if isinstance(event, Ask):
            self._answer = Future()
            self.asked.emit(event)
            while not self._answer.done():
                self._cancel.sleep(POLL)
            return self._answer.result()
        if isinstance(event, Found):
            self.found.emit(event)
        else:
            self.progressed.emit(event)
        return None

    def _end(self, future: Future[Any]) -> None:
        self._busy = False
        error = future.exception()
        emit: Callable[[Any], None] = self.failed.emit if error else self.succeeded.emit
        emit(error or future.result())


def call(work: Callable[[], T]) -> Task[T]:
    """Make a task of a plain call, so that it can run behind the window."""
    yield from ()
    return work()


def _while_there(owner: QObject, act: Callable[[T], None]) -> Callable[[T], None]:
    def acting(item: T) -> None:
        if isValid(owner):
            act(item)

    return acting


class Fetcher(QObject):
    """Asks questions of the data behind the window; of each kind only the newest answer counts."""

    _ended = Signal(str, int, object)

    def __init__(self, worker: Worker, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = worker
        self._numbers = itertools.count(1)
        self._closed = False
        self._open: dict[
            str, tuple[int, Callable[[Any], None], Callable[[BaseException], None]]
        ] = {}
        self._ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def fetch(
        self,
        kind: str,
        work: Callable[[], T],
        then: Callable[[T], None],
        failed: Callable[[BaseException], None],
        owner: QObject | None = None,
    ) -> None:
        """Call ``work`` in the worker and ``then`` with its result in the GUI thread.

        A newer question of the same ``kind`` makes this one's answer worthless, and so does the
        end of its ``owner``: pages are made anew while answers are on their way.
        """
        if self._closed:
            return
        number = next(self._numbers)
        if owner is not None:
            then, failed = _while_there(owner, then), _while_there(owner, failed)
        self._open[kind] = (number, then, failed)

        def ended(future: Future[T]) -> None:
            self._ended.emit(kind, number, future)

        def run() -> T:
            if self._open.get(kind, (0,))[0] != number:
                raise Cancelled
            return work()

        self._worker.start(call(run), lambda _: None, Cancel()).add_done_callback(ended)

    def close(self) -> None:
        """Ask nothing any more, and take no answer that is still on its way."""
        self._closed = True
        self._open.clear()

    def forget(self, kind: str) -> None:
        """Let the answer to ``kind`` come to nothing."""
        self._open.pop(kind, None)

    def _deliver(self, kind: str, number: int, future: Future[Any]) -> None:
        waiting = self._open.get(kind)
        if waiting is None or waiting[0] != number:
            return
        del self._open[kind]
        error = future.exception()
        if error is None:
            waiting[1](future.result())
        else:
            waiting[2](error)
