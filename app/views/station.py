"""The operator's place: the desk, the workers behind the window, and what is connected.

Pages come and go with the theme; what they show lives here and in the sessions beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from app.errors import AppError, Cancelled
from app.messages import Message, explain
from app.tasks import Found, Progress, Task, Worker
from app.views.auto_sync import AutoSync
from app.views.task_runner import Fetcher, TaskRunner
from drivers.errors import DriverError
from drivers.values import Identity

if TYPE_CHECKING:
    from app.services.connection import Overrides
    from app.views.desk_protocol import DeskLike
    from app.workorders.bench import At


@dataclass(frozen=True)
class Standing:
    """What the connection bar shows."""

    state: str = "idle"  # idle, connecting, connected, working
    meter: str = ""
    kind: str = ""
    port: str = ""
    role: str = ""
    person: str = ""  # who has signed in; "" in single hands
    may_connect: bool = True
    unsent: int = 0
    syncing: bool = False
    sync_problem: Message | None = None


class Station(QObject):
    """Holds the desk and the workers; ``changed`` says that the connection bar is out of date."""

    changed = Signal()
    noticed = Signal(str, str)  # icon, text
    refused = Signal(object)  # an error that has no page of its own
    synced = Signal(object)  # SyncResult
    connected = Signal(object)  # Identity

    def __init__(self, desk: DeskLike) -> None:
        super().__init__()
        self.desk = desk
        self.data = Worker("data")
        self.line = Worker("meter")
        self._post = Worker("sync")
        self.fetcher = Fetcher(self.data, self)
        self.office = Fetcher(self._post, self)  # what is asked of the centre
        self.target = desk.settings.text("connection.port")
        self.meter_type = desk.settings.text("connection.meter_type")
        self.port_title = desk.title_of(self.target)
        self.overrides: Overrides | None = None  # settings that were found for this port
        self.serial = self.secret = ""  # of the meter there, and the secret's name, where chosen
        self.identity: Identity | None = None
        self.connecting = TaskRunner(self.line, self)
        self.connecting.succeeded.connect(self._connected)
        self.connecting.failed.connect(self._not_connected)
        self.syncing = TaskRunner(self._post, self)
        self.syncing.succeeded.connect(self._synced)
        self.syncing.failed.connect(self._not_synced)
        self.syncing.progressed.connect(self._sync_progress)
        self.syncing.found.connect(self._sync_found)
        self.sync_words = ""
        self.sync_problem: Message | None = None  # of the last sync, None when it went through
        self._sync_quietly = False
        self.auto = AutoSync(self)
        self._holder: TaskRunner | None = None
        self._unsent = 0
        self.count_unsent()

    def standing(self) -> Standing:
        """Give what the connection bar shows."""
        state = "idle"
        if self.connecting.busy:
            state = "connecting"
        elif self._holder is not None and self._holder.busy:
            state = "working"
        elif self.identity is not None:
            state = "connected"
        meter = self.identity
        return Standing(
            state,
            meter.serial or meter.utility_serial if meter else "",
            " ".join(part for part in (meter.manufacturer, meter.model) if part) if meter else "",
            self.port_title,
            role="" if self.desk.locked else self.desk.role,
            person=self.desk.who if self.desk.shared and not self.desk.locked else "",
            may_connect=self.desk.may("meter.read"),
            unsent=self._unsent,
            syncing=self.syncing.busy,
            sync_problem=self.sync_problem,
        )

    def at(self) -> At:
        """Give where the meter hangs, and how it is spoken to."""
        from app.workorders.bench import At

        return At(self.target, self.meter_type, self.overrides, self.serial, self.secret)

    def choose_port(
        self,
        target: str,
        title: str,
        meter_type: str,
        overrides: Overrides | None = None,
        *,
        serial: str = "",
        secret: str = "",
    ) -> None:
        """Use another port or meter type from now on, also after the next start."""
        self.target, self.port_title, self.meter_type = target, title, meter_type
        self.overrides, self.serial, self.secret = overrides, serial, secret
        self.identity = None
        self.keep({"connection.port": target, "connection.meter_type": meter_type})
        self.changed.emit()

    def keep(self, values: dict[str, object]) -> None:
        """Save settings behind the window."""
        settings = self.desk.settings
        kind = "settings " + " ".join(sorted(values))
        self.fetcher.fetch(kind, lambda: settings.update(values), _nothing, self.refused.emit)

    def take_line(self, runner: TaskRunner) -> bool:
        """Give the line to meters to ``runner``; False when somebody uses it already."""
        busy = self.line_busy()
        if busy and self._holder is not runner:
            self.noticed.emit("plug", "The probe is in use. Stop what is running first.")
            return False
        self._holder = runner
        return not busy

    def start_on_line(self, runner: TaskRunner, task: Task[Any]) -> bool:
        """Start ``task`` on the line to meters if it is free."""
        if not self.take_line(runner):
            task.close()
            return False
        runner.start(task)
        self.changed.emit()
        return True

    def connect_meter(self) -> None:
        """Find out who is at the chosen port."""
        self.start_on_line(self.connecting, self.desk.bench.connect(self.at()))

    def end_session(self) -> None:
        """Leave the meter."""
        if self.connecting.busy:
            self.connecting.cancel()
        self.identity = None
        self.changed.emit()

    def meet(self, identity: Identity) -> None:
        """Remember which meter answered."""
        self.identity = identity
        self.changed.emit()

    def sync(self) -> None:
        """Send the journal to the centre and take the mail, as the operator asks."""
        self._sync_quietly = False
        self._begin_sync()

    def sync_by_itself(self) -> None:
        """Do the same without being asked: nobody is interrupted by what comes of it."""
        if not self.syncing.busy:
            self._sync_quietly = True
            self._begin_sync()

    def line_busy(self) -> bool:
        """Whether something talks to a meter, or waits for an answer in the middle of it."""
        return self.connecting.busy or (self._holder is not None and self._holder.busy)

    def _begin_sync(self) -> None:
        if self.syncing.busy:
            return
        self.syncing.start(self.desk.synchronise(batch=self.auto.batch))
        self.changed.emit()

    def _sync_found(self, found: Found) -> None:
        if found.what == "notice":
            self.noticed.emit("info", str(found.item))

    def count_unsent(self) -> None:
        """Ask how many events the centre has not acknowledged."""
        self.fetcher.fetch("unsent", self.desk.pending, self._counted, self.refused.emit)

    def busy(self) -> bool:
        """Whether something talks to a meter or to the centre."""
        return self.line_busy() or self.syncing.busy

    def stop_all(self) -> None:
        """Ask everything that runs to stop."""
        for runner in (self._holder, self.connecting, self.syncing):
            if runner is not None and runner.busy:
                runner.cancel()

    def close(self) -> None:
        """Stop the workers; nothing may be running any more."""
        self.auto.stop()
        self.fetcher.close()
        self.office.close()
        for worker in (self.data, self.line, self._post):
            worker.close()

    def _counted(self, number: int) -> None:
        if number != self._unsent:
            self._unsent = number
            self.changed.emit()

    def _connected(self, identity: Identity) -> None:
        self.identity = identity
        self.connected.emit(identity)
        self.changed.emit()

    def _not_connected(self, error: BaseException) -> None:
        self.changed.emit()
        if not isinstance(error, Cancelled):
            self.refused.emit(error)

    def _sync_progress(self, progress: Progress) -> None:
        self.sync_words = progress.text

    def _synced(self, result: object) -> None:
        self.sync_words, self.sync_problem = "", None
        self.auto.went_through()
        self.count_unsent()
        self.changed.emit()
        moved = getattr(result, "sent", 0) or getattr(result, "received", 0)
        if moved or not self._sync_quietly:
            self.noticed.emit("cloud-upload", sync_sentence(result))
        self.synced.emit(result)

    def _not_synced(self, error: BaseException) -> None:
        self.sync_words = ""
        stopped = isinstance(error, Cancelled)
        self.sync_problem = self.sync_problem if stopped else explain(error)
        if not stopped:
            self.auto.broke()
        self.count_unsent()
        self.changed.emit()
        if stopped:
            self.noticed.emit("cloud-upload", explain(error).title)
        elif not self._sync_quietly or is_defect(error):
            self.refused.emit(error)


def is_defect(error: BaseException) -> bool:
    """Tell whether an error is the program's own, not one of a meter, a port or an input."""
    return not isinstance(error, AppError | DriverError | Cancelled)


def sync_sentence(result: object) -> str:
    """Say what a sync has done, also that it had nothing to do."""
    sent, received = int(getattr(result, "sent", 0)), int(getattr(result, "received", 0))
    warnings = " ".join(getattr(result, "warnings", ()))
    if warnings:
        return f"{sent:,} sent, {received:,} received. {warnings}"
    if not sent and not received:
        return "Nothing to send, nothing new from the centre."
    end = "The centre has everything." if getattr(result, "in_step", False) else "More to send."
    return f"{sent:,} sent, {received:,} received. {end}"


def _nothing(_: object) -> None:
    """Take an answer that nobody waits for."""
