"""Acts of the office on an order: who may, what must be true, which letters follow.  Pure.

``sql/06_office.sql`` has the same rules; one test suite runs on both.
"""

from dataclasses import dataclass
from typing import Any

from app.centre.contract import Act, Envelope, Verdict
from app.centre.fold import (
    APPROVED,
    ASSIGNED,
    FIELD_KINDS,
    IMPORTED,
    RECALLED,
    REJECTED,
    SETTLED,
    STATE,
    parsed,
)
from app.centre.order import CentreOrder
from app.errors import BadInput, NotPermitted
from app.models.order import OrderState

ACCEPT = "accept"
DISMISS = "dismiss"
DISMISSED = "dismissed"  # the verdict that travels back

_OFFICE = frozenset({"planner", "dispatcher", "supervisor", "administrator"})
_VERIFIERS = frozenset({"verifier"})  # never the installer
ROLES = {
    ASSIGNED: _OFFICE,
    RECALLED: _OFFICE,
    APPROVED: _VERIFIERS,
    REJECTED: _VERIFIERS,
    SETTLED: frozenset({"verifier", "dispatcher", "supervisor", "administrator", "system"}),
}
SECOND_PERSON = frozenset({"disconnect", "key_change", "investigate_tamper"})

Letter = tuple[str, str, dict[str, Any]]  # laptop, kind, data


@dataclass(frozen=True)
class Decided:
    """What an act writes: the epoch and body of its event, and the letters."""

    epoch: int
    body: dict[str, Any]
    letters: tuple[Letter, ...]


@dataclass(frozen=True)
class Disputed:
    """The event behind a review item, and what the item says of it."""

    envelope: Envelope
    device_id: str
    verdict: str
    closed: bool


def decided(
    act: Act,
    order: CentreOrder | None,
    *,
    media_missing: bool = False,
    item: Disputed | None = None,
) -> Decided:
    """Return what the act writes.

    Args:
        act: What is wanted.
        order: The order as it stands; None only for an item whose order nobody knows.
        media_missing: Whether files of the order have not arrived.
        item: The review item to settle.

    Raises:
        NotPermitted: Not for this role or person.
        BadInput: The order does not allow it, or something is missing.
    """
    if act.role not in ROLES.get(act.kind, frozenset()):
        raise NotPermitted(f"this is not for the role {act.role}")
    if item is not None:
        return _settled(act, order, item)
    if order is None:
        raise BadInput("an order is needed")
    if act.kind == ASSIGNED:
        return _assigned(act, order)
    if act.kind == RECALLED:
        return _recalled(act, order)
    return _reviewed(act, order, media_missing=media_missing)


def _assigned(act: Act, order: CentreOrder) -> Decided:
    _open(order)
    epoch = order.epoch + 1
    letters: list[Letter] = []
    if order.assignee != act.device:
        letters.append((order.assignee, "recall", {"epoch": epoch}))
    letters.append((act.device, "assign", _brief(order, epoch)))
    body = {"device": act.device, "before": order.assignee, "who": act.who}
    return Decided(epoch, body, tuple(letters))


def _recalled(act: Act, order: CentreOrder) -> Decided:
    _reasoned(act)
    _open(order)
    if not order.assignee:
        raise BadInput(f"order {_name(order)} lies with nobody")
    epoch = order.epoch + 1
    body = {"reason": act.reason, "who": act.who, "before": order.assignee}
    letter = (order.assignee, "recall", {"epoch": epoch, "reason": act.reason})
    return Decided(epoch, body, (letter,))


def _reviewed(act: Act, order: CentreOrder, *, media_missing: bool) -> Decided:
    if order.state != OrderState.IN_REVIEW:
        words = order.state.replace("_", " ")
        raise BadInput(f"order {_name(order)} is {words}, not in review")
    if order.worker and order.worker.lower() == act.who.lower():
        raise NotPermitted(f"{act.who} did this work and cannot review it")
    if act.kind == REJECTED:
        _reasoned(act)
        epoch = order.epoch + 1
        steps = list(act.steps)
        data = {**_brief(order, epoch), "reason": act.reason, "steps": steps}
        body = {"reason": act.reason, "steps": steps, "who": act.who}
        return Decided(epoch, body, ((order.assignee, "rework", data),))
    if act.who.lower() in order.approved_by.lower().split("\n"):
        raise NotPermitted(f"{act.who} has approved it already; a second person must")
    if media_missing:
        raise BadInput(f"files of order {_name(order)} have not arrived yet")
    final = bool(order.approved_by) or order.kind not in SECOND_PERSON
    letter = (order.assignee, "approved", {"epoch": order.epoch})
    return Decided(order.epoch, {"who": act.who, "final": final}, (letter,) if final else ())


def _settled(act: Act, order: CentreOrder | None, item: Disputed) -> Decided:
    if item.closed:
        raise BadInput(f"item {act.item} is closed")
    _reasoned(act)
    if act.decision not in {ACCEPT, DISMISS}:
        raise BadInput(f"the decision is {ACCEPT} or {DISMISS}")
    event = item.envelope
    epoch = order.epoch if order else 0
    body: dict[str, Any] = {
        "event_id": event.event_id,
        "device": item.device_id,
        "kind": event.kind,
        "decision": act.decision,
        "reason": act.reason,
        "who": act.who,
    }
    letters: list[Letter] = []
    if act.decision == ACCEPT:
        inner = parsed(event.body)
        if order is None or inner is None or not _can_apply(event.kind, inner, item.verdict):
            raise BadInput(f"event {event.event_id} cannot be applied")
        body["body"] = inner
        if order.assignee != item.device_id:
            epoch += 1
            letters.append((order.assignee, "recall", {"epoch": epoch, "reason": act.reason}))
    told = Verdict.APPLIED.value if act.decision == ACCEPT else DISMISSED
    letters.append((item.device_id, "verdict", {"event_id": event.event_id, "verdict": told}))
    return Decided(epoch, body, tuple(letters))


def _can_apply(kind: str, body: dict[str, Any], verdict: str) -> bool:
    if kind not in FIELD_KINDS - {IMPORTED} or verdict == Verdict.INVALID:
        return False
    return kind != STATE or body.get("to") in set(OrderState)


def _brief(order: CentreOrder, epoch: int) -> dict[str, Any]:
    return {"epoch": epoch, "revision": order.revision, "order": parsed(order.body) or {}}


def _open(order: CentreOrder) -> None:
    if order.completed:
        raise BadInput(f"order {_name(order)} is completed already")


def _reasoned(act: Act) -> None:
    if not act.reason.strip():
        raise BadInput("a reason is needed")


def _name(order: CentreOrder) -> str:
    return order.number or order.order_id
