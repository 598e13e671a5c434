"""Faults at every step of a laptop's day: nothing lost, nothing twice, nothing stuck.

Steps are all SQL statements, on both sides, reading ones too, and calls of the centre.  SIGKILL
ends the process before the n-th; a full disk makes every write fail from the n-th on until the
error has surfaced.  After each fault the same folder is taken up again and the invariants I1 to
I3, I5, I6 are checked.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from app.models.order import OrderState
from tests.faults.quick_world import QuickWorld
from tests.protocol.sync_world import World, check_invariants

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX"),
    pytest.mark.timeout(600),
]

ROOT = Path(__file__).resolve().parents[2]
EVERY = {"kill": 1, "full": 9}  # every n-th step is tried
RUN = "run"  # the folder of all days, so that what was compiled for one serves the next
KILLED = -9


class Child:
    """The process that forks the days; they are all done at ``place / RUN``."""

    def __init__(self, place: Path) -> None:
        self.folder = place / RUN
        self._said = (place / "said").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sync_child", str(self.folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self.folder.mkdir()
        assert self._process.stdout.readline() == "ready\n"
        shutil.rmtree(self.folder)

    def begin(self, morning: Path) -> Path:
        """Let the next days begin as this folder is."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(morning, self.folder)
        return self.folder

    def day(self, action: str = "none", at: int = 0) -> tuple[int, int]:
        """Do a day; return the exit status and the steps counted."""
        self._ask(f"{action} {at} {self.folder}")
        return self._told()

    def watched_day(self, watch: Callable[[int], AbstractContextManager[object]]) -> int:
        """Do a day that ``watch`` is told the process of before it begins; return its status."""
        self._ask(f"wait 0 {self.folder}")
        with watch(int(self._process.stdout.readline())):
            self._ask("go")
            return self._told()[0]

    def _ask(self, line: str) -> None:
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def _told(self) -> tuple[int, int]:
        status, count = self._process.stdout.readline().split()
        return int(status), int(count)

    def said(self) -> str:
        """Return the end of what the days have said, errors above all."""
        self._said.flush()
        return (self.folder.parent / "said").read_text("utf-8")[-4000:]

    def close(self) -> None:
        self._process.communicate()
        self._said.close()


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a kill keeps the system's cache either way."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def child(place: Path) -> Iterator[Child]:
    made = Child(place)
    yield made
    made.close()


@pytest.fixture(scope="module")
def morning(place: Path) -> Path:
    """A centre and a laptop: one order imported, one waiting in the mailbox."""
    folder = place / "morning"
    folder.mkdir()
    begin(World(folder))
    return folder


def begin(world: World) -> None:
    """Prepare a day: one order imported, one waiting in the mailbox."""
    ana, ben = world.laptop("ana"), world.laptop("ben")
    ana.take_orders(1)
    (given,) = ben.take_orders(1, source="other")
    world.sync(ben)
    world.centre.assign([given], ana.device_id)
    world.close()


def evening(folder: Path) -> None:
    """Check what a day has left."""
    world = QuickWorld(folder)
    try:
        ana = world.open(folder / "ana")
        check_invariants(world, ana)
        done = [row.order_id for row in ana.events() if row.kind == "order.done"]
        assert len(done) == len(set(done)) == 2, "an order was done twice or not at all"
        assert [ana.state(order_id) for order_id in done] == [OrderState.SUBMITTED] * 2
        for sha256, size, complete in world.rows("SELECT sha256, size, complete FROM blob"):
            assert complete, f"{sha256} of {size} bytes is not whole"
        rows = world.rows("SELECT state, verdict FROM work_order")
        assert rows == [("in_review", "PASS")] * 2
    finally:
        world.close()


@pytest.mark.parametrize("action", ["kill", "full"])
def test_a_fault_at_any_step_of_a_day_loses_and_doubles_nothing(child, morning, action):
    folder = child.begin(morning)
    status, points = child.day()
    assert status == 0
    evening(folder)
    tried = range(1, points + 1, EVERY[action])
    for at in tried:
        child.begin(morning)
        status, _ = child.day(action, at)
        assert status == (KILLED if action == "kill" else 0), (
            f"{action} at {at}: {status}\n{child.said()}"
        )
        if action == "kill":
            assert child.day()[0] == 0, f"stuck after {action} at {at}"
        evening(folder)
    sys.stdout.write(f"{action}: {len(tried)} of {points} points tried, failures 0\n")
