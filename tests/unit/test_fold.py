"""Judging and folding: whatever a body holds, a verdict comes out and nothing is raised."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.centre.contract import Envelope, Verdict
from app.centre.fold import ASSIGNED, FIELD_KINDS, IMPORTED, CentreOrder, fold, judge, parsed

KEYS = (
    "to",
    "from",
    "verdict",
    "report_sha256",
    "number",
    "external_ref",
    "priority",
    "due",
    "device",
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
BODIES = st.dictionaries(st.sampled_from(KEYS), VALUES)
ORDERS = st.builds(
    CentreOrder,
    order_id=st.just("o"),
    state=st.sampled_from(["accepted", "started", "in_review", "cancelled"]),
    assignee=st.sampled_from(["me", "you"]),
    epoch=st.integers(1, 3),
    completed=st.booleans(),
)


def envelope(kind: str, body: str, epoch: int = 1, order_id: str = "o") -> Envelope:
    return Envelope(
        seq=1,
        event_id="e",
        order_id=order_id,
        epoch=epoch,
        kind=kind,
        schema_v=1,
        body=body,
        sha256="",
        wall=datetime(2026, 1, 1, tzinfo=UTC),
    )


@given(
    order=st.none() | ORDERS,
    kind=st.sampled_from(sorted(FIELD_KINDS | {"else", ASSIGNED})),
    body=BODIES,
    epoch=st.integers(0, 3),
    order_id=st.sampled_from(["o", ""]),
)
def test_every_event_gets_a_verdict_and_an_applied_one_folds(order, kind, body, epoch, order_id):
    sent = envelope(kind, json.dumps(body), epoch, order_id)
    data = parsed(sent.body)
    verdict = judge(order, "me", sent, data)
    if verdict is Verdict.APPLIED:
        assert data is not None
        after = fold(order, "me", sent, data)
        if kind == IMPORTED:
            assert after is not None
        if order is not None and order_id and kind != IMPORTED:
            # I4: a result is applied only by its owner under the present epoch.
            assert (order.assignee, order.epoch) == ("me", epoch)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_a_body_of_any_text_parses_or_is_nothing(text):
    data = parsed(text)
    assert data is None or isinstance(data, dict)


def test_a_body_with_half_a_letter_or_a_nul_is_nothing():
    assert parsed('{"a":"\ud800"}') is None
    assert parsed('{"a":"\\u0000"}') is None
    assert parsed("{}") == {}
