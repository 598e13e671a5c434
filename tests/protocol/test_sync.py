"""The sync protocol against a centre in one SQLite file: each promise once."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.centre.contract import (
    CHUNK,
    MAX_EVENTS,
    BlobFact,
    Gap,
    Mail,
    Oversize,
    SeqReused,
)
from app.centre.fold import FIELD_KINDS
from app.centre.opening import open_centre
from app.errors import BadInput, Cancelled, CentreRefused, CentreUnreachable, NotFound
from app.models.blob import Blob
from app.models.database import Database
from app.models.journal import InboxRaw, JournalEvent, Laptop, append, event_hash
from app.models.order import Attachment, OrderState, WorkOrder
from app.sync.backoff import LARGEST_S, Backoff
from app.sync.chip import chips, pending
from app.sync.mailbox import apply_mail
from app.sync.session import synchronise
from app.tasks import Cancel, Progress, collect, run
from tests.protocol.sync_world import (
    World,
    check_centre,
    check_invariants,
    envelope,
    postgres_world,
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def world(tmp_path, request):
    made = World(tmp_path) if request.param == "sqlite" else postgres_world(tmp_path)
    yield made
    made.close()


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


# -- verdicts: every fact is stored, none is refused ----------------------------------------------


def forge(field, order_id, kind, body, *, sha256="", epoch=1, schema_v=1):
    """Put an event into the journal as a broken or newer program might; return its id."""
    with field.db.write() as session:
        event = append(session, kind, {}, order_id=order_id, epoch=epoch)
        event.body, event.schema_v = body, schema_v
        event.sha256 = sha256 or event_hash(
            event_id=event.event_id,
            order_id=order_id,
            epoch=epoch,
            kind=kind,
            schema_v=schema_v,
            body=body,
        )
    return event.event_id


@pytest.mark.parametrize(
    ("kind", "body", "options", "verdict"),
    [
        ("step.result", '{"step":"clock"}', {}, "applied"),
        ("step.result", "{broken", {}, "invalid"),
        ("step.result", "[1]", {}, "invalid"),
        ("step.result", '{"x":"\\u0000"}', {}, "invalid"),
        ("step.result", "[" * 20_000, {}, "invalid"),
        ("step.result", "{}", {"sha256": "00" * 32}, "invalid"),
        ("order.state", '{"to":"flying"}', {}, "invalid"),
        ("order.state", '{"to":["started"]}', {}, "invalid"),
        ("order.state", '{"to":"started"}', {}, "applied"),
        ("from.the.future", "{}", {}, "unknown_kind"),
        ("step.result", "{}", {"schema_v": 99}, "unknown_kind"),
        ("centre.assigned", '{"device":"me"}', {}, "unknown_kind"),
        ("step.result", "{}", {"epoch": 7}, "late"),
    ],
)
def test_whatever_a_laptop_sends_is_kept_with_a_verdict(world, kind, body, options, verdict):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    event_id = forge(ana, order, kind, body, **options)
    after = ana.record(order, "step.result", {"step": "after"})
    result = world.sync(ana)
    assert result.in_step
    assert world.verdict(event_id) == verdict
    assert world.verdict(after) == "applied"
    kept = world.rows("SELECT body FROM event WHERE event_id = ?", event_id)
    assert kept == [(body,)]
    check_centre(world)
    status = world.centre.status()
    assert status["review_open"] == (verdict != "applied")
    (row,) = [row for row in ana.events() if row.event_id == event_id]
    assert row.verdict == ("" if verdict == "applied" else verdict)


def test_an_event_of_an_order_nobody_knows_is_an_orphan(world):
    ana = world.laptop("ana")
    assert world.verdict(_synced(world, ana, "no-such-order", "step.result")) == "orphan"
    assert world.verdict(_synced(world, ana, "", "order.done")) == "invalid"
    assert world.verdict(_synced(world, ana, "", "reading.taken")) == "applied"


def _synced(world, field, order_id, kind, body=None):
    event_id = field.record(order_id, kind, body or {})
    world.sync(field)
    return event_id


def test_completing_twice_is_kept_as_a_duplicate_and_the_first_stands(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    first, second = ana.complete(order, "PASS"), ana.complete(order, "FAIL")
    world.sync(ana)
    assert world.verdict(first) == "applied"
    assert world.verdict(second) == "duplicate_result"
    assert world.rows("SELECT verdict FROM work_order") == [("PASS",)]
    assert ana.chip(order) == "done twice, in review"


def test_going_on_with_a_completed_order_is_a_conflict(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.complete(order)
    agreed = ana.record(order, "order.state", {"from": "started", "to": "done"})
    again = ana.record(order, "order.state", {"from": "done", "to": "started"})
    world.sync(ana)
    assert world.verdict(agreed) == "applied"
    assert world.verdict(again) == "conflict"
    assert world.rows("SELECT state FROM work_order") == [("in_review",)]


def test_the_same_reference_on_two_laptops_is_a_conflict_and_both_are_kept(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    ana.take_orders(2)
    ben.take_orders(2)
    assert world.sync(ana).in_step
    assert world.sync(ben).in_step
    assert world.centre.status()["events"] == {"applied": 2, "conflict": 2}
    check_invariants(world, ana)
    check_invariants(world, ben)


def test_importing_again_changes_the_plan_and_not_the_progress(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.record(order, "order.state", {"from": "accepted", "to": "started"})
    body = {
        "number": "1",
        "source": "csv",
        "external_ref": "1",
        "title": "New",
        "state": "accepted",
    }
    ana.record(order, "order.imported", body)
    world.sync(ana)
    rows = world.rows("SELECT state, title, revision FROM work_order")
    assert rows == [("started", "New", 2)]


def test_every_kind_of_event_the_program_writes_is_known_to_the_centre():
    root = Path(__file__).resolve().parents[2] / "app"
    written = set()
    for path in root.rglob("*.py"):
        if path.name != "audit.py":
            written |= set(
                re.findall(r'append\(\s*\w*session,\s*"([a-z.]+)"', path.read_text("utf-8"))
            )
    assert written <= FIELD_KINDS


# -- mail ------------------------------------------------------------------------------------------


def test_an_order_given_to_another_laptop_is_recalled_and_arrives_there(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    (order,) = ana.take_orders(1)
    world.sync(ana)
    world.centre.assign([order], ben.device_id)
    assert world.sync(ana).received == 1
    assert ana.state(order) == OrderState.RECALLED
    assert world.sync(ben).received == 1
    assert ben.state(order) == OrderState.DOWNLOADED
    done = ben.complete(order)
    world.sync(ben)
    assert world.verdict(done) == "applied"
    check_invariants(world, ana)
    check_invariants(world, ben)


def test_work_done_off_line_on_an_order_that_was_given_away_is_late_and_kept(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    (order,) = ana.take_orders(1)
    world.sync(ana)
    world.centre.assign([order], ben.device_id)
    hers = ana.complete(order, "FAIL")
    world.sync(ben)
    his = ben.complete(order, "PASS")
    world.sync(ana)
    world.sync(ben)
    assert world.verdict(hers) == "late"
    assert world.verdict(his) == "applied"
    assert ana.state(order) == OrderState.SUBMITTED
    assert ana.chip(order) == "late, in review"
    assert world.rows("SELECT verdict, epoch FROM work_order") == [("PASS", 2)]
    check_invariants(world, ana)
    check_invariants(world, ben)


def test_a_completed_or_unknown_order_cannot_be_given_away(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    (order,) = ana.take_orders(1)
    ana.complete(order)
    world.sync(ana)
    with pytest.raises(BadInput):
        world.centre.assign([order], ben.device_id)
    with pytest.raises(NotFound):
        world.centre.assign(["nowhere"], ben.device_id)
    with pytest.raises(CentreRefused):
        world.centre.assign([order], "stranger")
    assert world.rows("SELECT count(*) FROM mail") == [(0,)]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("tango", "{}"),
        ("assign", "{broken"),
        ("assign", "{}"),
        ("assign", '{"epoch":2,"order":{"due":"tomorrow"}}'),
        ("verdict", "[]"),
        ("recall", '{"epoch":"soon"}'),
    ],
)
def test_mail_that_cannot_be_read_is_kept_and_not_in_the_way(world, kind, body):
    ana = world.laptop("ana")
    ana.take_orders(1)
    world.sync(ana)
    order = ana.events()[0].order_id
    for seq, (its_kind, text) in enumerate([(kind, body), ("recall", '{"epoch":9}')], 1):
        world.post(ana.device_id, seq, its_kind, order, text)
    world.change("UPDATE device SET mail_head = 2")
    assert world.sync(ana).in_step
    with ana.db.read() as session:
        raw = session.get_one(InboxRaw, 1)
    assert raw.problem
    assert json.loads(raw.body)["body"] == body
    assert ana.state(order) == OrderState.RECALLED


def test_a_repeated_or_older_letter_changes_nothing(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    with ana.db.write() as session:
        session.get_one(WorkOrder, order).state = OrderState.STARTED
        letters = [
            Mail(1, "assign", order, '{"epoch":1,"order":{"title":"Old"}}'),
            Mail(2, "recall", order, '{"epoch":2}'),
            Mail(3, "recall", "unknown", '{"epoch":2}'),
        ]
        for mail in letters:
            apply_mail(session, mail)
    with ana.db.read() as session:
        kept = session.get_one(WorkOrder, order)
    assert (kept.state, kept.title, kept.epoch) == (OrderState.STARTED, "", 1)


def test_an_order_that_was_begun_goes_on_under_its_new_epoch(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.record(order, "order.state", {"from": "accepted", "to": "started"})
    with ana.db.write() as session:
        session.get_one(WorkOrder, order).state = OrderState.STARTED
    world.sync(ana)
    world.centre.assign([order], ana.device_id)
    world.sync(ana)
    assert ana.state(order) == OrderState.STARTED
    done = ana.complete(order)
    world.sync(ana)
    assert world.verdict(done) == "applied"


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_a_file_of_any_size_arrives_whole(world, size):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    sha256 = ana.photograph(order, b"p" * size)
    result = world.sync(ana)
    assert (result.blobs, result.in_step) == (1, True)
    chunks = world.rows("SELECT data FROM blob_chunk WHERE sha256 = ? ORDER BY ix", sha256)
    assert b"".join(row[0] for row in chunks) == b"p" * size


def test_a_broken_transfer_goes_on_where_it_stopped(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    ana.photograph(order, b"p" * 5 * CHUNK)
    ana.complete(order)
    cancel = Cancel()

    def press(event):
        if isinstance(event, Progress) and event.unit == "bytes":
            cancel.press()

    with pytest.raises(Cancelled):
        run(synchronise(ana.db, world.centre), press, cancel)
    assert ana.chip(order) == "media pending (1)"
    assert ana.state(order) == OrderState.DONE
    _, events = collect(synchronise(ana.db, world.centre))
    steps = [e.done // CHUNK for e in events if isinstance(e, Progress) and e.unit == "bytes"]
    assert steps == [3, 4]
    assert ana.state(order) == OrderState.SUBMITTED
    assert ana.chip(order) == "acknowledged"


@pytest.mark.parametrize("damage", ["missing", "changed", "shorter"])
def test_a_damaged_file_is_noted_and_holds_up_nothing(world, damage):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    bad = ana.photograph(order, b"bad" * 100)
    good = ana.photograph(order, b"good")
    with ana.db.read() as session:
        path = ana.folder / session.query(Attachment).filter_by(sha256=bad).one().path
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"BAD" * 100 if damage == "changed" else b"bad")
    result = world.sync(ana)
    assert not result.in_step
    assert result.pending.blobs == 1
    assert ana.chip(order) == "media pending (1)"
    assert world.rows("SELECT sha256 FROM blob WHERE complete") == [(good,)]
    with ana.db.read() as session:
        assert session.get_one(Blob, bad).problem


def test_a_file_damaged_on_the_way_is_sent_again(world):
    ana = world.laptop("ana")
    (order,) = ana.take_orders(1)
    sha256 = ana.photograph(order, b"p" * 2 * CHUNK)
    calls = world.centre.session(ana.device_id)
    assert calls.blob_missing([BlobFact(sha256, 2 * CHUNK, "image/jpeg")]) == {sha256: 0}
    assert calls.blob_put(sha256, 0, b"X" * CHUNK) == CHUNK
    assert world.sync(ana).in_step
    chunks = world.rows("SELECT data FROM blob_chunk WHERE sha256 = ? ORDER BY ix", sha256)
    whole = b"".join(bytes(row[0]) for row in chunks)
    assert whole == b"p" * 2 * CHUNK


def test_chunks_that_do_not_fit_are_refused_or_pointed_on(world):
    ana = world.laptop("ana")
    calls = world.centre.session(ana.device_id)
    name = "ab" * 32
    with pytest.raises(CentreRefused):
        calls.blob_put(name, 0, b"x")
    calls.blob_missing([BlobFact(name, 2 * CHUNK, "")])
    assert calls.blob_put(name, CHUNK, b"x" * CHUNK) == 0
    with pytest.raises(CentreRefused):
        calls.blob_put(name, 0, b"x" * 7)
    assert calls.blob_put(name, 0, b"x" * CHUNK) == CHUNK
    assert calls.blob_put(name, 0, b"x" * CHUNK) == CHUNK
    with pytest.raises(CentreRefused):
        calls.blob_put(name, CHUNK, b"x" * (CHUNK + 1))


# -- healing ---------------------------------------------------------------------------------------


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


# -- trouble ---------------------------------------------------------------------------------------


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
