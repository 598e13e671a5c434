"""Laptops and a centre in one thread: what happens next is drawn from one start number.

The code is the product's own, with its real database files; the network between them loses
messages, loses answers, doubles, delays and reorders; users work, verifiers send back, the
dispatcher moves orders, sessions stop anywhere, disks are put back, laptops are cloned, the centre
is restored, and clocks are years off.  At the end the faults stop, and every promise is checked.
"""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.centre.acts import ACCEPT, DISMISS
from app.centre.contract import Act
from app.centre.fold import APPROVED, RECALLED, REJECTED, SETTLED
from app.centre.sqlite_session import SqliteSession
from app.errors import AppError, CentreUnreachable
from app.models.database import FILE
from app.models.journal import JournalEvent
from app.models.order import OrderState, WorkOrder
from app.sync.session import SyncResult, synchronise
from app.tasks import collect
from tests.faults.promises import (
    check_alarms,
    check_epochs,
    check_exactly_once,
    check_files,
    check_forgotten,
    check_signs,
    check_verdicts,
    replay_mail,
    replay_pushes,
    state_of,
)
from tests.faults.quick_world import prepared
from tests.protocol.sync_world import Field, World, check_centre, check_laptop

SESSIONS_UNTIL_QUIET = 6  # I17
TEN_YEARS_S = 10 * 365 * 86_400
BY_NUMBER = (WorkOrder.number, WorkOrder.source)  # an order id is different in every run
READY = (OrderState.ACCEPTED, OrderState.DOWNLOADED, OrderState.STARTED)

# How often each thing happens, of 1000 steps; the rare ones are marked so that runs can be
# counted: see `Simulation.happened`.
WEIGHTS = {
    "sync": 260,
    "take": 80,
    "read": 90,
    "begin": 40,
    "photo": 50,
    "complete": 130,
    "complete_again": 30,
    "assign": 80,
    "recall": 25,
    "approve": 30,
    "reject": 30,
    "settle": 40,
    "stop": 40,
    "late_message": 60,
    "clock": 20,
    "forget": 30,
    "backup": 40,
    "restore": 30,
    "image": 60,
    "put_back": 40,
    "clone": 35,
}


class Network:
    """What lies between laptops and the centre."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.bad = True
        self.late: list[Callable[[], object]] = []

    def carry(self, call: Callable[[], Any], late: Callable[[], object] | None) -> Any:
        """Make one call over the line, or lose it, its answer, or time (not of a question)."""
        draw = self.chance.random() if self.bad else 1.0
        if draw < 0.05:
            raise CentreUnreachable("lost on the way")
        if draw < 0.09 and late:
            self.late.append(late)
            raise CentreUnreachable("on its way, but late")
        answer = call()
        if draw < 0.13:
            raise CentreUnreachable("the answer was lost")
        if draw < 0.17 and late:
            answer = call()
        if draw < 0.19 and late:
            self.late.append(late)
        return answer


class Line:
    """The calls of one laptop over the network; the centre's clock may be years off."""

    def __init__(self, calls: Any, network: Network, clock_s: float) -> None:
        self._calls = calls
        self._network = network
        self._clock = timedelta(seconds=clock_s)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._calls, name)

        def carried(*arguments: Any) -> Any:
            def late() -> None:  # when its session has ended
                with closing(self):
                    call(*arguments)

            repeatable = name in {"push", "ack", "blob_put", "new_incarnation"}
            return self._network.carry(lambda: call(*arguments), late if repeatable else None)

        return carried

    def close(self) -> None:
        """Leave a centre's file open: the next session is a moment away."""
        if not isinstance(self._calls, SqliteSession):
            self._calls.close()

    def hello(self, *arguments: Any) -> Any:
        said = self._network.carry(lambda: self._calls.hello(*arguments), None)
        return replace(said, server_time=said.server_time + self._clock)


class Simulation:
    """One run from one start number; `step` does the next thing, `finish` checks everything."""

    def __init__(
        self, seed: int, folder: Path, world: World, laptops: int = 3, *, clocks: bool = True
    ) -> None:
        self.seed = seed
        self._clocks_move = clocks
        self.chance = random.Random(seed)
        self.folder = folder
        self.world = world
        self.network = Network(self.chance)
        self.happened: dict[str, int] = {}
        self.live: list[Field] = []
        self.clones: set[str] = set()
        self._images: list[Path] = []
        self._copy: Path | None = None
        self._clocks: dict[str, float] = {}
        self._stop_after = 0
        self._forgotten: set[str] = set()
        for number in range(laptops):
            self.live.append(self._laptop(f"l{number}"))
        self._morning()

    def _morning(self) -> None:
        """Begin in the middle of things, so that short runs get somewhere too."""
        for field in self.live:
            self._take(field)
        self._photo(self.live[0])
        with suppress(AppError):
            self._session(self.live[0], batch=500)
        self.do("image")
        self.do("backup")

    # -- what can happen ---------------------------------------------------------------------------

    def step(self) -> None:
        """Do the next thing."""
        what = self.chance.choices([*WEIGHTS], [*WEIGHTS.values()])[0]
        self.do(what)

    def do(self, what: str) -> None:
        """Do one thing by name; what the program refuses is refused."""
        self.happened[what] = self.happened.get(what, 0) + 1
        with suppress(AppError):
            getattr(self, f"_{what}")(self.chance.choice(self.live))

    def _sync(self, field: Field) -> None:
        self._session(field, batch=self.chance.choice([1, 2, 5, 500]))

    def _stop(self, field: Field) -> None:
        """Stop a session at a random point, as a closed lid does."""
        self._stop_after = self.chance.randint(1, 6)
        task = synchronise(field.db, self._centre_for(field), batch=2)
        for _ in range(self._stop_after):
            if next(task, None) is None:
                break
        task.close()

    def _take(self, field: Field) -> None:
        number = self.chance.randint(1, 10**9)
        field.take_orders(1, source=field.device_id, start=number)

    def _read(self, field: Field) -> None:
        order_id = self._any_order(field, "nobody's")
        kind = self.chance.choice(["reading.taken", "step.result", "tango.danced", "check.result"])
        event_id = field.record(order_id, kind, {"n": self.chance.randint(0, 9)})
        with field.db.write() as session:
            row = session.scalars(select(JournalEvent).filter_by(event_id=event_id)).one()
            row.wall += timedelta(seconds=self._clocks.get(str(field.folder), 0.0))

    def _begin(self, field: Field) -> None:
        order_id = self._ready_order(field)
        field.move(order_id, OrderState.STARTED)
        field.record(order_id, "order.state", {"to": "started"})

    def _photo(self, field: Field) -> None:
        field.photograph(self._ready_order(field), self.chance.randbytes(300))

    def _complete(self, field: Field) -> None:
        field.complete(self._ready_order(field))

    def _complete_again(self, field: Field) -> None:
        """Say once more that an order is done, as two programs on one disk would."""
        field.complete(self._any_order(field))

    def _assign(self, field: Field) -> None:
        self.world.centre.assign([self._centre_order()], field.device_id)

    def _recall(self, _: Field) -> None:
        self._act(RECALLED, "dispatcher")

    def _approve(self, _: Field) -> None:
        self._act(APPROVED, "verifier")

    def _reject(self, _: Field) -> None:
        self._act(REJECTED, "verifier")

    def _settle(self, _: Field) -> None:
        items = self.world.centre.reviews()
        if items:
            decision = self.chance.choice([ACCEPT, DISMISS])
            item = self.chance.choice(items).item
            self.world.centre.act(
                Act(SETTLED, who="vera", role="verifier", reason="r", item=item, decision=decision)
            )

    def _late_message(self, _: Field) -> None:
        """Let a message arrive that everybody has given up on."""
        if self.network.late:
            index = self.chance.randrange(len(self.network.late))
            self.network.late.pop(index)()

    def _clock(self, field: Field) -> None:
        moved = self.chance.uniform(-TEN_YEARS_S, TEN_YEARS_S)
        self._clocks[str(field.folder)] = moved if self._clocks_move else 0.0

    def _forget(self, field: Field) -> None:
        """I7: a quarter of a year passes, and the laptop forgets what it may forget."""
        if self.happened.get("restored"):
            return  # the centre may be older than a quarter of a year: see the text on retention
        self._copy = None
        self._forgotten |= check_forgotten(self.world, field)

    def _backup(self, _: Field) -> None:
        self._copy = self.world.backup()

    def _restore(self, _: Field) -> None:
        if self._copy is not None:
            self._put_back_centre(self._copy)

    def _image(self, field: Field) -> None:
        image = field.image(self.folder / f"i{self.happened['image']}")
        if (field.folder / "files").is_dir():
            shutil.copytree(field.folder / "files", image / "files")
        self._images.append(image)

    def _put_back(self, _: Field) -> None:
        """Replace a laptop's disk by an older state of it: what it had not sent is lost."""
        self._from_image(keep=False)

    def _clone(self, _: Field) -> None:
        """Let an old state of a laptop work beside it."""
        if len(self.live) < 6:
            self._from_image(keep=True)

    # -- the end -----------------------------------------------------------------------------------

    def finish(self) -> None:
        """Stop the faults, let everybody sync until quiet, and check the promises."""
        self.network.bad = False
        while self.network.late:
            with suppress(AppError):
                self.network.late.pop()()
        if self._copy is not None and self.chance.random() < 0.2:
            self._put_back_centre(self._copy)
        self._until_quiet()
        check_centre(self.world)
        check_exactly_once(self.world, self.live)
        check_epochs(self.world)
        check_files(self.world, self.live)
        check_alarms(self.world)
        for field in self.live:
            check_signs(self.world, field)
            if field.device_id not in self.clones:
                gone = frozenset(self._forgotten)
                check_laptop(self.world, field, copies=True, forgotten=gone)
                check_verdicts(self.world, field)
        self._replay()

    def _replay(self) -> None:
        """I8: send and apply once more what was sent and applied long ago, in any order."""
        before = state_of(self.world, self.live)
        replay_pushes(self.world, self.chance)
        if alone := [field for field in self.live if field.device_id not in self.clones]:
            replay_mail(self.world, self.chance.choice(alone), self.chance)
        after = state_of(self.world, self.live)
        changed = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
        assert not changed, f"I8: a replay has changed {changed}"

    def _until_quiet(self) -> None:
        """I17: let all sync until every counter agrees; a clone is looked at once more."""
        for _ in range(SESSIONS_UNTIL_QUIET):
            results = [self._session(field, batch=500) for field in self.live]
            heads = dict(self.world.rows("SELECT device_id, mail_head FROM device"))
            read = [field.laptop().mail_cursor == heads[field.device_id] for field in self.live]
            if all(result.in_step for result in results) and all(read):
                return
        raise AssertionError(f"I17: not in step after {SESSIONS_UNTIL_QUIET} sessions each")

    def close(self) -> None:
        """Close all files."""
        self.world.close()

    # -- helpers -----------------------------------------------------------------------------------

    def _put_back_centre(self, copy: Path) -> None:
        """Restore the centre; what was on its way may still arrive, later than everything."""
        self.happened["restored"] = self.happened.get("restored", 0) + 1
        self.world.restore(copy)

    def _session(self, field: Field, batch: int) -> SyncResult:
        return collect(synchronise(field.db, self._centre_for(field), batch=batch))[0]

    def _centre_for(self, field: Field) -> Any:
        simulation = self

        class Reached:
            def session(self, device_id: str) -> Line:
                clock = simulation._clocks.get(str(field.folder), 0.0)
                calls = simulation.world.centre.session(device_id)
                return Line(calls, simulation.network, clock if simulation.network.bad else 0.0)

        return Reached()

    def _laptop(self, name: str) -> Field:
        folder = self.folder / name
        folder.mkdir()
        shutil.copyfile(prepared() / FILE, folder / FILE)
        with closing(sqlite3.connect(folder / FILE)) as connection, connection:
            device_id = f"{name}-{self.seed}"
            connection.execute("UPDATE laptop SET device_id = ?", (device_id,))
        field = self.world.open(folder)
        self.world.centre.enrol(field.device_id, name)
        return field

    def _from_image(self, *, keep: bool) -> None:
        if not self._images:
            return
        image = self._images.pop(self.chance.randrange(len(self._images)))
        with closing(sqlite3.connect(image / FILE)) as connection:
            ((device_id,),) = connection.execute("SELECT device_id FROM laptop").fetchall()
        if not keep:
            old = [field for field in self.live if field.device_id == device_id]
            for field in old:
                self.live.remove(field)
                field.close()
        # A push of the lost disk that is still on its way may arrive after all was read back.
        if self.network.late or any(field.device_id == device_id for field in self.live):
            self.clones.add(device_id)
        self.live.append(self.world.open(image))

    def _any_order(self, field: Field, *more: str) -> str:
        with field.db.read() as session:
            ids = session.scalars(select(WorkOrder.order_id).order_by(*BY_NUMBER)).all()
        if not ids and not more:
            raise CentreUnreachable("nothing to do")
        return self.chance.choice([*ids, *more])

    def _ready_order(self, field: Field) -> str:
        with field.db.read() as session:
            ids = session.scalars(
                select(WorkOrder.order_id).where(WorkOrder.state.in_(READY)).order_by(*BY_NUMBER)
            ).all()
        if not ids:
            raise CentreUnreachable("nothing to do")
        return self.chance.choice(ids)

    def _centre_order(self) -> str:
        if not (orders := self.world.centre.orders()):
            raise CentreUnreachable("nothing to do")
        return self.chance.choice(orders).order_id

    def _act(self, kind: str, role: str) -> None:
        act = Act(kind, self._centre_order(), who="vera", role=role, reason="r")
        self.world.centre.act(act)
