"""One contract, two stores: acts of the office, readings, and what only a hostile laptop sends."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.centre.acts import ACCEPT, DISMISS
from app.centre.contract import Act, Envelope
from app.centre.fold import (
    APPROVED,
    ASSIGNED,
    FIELD_KINDS,
    RECALLED,
    REJECTED,
    SETTLED,
    computed_hash,
)
from app.centre.readings import intervals
from app.errors import BadInput, CentreRefused, NotFound, NotPermitted
from app.models.base import canonical, new_id
from app.models.order import OrderState, StepResult, WorkOrder
from tests.protocol.sync_world import World, check_centre, check_invariants, postgres_world


@pytest.fixture
def visit(world):
    """A laptop with one order done by "ana" and in review."""
    field = world.laptop("crew 1")
    (order_id,) = field.take_orders(1)
    field.record(
        order_id, "order.done", {"verdict": "PASS", "report_sha256": "00" * 32, "who": "ana"}
    )
    field.move(order_id, OrderState.DONE)
    world.sync(field)
    return field, order_id


def order(world, order_id):
    (found,) = world.centre.orders([order_id])
    return found


def act(world, kind, order_id="", who="vera", role="verifier", **more):
    world.centre.act(Act(kind, order_id, who=who, role=role, **more))
    check_centre(world)


# -- review ----------------------------------------------------------------------------------------


def test_an_approved_visit_is_approved_at_the_laptop_too(world, visit):
    field, order_id = visit
    assert order(world, order_id).worker == "ana"
    act(world, APPROVED, order_id)
    assert order(world, order_id).state == "approved"
    assert order(world, order_id).approved_by == "vera"
    assert world.sync(field).in_step
    assert field.state(order_id) == OrderState.APPROVED
    with pytest.raises(BadInput, match="not in review"):
        act(world, APPROVED, order_id, who="viktor")


@pytest.mark.parametrize(
    ("kind", "who", "role"),
    [
        (APPROVED, "vera", "installer"),
        (APPROVED, "vera", "administrator"),
        (APPROVED, "Ana", "verifier"),
        (REJECTED, "ana", "verifier"),
        (RECALLED, "vera", "verifier"),
        (ASSIGNED, "vera", "installer"),
        (SETTLED, "vera", "agent"),
        ("centre.forged", "vera", "administrator"),
    ],
)
def test_an_act_is_only_for_its_role_and_never_for_who_did_the_work(world, visit, kind, who, role):
    field, order_id = visit
    before = order(world, order_id)
    with pytest.raises(NotPermitted):
        act(world, kind, order_id, who, role, reason="r", device=field.device_id)
    assert order(world, order_id) == before
    check_centre(world)


@pytest.mark.parametrize("kind", ["disconnect", "key_change", "investigate_tamper"])
def test_some_types_need_a_second_verifier(world, kind):
    field = world.laptop("ana")
    with field.db.write() as session:
        row = WorkOrder(number="7", kind=kind)
        session.add(row)
    field.record(row.order_id, "order.imported", {"number": "7", "kind": kind})
    field.complete(row.order_id)
    world.sync(field)
    act(world, APPROVED, row.order_id)
    assert order(world, row.order_id).state == "in_review"
    with pytest.raises(NotPermitted, match="second person"):
        act(world, APPROVED, row.order_id, who="VERA")
    act(world, APPROVED, row.order_id, who="viktor")
    assert order(world, row.order_id).approved_by == "vera\nviktor"
    world.sync(field)
    assert field.state(row.order_id) == OrderState.APPROVED


def test_a_visit_whose_photo_has_not_arrived_cannot_be_approved(world):
    field = world.laptop("ana")
    (order_id,) = field.take_orders(1)
    sha256 = field.photograph(order_id, b"the board")
    photo = field.folder / world.attachment_path(field, sha256)
    photo.rename(photo.with_suffix(".away"))
    field.complete(order_id)
    world.sync(field)
    with pytest.raises(BadInput, match="not arrived"):
        act(world, APPROVED, order_id)
    photo.with_suffix(".away").rename(photo)
    assert world.sync(field).in_step
    act(world, APPROVED, order_id)


def test_rejected_steps_are_done_again_and_the_rest_stays(world, visit):
    field, order_id = visit
    with field.db.write() as session:
        for step in ("identify", "photo"):
            session.add(StepResult(order_id=order_id, step=step, state="done", verdict="PASS"))
    with pytest.raises(BadInput, match="reason"):
        act(world, REJECTED, order_id)
    act(world, REJECTED, order_id, reason="the photo is black", steps=("photo",))
    now = order(world, order_id)
    assert (now.state, now.completed, now.epoch, now.worker) == ("assigned", False, 2, "")
    world.sync(field)
    with field.db.read() as session:
        row = session.get_one(WorkOrder, order_id)
        steps = {s.step: s.state for s in session.query(StepResult)}
    assert (row.state, row.epoch, row.rework) == ("downloaded", 2, "the photo is black")
    assert steps == {"identify": "done", "photo": "open"}
    again = field.complete(order_id)
    assert world.sync(field).in_step
    assert world.verdict(again) == "applied"
    act(world, APPROVED, order_id)
    check_invariants(world, field)


# -- dispatch --------------------------------------------------------------------------------------


def test_a_recalled_order_is_free_and_what_comes_of_it_is_late(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    first, second = ana.take_orders(2)
    ana.record(second, "order.state", {"to": "started"})
    world.sync(ana)
    for order_id in (first, second):
        act(world, RECALLED, order_id, "dora", "dispatcher", reason="other plans")
    assert order(world, first).state == "recalled"
    assert order(world, second).state == "recall_requested"
    late = ana.complete(second)
    world.sync(ana)
    assert world.verdict(late) == "late"
    assert ana.state(first) == OrderState.RECALLED
    with pytest.raises(BadInput, match="nobody"):
        act(world, RECALLED, first, "dora", "dispatcher", reason="again")
    act(world, ASSIGNED, first, "dora", "dispatcher", device=ben.device_id)
    world.sync(ben)
    assert ben.state(first) == OrderState.DOWNLOADED
    done = ben.complete(first)
    world.sync(ben)
    assert world.verdict(done) == "applied"


def test_orders_are_given_away_all_or_none(world):
    ana, ben = world.laptop("ana"), world.laptop("ben")
    ids = ana.take_orders(2)
    world.sync(ana)
    with pytest.raises(NotFound):
        world.centre.assign([ids[0], "nobody's"], ben.device_id)
    assert order(world, ids[0]).epoch == 1
    with pytest.raises(CentreRefused):
        world.centre.assign(ids, "stranger")
    check_centre(world)


def test_orders_are_counted_by_area_crew_and_day(world, visit):
    counts = [(c.area, c.crew, c.state, c.number) for c in world.centre.counts()]
    assert counts == [("", "crew 1", "in_review", 1)]
    (found,) = world.centre.counts()
    assert found.day == datetime.now(UTC).date().isoformat()


# -- disputes --------------------------------------------------------------------------------------


@pytest.fixture
def dispute(world):
    """An order that ana did too late, and that ben has."""
    ana, ben = world.laptop("ana"), world.laptop("ben")
    (order_id,) = ana.take_orders(1)
    world.sync(ana)
    world.centre.assign([order_id], ben.device_id)
    event_id = ana.complete(order_id, "WARN")
    world.sync(ana)
    world.sync(ben)
    (item,) = world.centre.reviews()
    assert (item.event_id, item.verdict, item.order_id) == (event_id, "late", order_id)
    return ana, ben, order_id, item


def test_a_late_result_that_is_accepted_counts_and_the_other_laptop_is_called_back(world, dispute):
    ana, ben, order_id, item = dispute
    with pytest.raises(BadInput, match="reason"):
        act(world, SETTLED, item=item.item, decision=ACCEPT)
    act(world, SETTLED, item=item.item, decision=ACCEPT, reason="ben was never there")
    now = order(world, order_id)
    assert (now.state, now.verdict, now.assignee) == ("in_review", "WARN", ana.device_id)
    assert world.centre.reviews() == []
    assert world.verdict(item.event_id) == "late"  # what was judged stays on record
    world.sync(ana)
    world.sync(ben)
    assert ben.state(order_id) == OrderState.RECALLED
    assert ana.chip(order_id) == "acknowledged"
    (closed,) = world.centre.reviews(item=item.item)
    assert (closed.closed_by, closed.decision) == ("vera", ACCEPT)
    with pytest.raises(BadInput, match="closed"):
        act(world, SETTLED, item=item.item, decision=DISMISS, reason="again")


def test_a_late_result_that_is_dismissed_changes_nothing_and_is_told(world, dispute):
    ana, ben, order_id, item = dispute
    before = order(world, order_id)
    act(world, SETTLED, item=item.item, decision=DISMISS, reason="ben was there")
    assert order(world, order_id) == before
    world.sync(ana)
    assert "another result stands" in ana.chip(order_id)
    assert world.sync(ben).in_step
    assert ben.state(order_id) == OrderState.DOWNLOADED


def test_what_cannot_be_applied_can_only_be_dismissed(world):
    ana = world.laptop("ana")
    ana.take_orders(1)
    ana.record("nobody's", "order.done", {"verdict": "PASS"})
    world.sync(ana)
    (item,) = world.centre.reviews()
    with pytest.raises(BadInput, match="cannot be applied"):
        act(world, SETTLED, item=item.item, decision=ACCEPT, reason="r")
    with pytest.raises(NotFound):
        act(world, SETTLED, item=99_999, decision=DISMISS, reason="r")
    act(world, SETTLED, item=item.item, decision=DISMISS, reason="r")
    assert world.centre.reviews() == []


def test_what_was_too_new_is_judged_again_after_the_upgrade(world):
    ana = world.laptop("ana")
    (order_id,) = ana.take_orders(1)
    event_id = ana.record(order_id, "order.done", {"verdict": "PASS", "who": "ana"})
    strange = ana.record(order_id, "tango.danced", {})
    # As an older centre would have judged them.
    with ana.db.write() as session:
        from app.models.journal import JournalEvent, event_hash

        row = session.query(JournalEvent).filter_by(event_id=event_id).one()
        row.kind = "order.done2"
        row.sha256 = event_hash(
            event_id=row.event_id,
            order_id=row.order_id,
            epoch=row.epoch,
            kind=row.kind,
            schema_v=1,
            body=row.body,
        )
    world.sync(ana)
    assert world.verdict(event_id) == world.verdict(strange) == "unknown_kind"
    assert world.centre.maintain().rejudged == 0
    world.change(
        "UPDATE event SET kind = 'step.result' WHERE event_id = ?", event_id
    )  # stands for the upgrade
    assert world.centre.maintain().rejudged == 1
    assert [item.event_id for item in world.centre.reviews()] == [strange]
    world.sync(ana)
    assert ana.chip(order_id) == "too new for the centre, kept"


# -- readings --------------------------------------------------------------------------------------


def profile_body(start, values, *, step=900, status=0):
    rows = [
        [(start + timedelta(seconds=step * i)).isoformat(), status, [], False, [v, str(i)]]
        for i, v in enumerate(values)
    ]
    return {
        "capture_id": new_id(),
        "meter": "00123",
        "position": 0,
        "profile": {
            "obis": "1-0:99.1.0.255",
            "period_s": step,
            "columns": [["1-0:1.8.0.255", 2, "kWh", "import"], ["1-0:21.7.0.255", 2, "kW", ""]],
            "entries": None,
            "capacity": None,
        },
        "rows": rows,
    }


def test_profile_rows_become_day_segments_with_every_digit_and_every_gap(world):
    ana = world.laptop("ana")
    (order_id,) = ana.take_orders(1)
    start = datetime(2026, 3, 28, 22, 0, tzinfo=UTC)
    values = [str(Decimal("100.000") + i) for i in range(20)]
    values[5] = None
    ana.record(order_id, "profile.segment", profile_body(start, values, status=2**31 + 5))
    ana.record(order_id, "profile.segment", {"no": "profile"})
    world.sync(ana)
    assert world.centre.maintain().readings == 4
    assert world.centre.maintain().readings == 0
    runs = world.centre.readings("00123", "1-0:1.8.0.255")
    assert [(run.day, run.first_s, len(run.delta)) for run in runs] == [
        (date(2026, 3, 28), 22 * 3600, 8),
        (date(2026, 3, 29), 0, 12),
    ]
    found = [(i.time, str(i.value)) for run in runs for i in intervals(run)]
    wanted = [(start + timedelta(seconds=900 * i), v) for i, v in enumerate(values) if v]
    assert found == wanted
    # A second read-out adds rows of its own.
    ana.record(order_id, "profile.segment", profile_body(start, values))
    world.sync(ana)
    world.centre.maintain()
    assert len(world.centre.readings("00123", "1-0:1.8.0.255")) == 4
    check_centre(world)


# -- the same verdict, whatever is sent ------------------------------------------------------------

TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
KEYS = st.sampled_from(
    ["to", "state", "who", "verdict", "number", "external_ref", "priority", "due", "device"]
)
STATES = st.sampled_from([*map(str, OrderState), "nowhere"])
BODIES = st.one_of(
    st.dictionaries(KEYS, VALUES, max_size=4).map(canonical),
    STATES.map(lambda to: canonical({"to": to})),
    TEXT,
    st.sampled_from(
        ["[]", "{", '{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"a":"\\\\u0000"}', '{"priority":NaN}',
         '{"a":1e2}', "\ufeff{}", '{"priority":-0}', '{"priority":true}', ' {"a" : 1 } ',
         '{"priority":99999999999999999999999}', '{"a":1,"a":2}', "null", "NULL", ""]
    ),
)  # fmt: skip
EVENTS = st.lists(
    st.tuples(
        st.sampled_from([*sorted(FIELD_KINDS), "order.new", "null", ASSIGNED, "order.imported"]),
        st.sampled_from(["a", "b", "", "unknown"]),
        st.integers(0, 3),
        st.sampled_from([1, 1, 1, 2]),
        BODIES,
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


def envelopes(events, first=1):
    made = []
    for seq, (kind, order_id, epoch, schema_v, body, honest) in enumerate(events, first):
        sent = Envelope(seq, new_id(), order_id, epoch, kind, schema_v, body, "", datetime.now(UTC))
        sha256 = computed_hash(sent) if honest else "00" * 32
        made.append(
            Envelope(*[getattr(sent, n) if n != "sha256" else sha256 for n in Envelope.__slots__])
        )
    return made


@pytest.mark.postgres
def test_both_stores_judge_and_fold_whatever_is_sent_alike(tmp_path):
    (tmp_path / "s").mkdir()
    one, other = World(tmp_path / "s"), postgres_world(tmp_path)
    number = 0

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(EVENTS)
    def alike(events):
        nonlocal number
        number += 1
        device = f"laptop {number}"
        body = canonical({"number": device, "state": "started"})
        orders = {"a": f"a{number}", "b": f"b{number}", "": "", "unknown": f"u{number}"}
        setup = [("order.imported", "a", 1, 1, body, True)]
        batch = envelopes([*setup, *events])
        batch = [
            Envelope(*[getattr(e, n) for n in Envelope.__slots__][:2], orders[e.order_id],
                     *[getattr(e, n) for n in Envelope.__slots__][3:])
            for e in batch
        ]  # fmt: skip
        batch = [
            e if e.sha256 == "00" * 32
            else Envelope(*[computed_hash(e) if n == "sha256" else getattr(e, n)
                            for n in Envelope.__slots__])
            for e in batch
        ]  # fmt: skip
        seen = []
        for world in (one, other):
            world.centre.enrol(device)
            calls = world.centre.session(device)
            assert calls.push(1, batch) == len(batch)
            assert calls.push(1, batch) == len(batch)
            seen.append(
                (
                    world.rows(
                        "SELECT seq, verdict, sha256, body FROM event WHERE device_id = ?"
                        " ORDER BY seq",
                        device,
                    ),
                    sorted(world.centre.orders([*orders.values()]), key=lambda o: o.order_id),
                    [(m.seq, m.kind, m.order_id, json.loads(m.body)) for m in calls.pull(0, 100)],
                )
            )
            calls.close()
        assert seen[0] == seen[1]

    try:
        alike()
        check_centre(one)
        check_centre(other)
    finally:
        one.close()
        other.close()
