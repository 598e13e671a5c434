"""What the centre's mail does to the laptop.  A repeated or older letter changes nothing."""

import json
from datetime import date
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.centre.contract import Mail, Verdict
from app.models.base import utc_now
from app.models.journal import InboxRaw, JournalEvent
from app.models.order import OrderState, StepResult, WorkOrder
from app.models.search import search_text
from app.models.token import purge

# What a planner may set; everything else on the order belongs to the visit.
_PLANNED_TEXT = (
    "number",
    "source",
    "external_ref",
    "kind",
    "title",
    "queue",
    "area",
    "meter_serial",
    "utility_serial",
    "meter_type",
    "procedure",
    "limit_pack",
    "note",
)
_NOT_BEGUN = (
    OrderState.ASSIGNED,
    OrderState.DOWNLOADED,
    OrderState.ACCEPTED,
    OrderState.RECALL_REQUESTED,
    OrderState.RECALLED,
    OrderState.DECLINED,
)
_FINISHED = (OrderState.DONE, OrderState.SUBMITTED, OrderState.IN_REVIEW, OrderState.APPROVED)


def apply_mail(session: Session, mail: Mail) -> None:
    """Apply one letter in the caller's transaction; what cannot be read is kept, not in the way."""
    try:
        data = json.loads(mail.body)
        readers = {
            "assign": _assign,
            "recall": _recall,
            "verdict": _verdict,
            "rework": _rework,
            "approved": _approved,
        }
        if mail.kind not in readers:
            _keep(session, mail, f"unknown kind {mail.kind}")
            return
        readers[mail.kind](session, mail.order_id, data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        _keep(session, mail, f"cannot be read: {error!r}")


def _keep(session: Session, mail: Mail, problem: str) -> None:
    body = json.dumps({"kind": mail.kind, "order_id": mail.order_id, "body": mail.body})
    session.merge(InboxRaw(mail_seq=mail.seq, body=body, problem=problem))


def _assign(session: Session, order_id: str, data: dict[str, Any]) -> None:
    """Take an order, or its new epoch; work already done is never undone."""
    epoch = int(data["epoch"])
    planned = _planned(data["order"])
    order = session.get(WorkOrder, order_id)
    if order is None:
        session.add(order_from(order_id, epoch, data["order"], OrderState.DOWNLOADED))
        return
    if epoch <= order.epoch or order.state in _FINISHED:
        return
    order.epoch = epoch
    if order.state in _NOT_BEGUN:
        order.state = OrderState.DOWNLOADED
        for name, value in planned.items():
            setattr(order, name, value)
        order.search = _search_text(order)
    order.updated = utc_now()


def order_from(order_id: str, epoch: int, body: dict[str, Any], state: OrderState) -> WorkOrder:
    """Return a new order as its planner wrote it."""
    order = WorkOrder(order_id=order_id, state=state, epoch=epoch, **_planned(body))
    order.search = _search_text(order)
    return order


def _planned(body: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: body[name] for name in _PLANNED_TEXT if isinstance(body.get(name), str)
    }
    values.setdefault("number", "")
    if isinstance(body.get("priority"), int):
        values["priority"] = body["priority"]
    if body.get("due"):
        values["due"] = date.fromisoformat(body["due"])
    return values


def _search_text(order: WorkOrder) -> str:
    return search_text(
        order.number,
        order.external_ref,
        order.title,
        order.meter_serial,
        order.utility_serial,
        order.area,
        order.note,
    )


def _recall(session: Session, order_id: str, data: dict[str, Any]) -> None:
    """Take back an order that was not begun; one that was goes on, and its result is late."""
    order = session.get(WorkOrder, order_id)
    if order is None or order.epoch >= int(data["epoch"]):
        return
    if order.state in _NOT_BEGUN:
        order.state = OrderState.RECALLED
        order.updated = utc_now()
        purge(session, order_id, order.updated)


def _rework(session: Session, order_id: str, data: dict[str, Any]) -> None:
    """Open an order again that a verifier sent back: only the flagged steps, or all of them."""
    epoch, steps = int(data["epoch"]), [str(step) for step in data["steps"]]
    reason = str(data["reason"])
    order = session.get(WorkOrder, order_id)
    if order is None:
        # The data of this laptop were lost: it comes as a new order.
        _assign(session, order_id, data)
        order = session.get_one(WorkOrder, order_id)
    elif epoch <= order.epoch:
        return
    order.epoch, order.rework, order.state = epoch, reason, OrderState.DOWNLOADED
    order.verdict, order.report_sha256, order.ended = "", "", None
    opened = session.scalars(select(StepResult).where(StepResult.order_id == order_id)).all()
    for result in opened:
        if not steps or result.step in steps:
            result.state, result.verdict, result.ended = "open", "", None
    order.steps_done = sum(result.state in {"done", "skipped"} for result in opened)
    order.step = next((result.step for result in opened if result.state == "open"), "")
    order.updated = utc_now()


def _approved(session: Session, order_id: str, data: dict[str, Any]) -> None:
    """Note that the visit was approved."""
    order = session.get(WorkOrder, order_id)
    if order is not None and order.epoch == int(data["epoch"]) and order.state in _FINISHED:
        order.state = OrderState.APPROVED
        order.updated = utc_now()


def _verdict(session: Session, _order_id: str, data: dict[str, Any]) -> None:
    """Note what the centre made of an event; "" stands for applied."""
    event_id, verdict = str(data["event_id"]), str(data["verdict"])
    verdict = "" if verdict == Verdict.APPLIED else verdict
    session.execute(
        update(JournalEvent).where(JournalEvent.event_id == event_id).values(verdict=verdict)
    )


def unread_mail(session: Session) -> int:
    """Return how many letters this version could not read; the window shows a banner for them."""
    return len(session.scalars(select(InboxRaw.mail_seq)).all())
