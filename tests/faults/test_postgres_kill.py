"""SIGKILL at every SQL statement, call and socket operation of a laptop's day on PostgreSQL."""

import sys
from pathlib import Path

import pytest

from app.models.order import OrderState
from tests.faults.sync_child import URL_FILE
from tests.faults.test_sync_kill import KILLED, Child, child, place
from tests.protocol.sync_world import PostgresWorld, check_invariants, postgres_world

__all__ = ["child", "place"]

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.timeout(900),
    pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL are POSIX"),
]

ENDED = 3  # days that came to their end before the n-th step: there are no more steps


class Morning:
    """A centre with one order imported and one in a mailbox, to begin from again and again.

    A database of its own for each day would take a second; so the rows of the morning are kept
    beside the tables and put back.
    """

    def __init__(self, place: Path) -> None:
        self.folder = place / "far-morning"
        self.folder.mkdir()
        self.world = postgres_world(self.folder)
        ana, ben = self.world.laptop("ana"), self.world.laptop("ben")
        ana.take_orders(1)
        (given,) = ben.take_orders(1, source="other")
        self.world.sync(ben)
        self.world.centre.assign([given], ana.device_id)
        (self.folder / URL_FILE).write_text(self.world.centre.logins[ana.device_id])
        for field in (ana, ben):
            field.close()
        self.world.fields.clear()
        tables = self.world.reader.query(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
            " where n.nspname = 'mw' and c.relkind in ('r', 'p') and not c.relispartition"
        )
        names = [name for (name,) in tables]
        script = self.world.reader.script
        script("create schema morning")
        script(";".join(f"create table morning.{name} as table mw.{name}" for name in names))
        self._again = ";".join(
            ["set session_replication_role = replica"]
            + [f"delete from mw.{name}" for name in names]
            + [
                f"insert into mw.{name} overriding system value table morning.{name}"
                for name in names
            ]
            + ["set session_replication_role = origin"]
        )

    def begin(self, child: Child) -> PostgresWorld:
        """Let the next days of ``child`` begin here."""
        child.begin(self.folder)
        self.world.folder = child.folder
        self.world.reader.script(self._again)
        return self.world


def evening(world: PostgresWorld) -> None:
    """Check what a day has left."""
    ana = world.open(world.folder / "ana")
    try:
        check_invariants(world, ana)
        done = [row.order_id for row in ana.events() if row.kind == "order.done"]
        assert len(done) == len(set(done)) == 2, "an order was done twice or not at all"
        assert [ana.state(order_id) for order_id in done] == [OrderState.SUBMITTED] * 2
        assert world.rows("SELECT count(*) FROM blob WHERE NOT complete") == [(0,)]
    finally:
        ana.close()
        world.fields.clear()


@pytest.fixture(scope="module")
def morning(place: Path):
    made = Morning(place)
    yield made
    made.world.close()


def test_a_kill_at_any_step_of_a_day_loses_and_doubles_nothing(child, morning):
    world = morning.begin(child)
    status, points = child.day()
    assert status == 0
    evening(world)
    tried, at, ended = 0, 0, 0
    while ended < ENDED:
        at += 1
        world = morning.begin(child)
        status, _ = child.day("kill", at)
        # In how many pieces an answer comes differs: every number is tried until none is reached.
        assert status in {KILLED, 0}, f"kill at {at}: status {status}"
        tried += status == KILLED
        ended = ended + 1 if status == 0 else 0
        assert child.day()[0] == 0, f"stuck after a kill at {at}"
        evening(world)
    assert tried >= points * 9 // 10
    sys.stdout.write(f"postgres kill: {tried} of {points} points tried, failures 0\n")
