"""A laptop's day in a process that can be killed, or run out of disk, before the n-th step.

Reads lines "ACTION N FOLDER" and answers each with the exit status of a forked process that did
the day and, when it lived, the number of steps.  A step is an SQL statement of any kind, on the
laptop or at the centre, a call of the centre, or a connect, send or receive on the line to it.
With the action "wait" the day begins when one more line comes; before that its process id is
answered, so that it can be watched.

Started with a folder, what every day needs is loaded and compiled before the first: an engine
serves all days whose files are at the place of its first.
"""

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
import traceback
from functools import cache
from importlib import import_module
from pathlib import Path

from sqlalchemy import Engine, event, select

from app.centre import store, wire
from app.centre.contract import CentreSession
from app.centre.opening import open_centre
from app.errors import AppError
from app.models import database
from app.models.engine import sqlite_engine
from app.models.order import OrderState, WorkOrder
from app.sync.session import SyncResult, synchronise
from app.tasks import collect
from tests.protocol.sync_world import CENTRE_FILE, Field, World

URL_FILE = "centre.url"  # where the centre is no file of the folder
PHOTO = 300_000  # two chunks
_SESSIONS = 6


class Steps:
    """Counts steps and does the harm before the n-th."""

    def __init__(self, action: str, at: int) -> None:
        self.count = 0
        self._action = action
        self._at = at
        event.listen(Engine, "connect", lambda raw, _: raw.set_trace_callback(self.tick))

    def tick(self, _statement: str = "") -> None:
        self.count += 1
        if self.count != self._at:
            return
        if self._action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._action == "full":
            room(0)


def room(size: int) -> None:
    """Limit the size of files: 0 makes every write fail as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


class CountedCalls:
    """The calls of one laptop, each of them a step before and after."""

    def __init__(self, calls: CentreSession, steps: Steps) -> None:
        self._calls = calls
        self._steps = steps

    def __getattr__(self, name):
        call = getattr(self._calls, name)

        def counted(*arguments):
            self._steps.tick()
            answer = call(*arguments)
            self._steps.tick()
            return answer

        return counted


class CountedSocket(socket.socket):
    """A socket whose every send and receive is a step."""

    steps: Steps

    def send(self, *arguments):
        self.steps.tick()
        return super().send(*arguments)

    def recv_into(self, *arguments):
        self.steps.tick()
        return super().recv_into(*arguments)


def counted_lines(steps: Steps) -> None:
    """Let all lines to PostgreSQL count."""
    plain = wire.connected_socket

    def counted(where: wire.Address) -> CountedSocket:
        steps.tick()
        line = plain(where)
        wait = line.gettimeout()
        made = CountedSocket(line.family, line.type, line.proto, fileno=line.detach())
        made.settimeout(wait)
        made.steps = steps
        return made

    wire.connected_socket = counted


class CountedCentre:
    """The centre, with counted calls."""

    def __init__(self, folder: Path, steps: Steps) -> None:
        file = folder / URL_FILE
        url = file.read_text() if file.exists() else str(folder / CENTRE_FILE)
        self._centre = open_centre(url)
        self._steps = steps

    def session(self, device_id: str) -> CountedCalls:
        return CountedCalls(self._centre.session(device_id), self._steps)


def day(folder: Path, steps: Steps) -> None:
    """Take the mail, do what is open, sync until in step; an error is met by trying again."""
    for _ in range(_SESSIONS):
        try:
            result = _attempt(folder, steps)
        except AppError as error:
            room(resource.RLIM_INFINITY)
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            continue
        if result.in_step:
            return
    raise RuntimeError("not in step: the queue does not empty")


def _attempt(folder: Path, steps: Steps) -> SyncResult:
    field = Field(folder / "ana")
    try:
        centre = CountedCentre(folder, steps)
        collect(synchronise(field.db, centre))
        with field.db.read() as session:
            ready = [OrderState.ACCEPTED, OrderState.DOWNLOADED]
            orders = session.scalars(
                select(WorkOrder.order_id).where(WorkOrder.state.in_(ready))
            ).all()
        for order_id in orders:
            field.record(order_id, "reading.taken", {"values": ["1.5"]})
            if order_id == orders[0]:
                field.photograph(order_id, order_id.encode() * (PHOTO // len(order_id)))
            field.complete(order_id)
        return collect(synchronise(field.db, centre, batch=3))[0]
    finally:
        field.close()


def keep_engines() -> None:
    """Let the next database at the same place use the statements compiled for the one before."""
    made = cache(sqlite_engine)
    for module in (database, store):
        module.sqlite_engine = made


def warm_up(folder: Path) -> None:
    """Do once in ``folder`` what every forked process would otherwise load and set up again."""
    keep_engines()
    import_module("app.centre.postgres")  # loads the driver
    world = World(folder)
    ana, ben = world.laptop("ana"), world.laptop("ben")
    (given,) = ben.take_orders(1, source="other")
    world.sync(ben)
    world.centre.assign([given], ana.device_id)
    ana.take_orders(1)
    world.close()
    day(folder, Steps("none", 0))
    gc.freeze()


def may_be_watched() -> None:
    """Let a process that is no parent of this one trace it, where the system asks for that."""
    set_ptracer, anybody = 0x59616D61, ctypes.c_ulong(-1)
    ctypes.CDLL(None).prctl(set_ptracer, anybody, 0, 0, 0)


def forked(action: str, at: int, folder: Path) -> tuple[int, str]:
    """Do a day in a process of its own; return its exit status and, when it lived, the steps."""
    read_end, write_end = os.pipe()
    go_read, go_write = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            if action == "wait":
                may_be_watched()
                os.read(go_read, 1)
            steps = Steps(action, at)
            counted_lines(steps)
            day(folder, steps)
            room(resource.RLIM_INFINITY)
            os.write(write_end, str(steps.count).encode())
            os._exit(0)
        except BaseException:  # noqa: BLE001 - the parent must hear of it
            traceback.print_exc()
            os._exit(1)
    if action == "wait":
        answer(str(pid))
        sys.stdin.readline()
        os.write(go_write, b"g")
    for end in (write_end, go_read, go_write):
        os.close(end)
    _, status = os.waitpid(pid, 0)
    with os.fdopen(read_end, "rb") as pipe:
        return os.waitstatus_to_exitcode(status), pipe.read().decode() or "0"


def answer(line: str) -> None:
    """Say a line to who asked."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve requests until the input ends."""
    warm_up(Path(sys.argv[1]))
    answer("ready")
    while line := sys.stdin.readline():
        action, at, folder = line.split(maxsplit=2)
        status, count = forked(action, int(at), Path(folder.strip()))
        answer(f"{status} {count}")


if __name__ == "__main__":
    main()
