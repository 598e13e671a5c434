"""A centre from a backup, a laptop from a disk image, a clone: found out and healed."""

import pytest

from app.errors import CentreRefused
from app.models.order import OrderState
from tests.protocol.sync_world import (
    World,
    check_centre,
    check_invariants,
    envelope,
)


@pytest.mark.parametrize("told", [True, False])
def test_a_centre_put_back_from_a_backup_is_filled_again(world, told):
    ana = world.laptop("ana")
    first, second, moved = ana.take_orders(3)
    ana.complete(first)
    world.sync(ana)
    copy = world.backup()
    ana.photograph(second, b"photo")
    ana.complete(second)
    ben = world.laptop("ben")
    world.centre.assign([moved], ben.device_id)
    world.sync(ana)
    assert ana.laptop().mail_cursor == 1
    world.restore(copy, told=told)

    result = world.sync(ana)

    assert result.sent == 6  # everything is compared again
    assert result.blobs == 1
    assert result.in_step
    assert "lost 2 events" in result.warnings[0]
    assert ana.laptop().mail_cursor == 0
    check_invariants(world, ana)


def test_mail_with_reused_numbers_still_arrives_after_a_restore(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    first, second = ana.take_orders(2)
    world.sync(ana)
    copy = world.backup()
    world.centre.assign([first], ben.device_id)
    world.sync(ana)
    world.restore(copy)
    world.centre.assign([second], ben.device_id)
    world.sync(ana)
    assert ana.state(second) == OrderState.RECALLED
    assert world.sync(ana).in_step


def test_the_same_backup_put_back_twice_gives_two_generations(world):
    seen = {world.centre.status()["generation"]}
    copy = world.backup()
    for _ in range(2):
        world.restore(copy, told=False)
        seen.add(world.centre.after_restore() + len(seen))
    assert len(seen) == 3


def test_an_old_disk_image_gets_new_numbers_and_loses_nothing(world, tmp_path):
    ana = world.laptop("ana")
    first, second, third = ana.take_orders(3)
    world.sync(ana)
    image = ana.image(tmp_path / "image")
    lost = ana.complete(first)
    ana.complete(second)
    world.sync(ana)
    old = world.open(image)
    kept = old.complete(third)

    result = world.sync(old)

    assert old.laptop().incarnation == 2
    assert result.in_step
    assert "older than what the centre has seen" in result.warnings[0]
    assert world.verdict(kept) == world.verdict(lost) == "applied"
    # Its own events were read back, and the orders they tell of have moved on.
    assert [(e.incarnation, e.seq) for e in old.events()] == [
        *((1, n) for n in range(1, 6)),
        (2, 1),
    ]
    assert [old.state(order) for order in (first, second)] == [OrderState.SUBMITTED] * 2
    check_invariants(world, old)
    alarms = world.rows("SELECT incarnation, alarm FROM incarnation WHERE alarm <> ''")
    assert alarms[0] == (1, "the laptop was back at number 4")
    assert alarms[1][0] == 2
    old.complete(second)
    assert world.sync(old).in_step
    check_centre(world)


def test_an_old_disk_image_without_new_work_gets_new_numbers_too(world, tmp_path):
    ana = world.laptop("ana")
    first, second = ana.take_orders(2)
    image = ana.image(tmp_path / "image")
    ana.complete(first)
    world.sync(ana)
    old = world.open(image)
    assert world.sync(old).in_step
    assert (old.laptop().incarnation, old.laptop().next_seq) == (2, 1)
    kept = old.complete(second)
    assert world.sync(old).in_step
    assert world.verdict(kept) == "applied"


def test_two_clones_at_work_at_once_lose_nothing(world, tmp_path):
    ana = world.laptop("ana")
    orders = ana.take_orders(4)
    world.sync(ana)
    clone = world.open(ana.image(tmp_path / "clone"))
    events = [ana.complete(orders[0]), clone.complete(orders[1])]
    for field in (ana, clone, ana, clone):
        world.sync(field)
    events += [ana.complete(orders[2]), clone.complete(orders[3])]
    for field in (clone, ana, clone, ana):
        world.sync(field)
    assert [world.verdict(event_id) for event_id in events] == ["applied"] * 4
    check_centre(world)


def test_a_fact_renumbered_and_sent_twice_is_in_the_log_once_as_applied(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    done = ana.complete(order)
    world.sync(ana)
    calls = world.centre.session(ana.device_id)
    number = calls.new_incarnation()
    twin = envelope(ana.events()[1], seq=1)
    assert calls.push(number, [twin]) == 1
    verdicts = world.rows("SELECT verdict FROM event WHERE event_id = ? ORDER BY position", done)
    assert verdicts == [("applied",), ("duplicate_result",)]
    check_centre(world)


def test_another_centre_is_refused_until_somebody_decides(world, tmp_path):
    ana = world.laptop("ana")
    ana.take_orders(1)
    world.sync(ana)
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    try:
        other.centre.enrol(ana.device_id)
        with pytest.raises(CentreRefused, match="belongs to the centre"):
            other.sync(ana)
        assert other.rows("SELECT count(*) FROM event") == [(0,)]
        assert other.sync(ana, adopt=True).in_step
        check_invariants(other, ana)
    finally:
        other.close()
