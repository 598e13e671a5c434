"""From events to the state of work orders: pure, no clock, no storage.

`judge` gives the verdict on one new event, `fold` applies one that was accepted.  Folding all
applied events of the log again, in the order in which they came, must give the same orders.
"""

import json
from dataclasses import replace
from datetime import UTC
from typing import Any, NoReturn, TypeGuard

from app.centre.contract import SCHEMA_MAX, Envelope, Verdict
from app.centre.order import CentreOrder
from app.models.journal import event_hash
from app.models.order import OrderState

IMPORTED = "order.imported"
STATE = "order.state"
DONE = "order.done"
SEGMENT = "profile.segment"
# Acts of the office; never accepted from a laptop.
ASSIGNED = "centre.assigned"
RECALLED = "centre.recalled"
APPROVED = "centre.approved"
REJECTED = "centre.rejected"
SETTLED = "centre.settled"

_LARGEST_PRIORITY = 99

FIELD_KINDS = frozenset(
    {
        IMPORTED,
        STATE,
        DONE,
        "step.result",
        "reading.taken",
        "profile.taken",
        SEGMENT,
        "events.taken",
        "clock.compared",
        "check.result",
        "command.intent",
        "command.result",
        "seal.set",
        "attachment.added",
        "incident.reported",
        "token.intended",
        "token.entered",
        "tokens.imported",
        "tokens.added",
        "campaign.imported",
    }
)

# States that only the centre leaves; a laptop that still works on such an order is in conflict.
_CENTRE_STATES = frozenset(
    {
        OrderState.IN_REVIEW,
        OrderState.APPROVED,
        OrderState.EXPORTED,
        OrderState.CLOSED,
        OrderState.CANCELLED,
        OrderState.SUPERSEDED,
        OrderState.RETURNED,
        OrderState.TRIAGE,
    }
)
_AGREED = frozenset({OrderState.DONE, OrderState.SUBMITTED})
_STATES = frozenset(OrderState)


def computed_hash(envelope: Envelope) -> str:
    """Return the hash over what arrived; the one that was sent is never trusted."""
    return event_hash(
        event_id=envelope.event_id,
        order_id=envelope.order_id,
        epoch=envelope.epoch,
        kind=envelope.kind,
        schema_v=envelope.schema_v,
        body=envelope.body,
    )


def parsed(body: str) -> dict[str, Any] | None:
    """Return the body as data, or None when it is no JSON object or has text no store can keep."""
    try:
        data = json.loads(body, parse_constant=_no_number)
        body.encode()
        if "\\u" in body:
            json.dumps(_storable(data), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _storable(data: Any) -> Any:
    """Return ``data``, or raise where an escape stands for a NUL: PostgreSQL keeps none."""
    if isinstance(data, str) and "\x00" in data:
        raise ValueError("a NUL in a text")
    if isinstance(data, dict):
        for key, value in data.items():
            _storable(key)
            _storable(value)
    elif isinstance(data, list):
        for value in data:
            _storable(value)
    return data


def judge(
    order: CentreOrder | None, device_id: str, envelope: Envelope, body: dict[str, Any] | None
) -> Verdict:
    """Return the verdict on a new event.

    Args:
        order: The order as it stands, None when the centre does not know it.
        device_id: The laptop that sends.
        envelope: The event.
        body: Its parsed body, None when it does not parse or its hash does not fit.
    """
    if body is None:
        return Verdict.INVALID
    if envelope.kind not in FIELD_KINDS or envelope.schema_v > SCHEMA_MAX:
        return Verdict.UNKNOWN_KIND
    if not envelope.order_id:
        return Verdict.INVALID if envelope.kind.startswith("order.") else Verdict.APPLIED
    if order is None:
        return Verdict.APPLIED if envelope.kind == IMPORTED else Verdict.ORPHAN
    if order.assignee != device_id or order.epoch != envelope.epoch:
        return Verdict.LATE
    return _judge_own(order, envelope.kind, body)


def _judge_own(order: CentreOrder, kind: str, body: dict[str, Any]) -> Verdict:
    """Return the verdict on an event about an order that is this laptop's own."""
    if kind == DONE and order.completed:
        return Verdict.DUPLICATE_RESULT
    if kind == STATE:
        to = _text(body, "to")
        if to not in _STATES:
            return Verdict.INVALID
        if order.state in _CENTRE_STATES and to not in _AGREED:
            return Verdict.CONFLICT
    return Verdict.APPLIED


def fold(
    order: CentreOrder | None, device_id: str, envelope: Envelope, body: dict[str, Any]
) -> CentreOrder | None:
    """Return the order after an applied event; observations leave it as it is."""
    if envelope.kind == IMPORTED:
        return _imported(order, device_id, envelope, body)
    if order is None or envelope.kind not in _FOLDS:
        return order
    return _FOLDS[envelope.kind](order, envelope, body)


def _stated(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:  # noqa: ARG001
    if order.state in _CENTRE_STATES or (order.completed and body["to"] in _AGREED):
        return order
    return replace(order, state=body["to"])


def _done(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:
    return replace(
        order,
        state=OrderState.IN_REVIEW.value,
        completed=True,
        verdict=_text(body, "verdict"),
        report_sha256=_text(body, "report_sha256"),
        worker=_text(body, "who"),
        ended=envelope.wall.astimezone(UTC).date().isoformat(),
    )


def _assigned(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:
    return replace(
        order,
        assignee=_text(body, "device"),
        epoch=envelope.epoch,
        state=order.state if order.completed else OrderState.ASSIGNED.value,
    )


def _recalled(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:  # noqa: ARG001
    begun = order.state in {OrderState.STARTED, OrderState.PAUSED}
    state = OrderState.RECALL_REQUESTED if begun else OrderState.RECALLED
    return replace(order, assignee="", epoch=envelope.epoch, state=state.value)


def _approved(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:  # noqa: ARG001
    names = [*filter(None, [order.approved_by]), _text(body, "who")]
    state = OrderState.APPROVED.value if body.get("final") is True else order.state
    return replace(order, approved_by="\n".join(names), state=state)


def _rejected(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:  # noqa: ARG001
    return replace(
        order,
        epoch=envelope.epoch,
        state=OrderState.ASSIGNED.value,
        completed=False,
        verdict="",
        report_sha256="",
        worker="",
        ended="",
        approved_by="",
    )


def _settled(order: CentreOrder, envelope: Envelope, body: dict[str, Any]) -> CentreOrder:
    """Apply the event a person has accepted: it carries all that folding it needs."""
    if _text(body, "decision") != "accept":
        return order
    order = replace(order, assignee=_text(body, "device"), epoch=envelope.epoch)
    inner, data = _text(body, "kind"), body.get("body")
    if inner not in {STATE, DONE} or not isinstance(data, dict):
        return order
    return _FOLDS[inner](order, envelope, data)


_FOLDS = {
    STATE: _stated,
    DONE: _done,
    ASSIGNED: _assigned,
    RECALLED: _recalled,
    APPROVED: _approved,
    REJECTED: _rejected,
    SETTLED: _settled,
}


def _imported(
    order: CentreOrder | None, device_id: str, envelope: Envelope, body: dict[str, Any]
) -> CentreOrder:
    """Return the order as imported; a repeated import changes the plan, never the progress."""
    state = _text(body, "state")
    base = order or CentreOrder(
        order_id=envelope.order_id,
        state=state if state in _STATES else OrderState.ACCEPTED.value,
        assignee=device_id,
        epoch=envelope.epoch,
        revision=0,
    )
    priority = body.get("priority")
    return replace(
        base,
        number=_text(body, "number"),
        source=_text(body, "source"),
        external_ref=_text(body, "external_ref") or None,
        kind=_text(body, "kind"),
        title=_text(body, "title"),
        queue=_text(body, "queue"),
        area=_text(body, "area"),
        priority=priority if _is_priority(priority) else base.priority,
        due=_text(body, "due"),
        revision=base.revision + 1,
        body=envelope.body,
    )


def _is_priority(value: object) -> TypeGuard[int]:
    """Tell a small whole number from everything else; JSON's true is no number."""
    return (
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_PRIORITY
    )


def _text(body: dict[str, Any], key: str) -> str:
    value = body.get(key)
    return value if isinstance(value, str) else ""
