"""No centre, a wrong address, a changed log, a wrong clock: told, and nothing is lost."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.centre.contract import (
    MAX_EVENTS,
)
from app.centre.opening import open_centre
from app.errors import BadInput, CentreUnreachable
from app.models.database import Database
from app.models.journal import JournalEvent, Laptop
from app.sync.backoff import LARGEST_S, Backoff
from app.sync.chip import chips, pending


def test_without_a_centre_everything_stays_and_is_sent_later(world, tmp_path):
    ana = world.laptop("ana")
    ana.take_orders(1)
    for url in (tmp_path / "nowhere.sqlite", tmp_path / "ana" / "local.sqlite"):
        with pytest.raises(CentreUnreachable):
            world.sync(ana, open_centre(str(url)))
    assert not (tmp_path / "nowhere.sqlite").exists()
    (tmp_path / "noise.sqlite").write_bytes(b"noise" * 1000)
    with pytest.raises(CentreUnreachable):
        world.sync(ana, open_centre(str(tmp_path / "noise.sqlite")))
    assert pending(ana.db).events == 1
    assert world.sync(ana).in_step


@pytest.mark.parametrize(
    "url", ["", "  ", "postgresql://host/db", "postgresql+pg8000://h/db", "http://h", "sqlite:///"]
)
def test_an_address_of_no_known_kind_is_bad_input(url):
    with pytest.raises(BadInput):
        open_centre(url)


def test_making_a_centre_twice_keeps_it(world):
    assert world.centre.init() == world.centre.init()
    assert open_centre(world.centre.url).url == world.centre.url


@pytest.mark.parametrize("device_id", ["", " ", "centre"])
def test_a_laptop_needs_a_name_of_its_own(world, device_id):
    with pytest.raises(BadInput):
        world.centre.enrol(device_id)


def test_rebuild_finds_and_mends_a_state_that_the_log_does_not_give(world):
    ana = world.laptop("ana")
    ana.complete(ana.take_orders(1)[0])
    world.sync(ana)
    world.centre.close()
    world.change("UPDATE work_order SET state = 'closed'")
    found = world.centre.rebuild(check=True)
    assert (found.events, found.orders, len(found.differences)) == (2, 1, 1)
    assert world.rows("SELECT state FROM work_order") == [("closed",)]
    world.centre.rebuild(check=False)
    assert world.centre.rebuild(check=True).differences == ()
    assert world.rows("SELECT state FROM work_order") == [("in_review",)]


def test_rebuild_finds_a_changed_log(world):
    ana = world.laptop("ana")
    ana.take_orders(2)
    world.sync(ana)
    world.centre.close()
    world.change("UPDATE event SET body = '{}' WHERE seq = 2")
    assert any("hash" in line for line in world.centre.rebuild(check=True).differences)


def test_a_wrong_clock_is_told_and_changes_no_verdict(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    done = ana.complete(order)
    with ana.db.write() as session:
        for row in session.query(JournalEvent):
            row.wall = datetime(2036, 1, 1, tzinfo=UTC)

    class WrongClock:
        """The centre, whose clock goes an hour ahead."""

        def session(self, device_id):
            calls = world.centre.session(device_id)
            hello = calls.hello
            calls.hello = lambda *a: replace(
                hello(*a), server_time=datetime.now(UTC) + timedelta(hours=1)
            )
            return calls

    result = world.sync(ana, WrongClock())
    assert "3600 s" in result.warnings[0]
    assert world.verdict(done) == "applied"
    assert 3599 < ana.laptop().clock_offset_s < 3601
    assert "set back" in world.sync(ana).warnings[0]


def test_events_carry_a_clock_that_never_runs_back(world):
    ana = world.laptop("ana")
    with ana.db.write() as session:
        session.query(Laptop).one().hlc = 1 << 62
    ana.take_orders(3)
    clocks = [row.hlc for row in ana.events()]
    assert clocks == sorted(set(clocks))
    assert clocks[0] > 1 << 62


def test_chips_of_many_orders_come_at_once(world):
    ana = world.laptop("ana")
    orders = ana.take_orders(3)
    world.sync(ana)
    ana.record(orders[1], "step.result", {})
    with ana.db.read() as session:
        found = chips(session, [*orders, "unknown"] * 300)
    assert [found[order].text for order in [*orders, "unknown"]] == [
        "acknowledged",
        "sent 1 of 2",
        "acknowledged",
        "local",
    ]
    assert [found[order].green for order in orders] == [True, False, True]


def test_a_read_only_database_tells_the_counts(world, tmp_path):
    ana = world.laptop("ana")
    ana.take_orders(2)
    with Database.open(tmp_path / "ana", read_only=True) as db:
        assert pending(db).events == 2


def test_the_wait_doubles_with_each_failure_up_to_a_quarter_of_an_hour():
    backoff = Backoff(chance=lambda: 1.0)
    assert backoff.delay() == 0
    waits = []
    for _ in range(12):
        backoff.failed()
        waits.append(backoff.delay())
    assert waits[:3] == [2.0, 4.0, 8.0]
    assert waits[-1] == LARGEST_S
    assert backoff.batch == 1
    backoff.network_changed()
    assert (backoff.delay(), backoff.batch) == (0, MAX_EVENTS)
    jittered = Backoff(chance=lambda: 0.25)
    jittered.failed()
    assert jittered.delay() == 0.5
