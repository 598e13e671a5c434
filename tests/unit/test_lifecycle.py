"""The states of a work order: illegal moves first, then what a legal one leaves behind."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.errors import NotFound, NotPermitted
from app.models.base import utc_now
from app.models.database import Database
from app.models.journal import JournalEvent, Laptop
from app.models.order import OrderState, StepResult, WorkOrder
from app.workorders import lifecycle
from app.workorders.lifecycle import RULES, allowed, transition


@pytest.fixture
def db(tmp_path):
    with Database.open(tmp_path) as database:
        yield database


def add(db, state=OrderState.DOWNLOADED, **values):
    order = WorkOrder(number="1043", state=state.value, **values)
    with db.write() as session:
        session.add(order)
    return order.order_id


def order_of(db, order_id):
    with db.read() as session:
        return session.get_one(WorkOrder, order_id)


def journal(db):
    with db.read() as session:
        events = session.scalars(select(JournalEvent).order_by(JournalEvent.seq)).all()
    return [(event.kind, json.loads(event.body)) for event in events]


def move(db, order_id, to, **options):
    with db.write() as session:
        order = session.get_one(WorkOrder, order_id)
        transition(session, order, to, **{"who": "ada", **options})


def test_a_downloaded_order_cannot_be_done(db):
    order_id = add(db)
    with pytest.raises(NotPermitted, match="1043 is downloaded and cannot be done"):
        lifecycle.done(db, order_id, who="ada")
    assert order_of(db, order_id).state == "downloaded"
    assert journal(db) == []


@pytest.mark.parametrize("state", [OrderState.CLOSED, OrderState.CANCELLED, OrderState.SUPERSEDED])
def test_an_order_that_is_over_is_never_started(db, state):
    with pytest.raises(NotPermitted):
        lifecycle.start(db, add(db, state), who="ada")


def test_the_refusal_says_where_the_order_can_go(db):
    with pytest.raises(NotPermitted, match="from there it can be accepted, declined"):
        move(db, add(db), OrderState.PAUSED)


def test_an_installer_does_not_approve(db):
    with pytest.raises(NotPermitted, match="installer may not make order 1043 approved"):
        move(db, add(db, OrderState.IN_REVIEW), OrderState.APPROVED)


def test_no_rule_lets_the_installer_judge_the_own_work():
    for state in OrderState:
        assert not {OrderState.APPROVED, OrderState.REJECTED} & set(allowed(state, "installer"))


@pytest.mark.parametrize("reason", ["", "  "])
def test_declining_and_pausing_need_a_reason(db, reason):
    with pytest.raises(NotPermitted, match="a reason is needed"):
        lifecycle.decline(db, add(db), reason, who="ada")
    started = add(db, OrderState.STARTED)
    with pytest.raises(NotPermitted, match="a reason is needed"):
        lifecycle.pause(db, started, reason, who="ada")


def test_a_hard_order_past_its_lease_is_not_started(db):
    order_id = add(db, kind="exchange", lease_until=utc_now() - timedelta(minutes=1))
    with pytest.raises(NotPermitted, match="its lease ended"):
        lifecycle.start(db, order_id, who="ada")
    assert order_of(db, order_id).state == "downloaded", "nothing of the two moves may stay"
    assert journal(db) == []


def test_a_hard_order_that_was_started_may_go_on_and_end_past_its_lease(db):
    order_id = add(
        db, OrderState.PAUSED, kind="exchange", lease_until=utc_now() - timedelta(days=1)
    )
    lifecycle.resume(db, order_id, who="ada")
    lifecycle.done(db, order_id, who="ada")
    assert order_of(db, order_id).state == "done"


def test_a_common_order_past_its_lease_is_started(db):
    order_id = add(db, kind="read_out", lease_until=utc_now() - timedelta(days=1))
    lifecycle.start(db, order_id, who="ada")
    assert order_of(db, order_id).state == "started"


@pytest.mark.parametrize(
    "clock",
    [{"clock_offset_s": 121.0}, {"last_server_time": utc_now() + timedelta(hours=1)}],
)
def test_clock_work_is_not_started_on_a_laptop_whose_clock_is_wrong(db, clock):
    order_id = add(db, kind="time_sync")
    with db.write() as session:
        laptop = session.scalars(select(Laptop)).one()
        for name, value in clock.items():
            setattr(laptop, name, value)
    with pytest.raises(NotPermitted, match="clock of this laptop"):
        lifecycle.start(db, order_id, who="ada")


def test_an_order_with_open_steps_is_not_done(db):
    order_id = add(db, OrderState.STARTED, steps_total=2)
    with db.write() as session:
        session.add(StepResult(order_id=order_id, step="identify", state="done"))
        session.add(StepResult(order_id=order_id, step="clock", state="running"))
    with pytest.raises(NotPermitted, match="1 of its 2 steps are open"):
        lifecycle.done(db, order_id, who="ada")


def test_without_an_incident_nobody_says_that_it_cannot_be_completed(db):
    with pytest.raises(NotPermitted, match="no incident says why"):
        move(db, add(db, OrderState.STARTED), OrderState.CANNOT_COMPLETE)


def test_an_unknown_order_is_not_found(db):
    with pytest.raises(NotFound):
        lifecycle.accept(db, "nowhere", who="ada")


def test_a_move_that_fails_later_leaves_neither_state_nor_journal(db):
    order_id = add(db)

    class Broken(Exception):
        """Something after the move, in the same transaction."""

    def move_and_fail():
        with db.write() as session:
            order = session.get_one(WorkOrder, order_id)
            transition(session, order, OrderState.ACCEPTED, who="ada")
            raise Broken

    with pytest.raises(Broken):
        move_and_fail()
    assert order_of(db, order_id).state == "downloaded"
    assert journal(db) == []


def test_starting_accepts_on_the_way_and_tells_the_journal_both(db):
    order_id = add(db)
    lifecycle.start(db, order_id, who="ada")
    moves = [(kind, body["from"], body["to"], body["who"]) for kind, body in journal(db)]
    assert moves == [
        ("order.state", "downloaded", "accepted", "ada"),
        ("order.state", "accepted", "started", "ada"),
    ]
    assert order_of(db, order_id).started is not None


def test_the_end_of_a_visit_is_told_with_its_verdict(db):
    order_id = add(db, OrderState.STARTED, verdict="PASS")
    lifecycle.done(db, order_id, who="ada")
    ((kind, body),) = journal(db)
    assert kind == "order.done"
    assert (body["verdict"], body["from"], body["to"]) == ("PASS", "started", "done")
    assert order_of(db, order_id).ended is not None


def test_pause_and_resume_keep_the_first_start(db):
    order_id = add(db)
    lifecycle.start(db, order_id, who="ada")
    first = order_of(db, order_id).started
    lifecycle.pause(db, order_id, "lunch", who="ada")
    lifecycle.resume(db, order_id, who="ada")
    assert order_of(db, order_id).started == first


def test_another_assignment_raises_the_epoch(db):
    order_id = add(db, epoch=3)
    move(db, order_id, OrderState.ASSIGNED, role="dispatcher")
    assert order_of(db, order_id).epoch == 4


def test_two_open_orders_of_one_type_for_a_usage_point_are_not_released(db):
    from app.models.place import Site, UsagePoint

    with db.write() as session:
        session.add(Site(site_id="s"))
        session.flush()
        session.add(UsagePoint(usage_point_id="u", site_id="s"))
    add(db, OrderState.ACCEPTED, usage_point_id="u")
    second = add(db, OrderState.PLANNED, usage_point_id="u")
    with pytest.raises(NotPermitted, match="order 1043 of the same type is open"):
        move(db, second, OrderState.RELEASED, role="planner")


def test_every_state_can_be_reached_or_is_where_orders_begin():
    reached = {rule.to for rules in RULES.values() for rule in rules}
    assert set(OrderState) - reached == {OrderState.DRAFT, OrderState.SUPERSEDED}
