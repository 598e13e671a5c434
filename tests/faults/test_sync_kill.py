"""Faults at every step of a laptop's day: nothing lost, nothing twice, nothing stuck.

Steps are SQL statements that write, on both sides, and calls of the centre.  SIGKILL ends the
process before the n-th; a full disk makes every write fail from the n-th on until the error has
surfaced.  After each fault the same folder is taken up again and the invariants I1 to I3, I5, I6
are checked.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.order import OrderState
from tests.protocol.sync_world import World, check_invariants

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX")

ROOT = Path(__file__).resolve().parents[2]
EVERY = {"kill": 1, "full": 6}  # every n-th step is tried
KILLED = -9


class Child:
    """The process that forks the days."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.sync_child"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def day(self, folder: Path, action: str = "none", at: int = 0) -> tuple[int, int]:
        """Do a day in ``folder``; return the exit status and the steps counted."""
        self._process.stdin.write(f"{action} {at} {folder}\n")
        self._process.stdin.flush()
        status, count = self._process.stdout.readline().split()
        return int(status), int(count)

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.close()


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder in memory where there is one: a kill keeps the system's cache either way."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


@pytest.fixture
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
    world = World(folder)
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
def test_a_fault_at_any_step_of_a_day_loses_and_doubles_nothing(child, morning, place, action):
    calm = place / "calm"
    shutil.copytree(morning, calm)
    status, points = child.day(calm)
    assert status == 0
    evening(calm)
    tried = range(1, points + 1, EVERY[action])
    for at in tried:
        folder = place / "faulty"
        shutil.copytree(morning, folder)
        status, _ = child.day(folder, action, at)
        assert status == (KILLED if action == "kill" else 0), f"{action} at {at}: status {status}"
        if action == "kill":
            assert child.day(folder)[0] == 0, f"stuck after {action} at {at}"
        evening(folder)
        shutil.rmtree(folder)
    sys.stdout.write(f"{action}: {len(tried)} of {points} points tried, failures 0\n")
