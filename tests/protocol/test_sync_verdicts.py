"""Every fact that a laptop sends is stored with a verdict, none is refused."""

import re
from pathlib import Path

import pytest

from app.centre.fold import FIELD_KINDS
from app.models.journal import append, event_hash
from tests.protocol.sync_world import (
    check_centre,
    check_invariants,
)


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
