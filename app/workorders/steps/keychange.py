"""Key change: a whole set, on the key it was issued for, and proved by what the meter shows after.

Nothing changes in the meter before the set is complete.  Old credit comes first: after the change
the meter takes no token of the old key.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.errors import BadInput, NotPermitted
from app.models.token import OrderToken, TokenStep, VendingRecord, purge
from app.reports.model import Verdict
from app.services import audit
from app.services.approving import KEY_CHANGE as APPROVE
from app.services.approving import approved
from app.services.token import compared, differences, key_words, reading_data
from app.services.token_entry import Booking
from app.tasks import Found, Progress, Task
from app.workorders.entering import (
    LATER,
    EnteredToken,
    booking_for,
    channel,
    confirmed,
    enter_all,
)
from app.workorders.proof import proved
from app.workorders.steps.prepayment import state
from app.workorders.steps.tokens import listed, step_end
from app.workorders.tokens import KEY_CHANGE, OLD_CREDIT, token_views, vending_record
from app.workorders.unseen import resolve
from app.workorders.visit import StepEnd, Visit
from drivers.prepayment import PrepaymentReading
from drivers.sts.keys import EA_MISTY
from drivers.sts.results import result_words

CHANGE = "Change the key all the same"
SET_TIME = timedelta(minutes=10)  # in which meters want a set to be complete
_SIZES = {EA_MISTY: (4,)}
_STA_SIZES = (2, 3)


def keychange(visit: Visit) -> Task[StepEnd]:
    """Load the key-change set of the order, and prove that the meter is on the new key."""
    end = yield from _changed(visit)
    return (yield from proved(visit, end, "the meter shows the new key"))


def _changed(visit: Visit) -> Task[StepEnd]:
    """Load the set and verify.

    Raises:
        BadInput: The set has not as many tokens as this meter needs; nothing was entered.
        NotPermitted: The operator stopped, or nobody else approved.
    """
    rows = listed(visit, (KEY_CHANGE,))
    if not rows:
        return StepEnd(Verdict.NOT_APPLICABLE, "The order has no key-change set")
    with visit.db.read() as session:
        record = vending_record(session, visit.order.order_id)
    booking = booking_for(visit, f"key change of order {visit.order.number}")
    way = yield from channel(visit)
    yield from resolve(visit, booking)
    begun = any(row.state != TokenStep.OPEN for row in listed(visit, (KEY_CHANGE,)))
    if not begun:
        done = yield from _prepared(visit, record, rows)
        if done is not None:
            return done
    _renew_expired(visit, booking)
    yield Found("tokens", token_views(visit.db, visit.order.order_id))
    ended = yield from enter_all(visit, listed(visit, (KEY_CHANGE,)), way, booking)
    missing = _missing(rows, ended)
    if missing:
        return _failed(visit, ended, missing)
    return (yield from _verified(visit, record, booking, ended))


# -- before ----------------------------------------------------------------------------------


def _prepared(visit: Visit, record: VendingRecord, rows: list[OrderToken]) -> Task[StepEnd | None]:
    """Check all that must be right before the first token; return the end when nothing is to do."""
    before = yield from _state_before(visit)
    _whole(rows, before.ea or record.new.get("ea") or record.old.get("ea"), before.key_tokens)
    new = {"drn": record.drn, **record.new}
    on_new = bool(compared(record.new, before)) and not differences(new, before)
    if on_new and differences(record.old, before):
        return _already(visit, record, before)
    found = differences({"drn": record.drn, **record.old}, before)
    if found:
        yield from _go_on(
            visit,
            "other_key",
            "The meter is not on the key for which the set was issued. "
            + "; ".join(map(str, found)),
            "The meter will refuse the tokens. An SGC of 0 means that a key change was entered"
            " before. Ask the vending office for a set that fits.",
        )
    old = [row for row in listed(visit, (OLD_CREDIT,)) if row.state == TokenStep.OPEN]
    if old:
        shown = ", ".join(row.shown for row in old)
        yield from _go_on(
            visit,
            "old_credit",
            f"Credit on the old key is not entered yet: {shown}",
            "After the key change the meter takes it no more, and the customer loses it.",
        )
    yield from _approved(visit)
    yield from confirmed(
        visit,
        "confirm",
        f"This changes the decoder key of the meter with {len(rows)} tokens.",
        "Afterwards tokens of the old key are refused. Tell the vending office that it was done.",
    )
    return None


def _state_before(visit: Visit) -> Task[PrepaymentReading]:
    yield Progress("Reading the present key")
    if visit.context.open_meter is None:
        return PrepaymentReading()  # the step before has asked for what the display shows
    return (yield from state(visit))


def _whole(rows: list[OrderToken], ea: int | None, told: int | None) -> None:
    """Refuse a set that cannot be complete."""
    sizes = _SIZES.get(ea or 0, _STA_SIZES if ea else (2, 3, 4))
    if len(rows) not in sizes:
        wanted = " or ".join(map(str, sizes))
        kind = f"EA{ea:02}" if ea else "a meter"
        raise BadInput(f"the set has {len(rows)} tokens; {kind} needs {wanted}")
    if told and len(rows) > told:
        raise BadInput(f"the set has {len(rows)} tokens; this meter takes {told}")


def _go_on(visit: Visit, question: str, text: str, detail: str) -> Task[None]:
    answer = yield from visit.ask(question, text, (LATER, CHANGE), detail=detail, dangerous=True)
    if answer == LATER:
        visit.forget(question)
        raise NotPermitted(f"stopped before the key change: {text}")


def _approved(visit: Visit) -> Task[None]:
    """Have somebody else approve the change; who was asked is not asked again after a stop."""
    if visit.recall("approved") is not None:
        return
    visit.session.release()
    approval = yield from approved(
        visit.db,
        APPROVE,
        visit.key("approved_by"),
        "Who approves this key change?",
        first=visit.context.who,
        subject=visit.meter_serial,
    )
    visit.keep("approved", str(approval))


def _already(visit: Visit, record: VendingRecord, before: PrepaymentReading) -> StepEnd:
    at = visit.context.clock()

    def keep(session: Session) -> None:
        session.get_one(VendingRecord, record.order_id).verified = at
        for row in listed(visit, (KEY_CHANGE,)):
            session.get_one(OrderToken, row.token_id).state = TokenStep.LEFT_OUT
        purge(session, record.order_id, at, purposes=(KEY_CHANGE,))

    summary = f"The meter is on the new key already: {key_words(before)}"
    value = {"state": "verified", "after": reading_data(before), "entered": False}
    return StepEnd(Verdict.PASS, summary, value, also=keep)


def _renew_expired(visit: Visit, booking: Booking) -> None:
    """Have a set entered anew from its first token when its time ran out in between."""
    rows = listed(visit, (KEY_CHANGE,))
    parts = [row for row in rows if row.state == TokenStep.PART and row.entered is not None]
    first = min((row.entered for row in parts if row.entered), default=None)
    if first is None or booking.clock() - first < SET_TIME:
        return
    if not any(row.state == TokenStep.OPEN for row in rows):
        return
    with visit.db.write() as session:
        for row in parts:
            session.get_one(OrderToken, row.token_id).state = TokenStep.OPEN
        body = {"order": booking.order_id, "tokens": [row.shown for row in parts]}
        audit.append(session, booking.who, "keychange.begun_anew", booking.meter_serial, body)
    keys = [f"t{row.position}_result" for row in parts]
    visit.forget(*keys)


# -- after -----------------------------------------------------------------------------------


def _missing(rows: list[OrderToken], ended: list[EnteredToken]) -> list[str]:
    """Return the tokens of the set that the meter has not taken, masked, with why."""
    known = {item.shown: item for item in ended}
    said = []
    for row in rows:
        item = known.get(row.shown)
        if item is None:
            said.append(f"{row.shown} not entered")
        elif not item.accepted:
            said.append(f"{row.shown} {result_words(item.code).title.lower()}")
    return said


def _failed(visit: Visit, ended: list[EnteredToken], missing: list[str]) -> StepEnd:
    end = step_end(visit, ended)
    value = {**end.value, "state": "refused", "missing": missing}
    count = len(listed(visit, (KEY_CHANGE,)))
    summary = (
        f"The key was not changed: {len(missing)} of the {count} tokens of the set are missing: "
        + ", ".join(missing)
    )
    return StepEnd(Verdict.FAIL, summary, value)


def _verified(
    visit: Visit, record: VendingRecord, booking: Booking, ended: list[EnteredToken]
) -> Task[StepEnd]:
    """Compare what the meter shows now with the new key; only then the digits are purged."""
    after = yield from state(visit)
    new: dict[str, Any] = {"drn": record.drn, **record.new}
    found, same = differences(new, after), compared(record.new, after)
    at = visit.context.clock()
    proved = bool(same) and not found
    end = step_end(visit, ended)
    value = {
        **end.value,
        "state": "verified" if proved else "complete",
        "approved_by": visit.recall("approved") or "",
        "after": reading_data(after),
        "expected": new,
        "differences": [str(item) for item in found],
        "compared": list(same),
    }

    def keep(session: Session) -> None:
        _close(session, booking, record, at, verified=proved)

    if found:
        summary = "All tokens accepted, but " + "; ".join(map(str, found))
        return StepEnd(Verdict.FAIL, summary, value, also=keep)
    if not same:
        summary = "All tokens accepted; the meter tells nothing to verify the key by"
        return StepEnd(Verdict.WARN, summary, value, also=keep)
    summary = f"On the new key: {key_words(after)}; approved by {value['approved_by'] or 'nobody'}"
    return StepEnd(Verdict.PASS, summary, value, also=keep)


def _close(
    session: Session, booking: Booking, record: VendingRecord, at: datetime, *, verified: bool
) -> None:
    """Purge the set and note in record and audit that the meter has the new key."""
    row = session.get(VendingRecord, record.order_id)
    if row is not None and verified:
        row.verified = at
    purge(session, booking.order_id, at, purposes=(KEY_CHANGE,))
    body = {"order": booking.order_id, "new": dict(record.new), "verified": verified}
    audit.append(session, booking.who, "keychange.complete", booking.meter_serial, body)
