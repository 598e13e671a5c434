"""Sessions with a meter: working an order, and reading a meter without one.

They outlive the pages that show them.  What a fast meter finds is announced in batches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import Cancelled
from app.messages import Message, explain
from app.tasks import Ask, Found, Progress, Task
from app.views.findings import Findings
from app.views.forecast import Forecast
from app.views.station import Station, is_defect
from app.views.task_runner import TaskRunner

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.known_meters import Place
    from app.views.desk_protocol import StoredLike
    from app.workorders.results import StepView

BATCH_MS = 120
# Types digits, then tells what the display says, as long as the widget is there.
Keys = Callable[[str, Callable[[str], None], QObject], None]


class LineSession(QObject):
    """One task on the line at a time, with its progress, question, findings and failure."""

    found = Signal()  # findings have changed, several at once
    moved = Signal()  # progress
    turned = Signal()  # began, asked, answered, ended: the page must look different

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.station = station
        self.findings = Findings()
        self.forecast = Forecast()
        self.question: Ask | None = None
        self.failure: Message | None = None
        self.defect: BaseException | None = None  # the failure, where it is the program's own
        self.notes: tuple[str, ...] = ()  # what the line showed, of a failure
        self.stopped = False
        self.runner = TaskRunner(station.line, self)
        self.runner.progressed.connect(self._progressed)
        self.runner.asked.connect(self._asked)
        self.runner.found.connect(self._found)
        self.runner.succeeded.connect(self._succeeded)
        self.runner.failed.connect(self._failed)
        self._batch = QTimer(self)
        self._batch.setSingleShot(True)
        self._batch.setInterval(BATCH_MS)
        self._batch.timeout.connect(self.found)

    @property
    def running(self) -> bool:
        """Whether the task is under way, also while it waits for an answer."""
        return self.runner.busy

    def begin(self, task: Task[Any]) -> None:
        """Start ``task`` if the line is free."""
        self.forecast = Forecast()
        if self.station.start_on_line(self.runner, task):
            self.failure, self.question, self.stopped = None, None, False
            self.defect, self.notes = None, ()
            self.turned.emit()

    def answer(self, text: str) -> None:
        """Answer the question that is open."""
        if self.question is not None:
            self.question = None
            self.runner.answer(text)
            self.turned.emit()

    def stop(self) -> None:
        """Stop at the next frame; the meter is signed off."""
        if self.running:
            self.runner.cancel()
            self.station.noticed.emit("x", "Stopping. The meter is signed off first.")

    def absorb(self, found: Found) -> None:
        """Add one finding; sessions that know more override this."""
        self.findings.take(found)

    def ended(self, result: object) -> None:
        """Do what follows a good end; sessions that know more override this."""

    def _progressed(self, progress: Progress) -> None:
        self.forecast.take(progress)
        self.moved.emit()

    def _asked(self, question: Ask) -> None:
        self.question = question
        self.turned.emit()

    def _found(self, found: Found) -> None:
        self.absorb(found)
        if found.what == "notice":
            self.station.noticed.emit("info", str(found.item))
        if found.what == "identity":
            self.station.meet(self.findings.identity or found.item)  # type: ignore[arg-type]
        if not self._batch.isActive():
            self._batch.start()

    def _succeeded(self, result: object) -> None:
        self.question = None
        self.ended(result)
        self._settle()

    def _failed(self, error: BaseException) -> None:
        self.question = None
        self.stopped = isinstance(error, Cancelled)
        self.failure = None if self.stopped else explain(error)
        self.defect = error if is_defect(error) else None
        self.notes = tuple(getattr(error, "__notes__", ()))
        self._settle()

    def _settle(self) -> None:
        self._batch.stop()
        self.station.end_session()  # the task has signed off
        self.found.emit()
        self.turned.emit()
        self.station.count_unsent()


class WorkSession(LineSession):
    """One order: its steps, and the visit that works them."""

    loaded = Signal()

    def __init__(self, station: Station, order_id: str) -> None:
        super().__init__(station)
        self.order_id = order_id
        self.steps: list[StepView] = []
        self.detail: Any = None  # app.workorders.queue.OrderDetail
        self.report: Path | None = None
        self._moment = ""

    def load(self) -> None:
        """Fetch what the laptop keeps of the order."""
        db, order_id, desk = self.station.desk.db, self.order_id, self.station.desk

        def work() -> tuple[Any, Sequence[Any], Any]:
            from app.workorders.queue import order_detail
            from app.workorders.results import steps_view

            return order_detail(db, order_id), steps_view(db, order_id), desk.stored(order_id)

        fetch = self.station.fetcher.fetch
        fetch(f"order {order_id}", work, self._loaded, self.station.refused.emit)

    @property
    def here(self) -> int:
        """Position of the step that runs or comes next; the last one when all are done."""
        for step in self.steps:
            if step.state not in {"done", "skipped"}:
                return step.position
        return max(0, len(self.steps) - 1)

    @property
    def done(self) -> int:
        """Number of steps that are done or left out."""
        return sum(step.state in {"done", "skipped"} for step in self.steps)

    @property
    def finished(self) -> bool:
        """Whether every step is done or left out."""
        return bool(self.steps) and self.done == len(self.steps)

    def start(self) -> None:
        """Work the order from where it stopped."""
        at = self.station
        self.begin(at.desk.work(self.order_id, at.target, meter_type=at.meter_type))

    def reach(self, ask: Callable[[], object]) -> None:
        """Start where the meter of the order answered last; ``ask`` where nobody knows that."""
        bench, station = self.station.desk.bench, self.station
        serial = self.detail.row.meter_serial if self.detail is not None else ""

        def go(place: Place | None) -> None:
            if place is None:
                ask()
            elif not self.running:
                title = f"Meter {serial}"
                station.choose_port(place.link, title, place.meter_type, place.overrides)
                self.start()

        fetch = station.fetcher.fetch
        fetch("place of order", lambda: bench.place_of(serial), go, station.refused.emit)

    def virtual_port(self) -> str:
        """Return where the order's meter hangs when it is a virtual one, else ""."""
        detail = self.detail
        return self.station.desk.port_of(detail.row.meter_serial) if detail is not None else ""

    def virtual_keypad(self) -> Keys | None:
        """Return what types on the order's meter when that is a virtual one."""
        desk, station = self.station.desk, self.station
        press, serial = desk.keypad, self.detail.row.meter_serial if self.detail else ""
        if press is None:
            return None

        def keys(digits: str, then: Callable[[str], None], owner: QObject) -> None:
            fetch = station.fetcher.fetch
            fetch("keypad", lambda: press(serial, digits), then, station.refused.emit, owner)

        return keys

    def leave_out(self, key: str, reason: str) -> None:
        """Have a step left out for a coded reason, then go on."""
        db, order_id = self.station.desk.db, self.order_id

        def work() -> None:
            from app.workorders.runner import skip_step

            skip_step(db, order_id, key, reason)

        fetch = self.station.fetcher.fetch
        fetch(f"skip {order_id}", work, lambda _: self.start(), self.station.refused.emit)

    def absorb(self, found: Found) -> None:
        """Add one finding; a step changes the stepper."""
        item: Any = found.item
        if found.what == "step":
            if item.position < len(self.steps):
                self.steps[item.position] = item
            self._moment = item.title
            if item.state == "running" and item.kind == "registers":
                readings = self.findings.readings
                self.findings.readings = [pair for pair in readings if pair[0] != item.title]
            self.station.count_unsent()
            self.turned.emit()
        else:
            self.findings.take(found, self._moment)

    def ended(self, _result: object) -> None:
        """Read back what the laptop keeps, with the order's new state."""
        self.load()

    def _loaded(self, answer: tuple[Any, Sequence[Any], StoredLike]) -> None:
        self.detail, steps, stored = answer
        self.steps = list(steps)
        if not self.running:
            self.findings.take_stored(stored)
            self.report = stored.report
        self.loaded.emit()
        self.found.emit()
        self.turned.emit()


class ReadSession(LineSession):
    """Reading a meter without an order: nothing is booked, all can be exported."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.what: tuple[str, ...] = ("registers", "profile", "events", "clock")

    def start(self) -> None:
        """Read what is wanted from the meter at the chosen port."""
        if not self.station.line_busy():
            self.findings.clear()
        self.begin(self.station.desk.bench.read(self.station.at(), self.what))

    def ended(self, _result: object) -> None:
        """Note that nothing is missing."""
        self.findings.whole = True
