"""Letters of the centre to its laptops: orders given, taken back, and what cannot be read."""

import json

import pytest

from app.centre.contract import (
    Mail,
)
from app.errors import BadInput, CentreRefused, NotFound
from app.models.journal import InboxRaw
from app.models.order import OrderState, WorkOrder
from app.sync.mailbox import apply_mail
from tests.protocol.sync_world import (
    check_invariants,
)


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
