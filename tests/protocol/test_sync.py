"""The sync protocol against both stores: a day of work, and what the centre takes and what not."""

from dataclasses import replace

import pytest

from app.centre.contract import (
    MAX_EVENTS,
    BlobFact,
    Gap,
    Oversize,
    SeqReused,
)
from app.errors import Cancelled, CentreRefused, NotFound
from app.models.journal import append, event_hash
from app.models.order import OrderState
from app.sync.chip import pending
from app.sync.session import synchronise
from app.tasks import Cancel, Progress, collect, run
from tests.protocol.sync_world import (
    check_invariants,
    envelope,
)

# -- what an ordinary day looks like -------------------------------------------------------------


def test_a_day_of_work_reaches_the_centre_exactly_once(world):
    ana = world.laptop("ana")
    first, second = ana.take_orders(2)
    assert ana.chip(first) == "local"
    ana.photograph(first, b"meter board" * 60_000)
    ana.record(first, "reading.taken", {"values": [{"obis": "1-0:1.8.0.255", "value": "1.5"}]})
    ana.complete(first)
    assert pending(ana.db).events == 5
    assert pending(ana.db).blobs == 1

    result = world.sync(ana)

    assert (result.sent, result.blobs, result.submitted) == (5, 1, 1)
    assert result.in_step
    assert result.warnings == ()
    assert ana.state(first) == OrderState.SUBMITTED
    assert ana.state(second) == OrderState.ACCEPTED
    assert ana.chip(first) == ana.chip(second) == "acknowledged"
    assert pending(ana.db).nothing
    check_invariants(world, ana)
    status = world.centre.status()
    assert status["events"] == {"applied": 5}
    assert status["work_orders"] == {"accepted": 1, "in_review": 1}
    assert status["review_open"] == 0
    assert status["generation"] == 1
    (device,) = status["devices"]
    assert (device["device"], device["last_seq"], device["mail_head"]) == (ana.device_id, 5, 0)


def test_a_second_sync_sends_nothing(world):
    ana = world.laptop("ana")
    ana.complete(ana.take_orders(1)[0])
    world.sync(ana)
    result = world.sync(ana)
    assert (result.sent, result.received, result.blobs, result.submitted) == (0, 0, 0, 0)
    assert result.in_step


def test_progress_counts_the_events(world):
    ana = world.laptop("ana")
    ana.take_orders(5)
    _, events = collect(synchronise(ana.db, world.centre, batch=2))
    counts = [(e.done, e.total) for e in events if isinstance(e, Progress) and e.unit == "events"]
    assert counts == [(0, 5), (2, 5), (4, 5), (5, 5)]


def test_a_stopped_sync_is_finished_by_the_next(world):
    ana = world.laptop("ana")
    ana.take_orders(5)
    cancel = Cancel()

    def press(event):
        if isinstance(event, Progress) and event.done == 2:
            cancel.press()

    with pytest.raises(Cancelled):
        run(synchronise(ana.db, world.centre, batch=2), press, cancel)
    assert pending(ana.db).events == 1
    assert world.sync(ana).sent == 1
    check_invariants(world, ana)


def test_more_events_than_one_batch_arrive_in_order(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    with ana.db.write() as session:
        for number in range(2 * MAX_EVENTS + 7):
            append(session, "step.result", {"step": str(number)}, order_id=order, epoch=1)
    assert world.sync(ana).sent == 2 * MAX_EVENTS + 8
    check_invariants(world, ana)


def test_an_event_larger_than_a_batch_does_not_block_the_queue(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.record(order, "profile.taken", {"rows": "x" * 5_000_000})
    ana.record(order, "step.result", {"step": "after"})
    assert world.sync(ana).in_step
    check_invariants(world, ana)


# -- replay, reuse, gap: what the centre takes and what not ---------------------------------------


def test_replaying_any_run_of_events_changes_nothing(world):
    ana = world.laptop("ana")
    orders = ana.take_orders(3)
    ana.complete(orders[0])
    world.sync(ana)
    before = world.rows("SELECT * FROM event"), world.rows("SELECT * FROM work_order")
    sent = [envelope(row) for row in ana.events()]
    calls = world.centre.session(ana.device_id)
    for start in range(len(sent)):
        for end in range(start + 1, len(sent) + 1):
            assert calls.push(1, sent[start:end]) == len(sent)
    assert (world.rows("SELECT * FROM event"), world.rows("SELECT * FROM work_order")) == before


@pytest.mark.parametrize("sent_hash", ["of the new content", "of the old content"])
def test_other_content_under_a_used_number_is_refused(world, sent_hash):
    ana = world.laptop("ana")
    ana.take_orders(1)
    world.sync(ana)
    old = envelope(ana.events()[0])
    body = '{"number":"forged"}'
    fresh = event_hash(
        event_id=old.event_id, order_id=old.order_id, epoch=1, kind=old.kind, schema_v=1, body=body
    )
    sha256 = fresh if sent_hash == "of the new content" else old.sha256
    with pytest.raises(SeqReused) as refused:
        world.centre.session(ana.device_id).push(1, [replace(old, body=body, sha256=sha256)])
    assert refused.value.at_seq == 1
    check_invariants(world, ana)


def test_a_gap_is_refused_and_leaves_nothing_of_the_batch(world):
    ana = world.laptop("ana")
    ana.take_orders(3)
    one, _, three = (envelope(row) for row in ana.events())
    with pytest.raises(Gap) as refused:
        world.centre.session(ana.device_id).push(1, [one, three])
    assert refused.value.expected == 2
    assert world.rows("SELECT count(*) FROM event") == [(0,)]


def test_a_batch_of_too_many_events_is_refused(world):
    ana = world.laptop("ana")
    ana.take_orders(1)
    row = ana.events()[0]
    batch = [envelope(row, seq=number) for number in range(1, MAX_EVENTS + 2)]
    with pytest.raises(Oversize):
        world.centre.session(ana.device_id).push(1, batch)


def test_a_laptop_that_is_not_enrolled_or_was_revoked_is_refused_by_every_call(world):
    ana = world.laptop("ana")
    ana.take_orders(1)
    row = envelope(ana.events()[0])
    world.centre.revoke(ana.device_id)
    for device_id in (ana.device_id, "stranger"):
        calls = world.centre.session(device_id)
        for call in (
            lambda: calls.hello("1", 1, 1, 1),  # noqa: B023
            lambda: calls.push(1, [row]),  # noqa: B023
            lambda: calls.pull(0, 10),  # noqa: B023
            lambda: calls.ack(0),  # noqa: B023
            calls.new_incarnation,
            lambda: calls.blob_missing([BlobFact("00", 1, "")]),  # noqa: B023
            lambda: calls.blob_put("00", 0, b"x"),  # noqa: B023
        ):
            with pytest.raises(CentreRefused, match=device_id):
                call()
    with pytest.raises(CentreRefused, match=ana.device_id):
        world.sync(ana)
    world.centre.enrol(ana.device_id)
    assert world.sync(ana).in_step
    with pytest.raises(NotFound):
        world.centre.revoke("stranger")
