"""SIGKILL at every SQL statement, call and socket operation of a laptop's day on PostgreSQL."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from app.models.order import OrderState
from tests.faults.sync_child import URL_FILE
from tests.faults.test_sync_kill import KILLED, Child
from tests.protocol.sync_world import check_invariants, postgres_world

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(600 if os.environ.get("METERWRIGHT_FAULTS") else 120),
    pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX"),
]

POINTS = 10_000 if os.environ.get("METERWRIGHT_FAULTS") == "all" else 16


@pytest.fixture
def place():
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def morning(folder: Path):
    """A world with one order imported and one in the mailbox; the child finds it by its address."""
    folder.mkdir()
    world = postgres_world(folder)
    ana, ben = world.laptop("ana"), world.laptop("ben")
    ana.take_orders(1)
    (given,) = ben.take_orders(1, source="other")
    world.sync(ben)
    world.centre.assign([given], ana.device_id)
    (folder / URL_FILE).write_text(world.centre.logins[ana.device_id])
    for field in (ana, ben):
        field.close()
    world.fields.clear()
    return world


def evening(world) -> None:
    ana = world.open(world.folder / "ana")
    check_invariants(world, ana)
    done = [row.order_id for row in ana.events() if row.kind == "order.done"]
    assert len(done) == len(set(done)) == 2, "an order was done twice or not at all"
    assert [ana.state(order_id) for order_id in done] == [OrderState.SUBMITTED] * 2
    assert world.rows("SELECT count(*) FROM blob WHERE NOT complete") == [(0,)]


def test_a_kill_at_any_step_of_a_day_loses_and_doubles_nothing(place):
    child = Child()
    try:
        world = morning(place / "calm")
        status, points = child.day(world.folder)
        assert status == 0
        evening(world)
        world.close()
        tried = range(1, points + 1, max(1, points // POINTS))
        for at in tried:
            world = morning(place / f"kill{at}")
            status, _ = child.day(world.folder, "kill", at)
            # How many receives an answer takes differs: the last points may not be reached.
            late = at > points * 9 // 10
            assert status == KILLED or (late and not status), f"kill at {at}: status {status}"
            assert child.day(world.folder)[0] == 0, f"stuck after a kill at {at}"
            evening(world)
            world.close()
    finally:
        child.close()
    sys.stdout.write(f"postgres kill: {len(tried)} of {points} points tried, failures 0\n")
