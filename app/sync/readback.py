"""Own events read back from the centre, for a laptop whose disk was put back to an older state.

They go into the journal as acknowledged, and the orders they tell of move on, so that nobody is
sent out twice.  What was found on the visit stays at the centre.
"""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.centre.contract import MAX_EVENTS, CentreSession, Envelope, Verdict
from app.models.base import utc_now
from app.models.database import Database
from app.models.journal import JournalEvent
from app.models.order import OrderState, WorkOrder
from app.sync.mailbox import order_from

_ENDED = (
    OrderState.DONE,
    OrderState.SUBMITTED,
    OrderState.IN_REVIEW,
    OrderState.APPROVED,
    OrderState.RECALLED,
)


def read_back(
    db: Database,
    calls: CentreSession,
    left: int,
    from_seq: int,
    last_seqs: Mapping[int, int],
) -> int:
    """Fetch what this laptop once knew; return how many events.

    Args:
        db: The local database.
        calls: The centre.
        left: The incarnation whose numbers turned out to be used.
        from_seq: The first of its numbers that this disk does not have.
        last_seqs: How far the centre is in each incarnation.
    """
    fetched = 0
    for incarnation, last in sorted(last_seqs.items()):
        if incarnation < left:
            continue
        after = from_seq - 1 if incarnation == left else 0
        while after < last:
            events = calls.own_events(incarnation, after, MAX_EVENTS)
            if not events:
                break
            with db.write() as session:
                for envelope, verdict in events:
                    fetched += _keep(session, incarnation, envelope, verdict)
            after = events[-1][0].seq
    return fetched


def _keep(session: Session, incarnation: int, envelope: Envelope, verdict: str) -> int:
    here = session.scalar(
        select(JournalEvent.seq).where(
            (JournalEvent.event_id == envelope.event_id)
            | ((JournalEvent.incarnation == incarnation) & (JournalEvent.seq == envelope.seq))
        )
    )
    if here is not None:
        return 0
    values = {name: getattr(envelope, name) for name in Envelope.__slots__}
    applied = verdict == Verdict.APPLIED
    session.add(
        JournalEvent(
            incarnation=incarnation,
            acked_at=utc_now(),
            verdict="" if applied else verdict,
            **values,
        )
    )
    if applied:
        _move_on(session, envelope)
    session.flush()
    return 1


def _move_on(session: Session, envelope: Envelope) -> None:
    """Bring the order to where it was when the event was written."""
    try:
        body: dict[str, Any] = json.loads(envelope.body)
        order = session.get(WorkOrder, envelope.order_id)
        if envelope.kind == "order.imported" and order is None:
            session.add(order_from(envelope.order_id, envelope.epoch, body, OrderState.ACCEPTED))
        elif order is None or order.state in _ENDED or order.epoch > envelope.epoch:
            return
        elif envelope.kind == "order.done":
            order.state, order.verdict = OrderState.DONE, str(body.get("verdict", ""))
        elif envelope.kind == "order.state":
            order.state = OrderState(body["to"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return  # written by another version; the journal has it, the state stays
