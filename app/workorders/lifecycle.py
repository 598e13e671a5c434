"""The states of a work order: who may move it where, and what must be true for that.

`transition` is the only way a state changes on a laptop.  It writes the state and the journal
event in the transaction of its caller, or raises `NotPermitted` with the reason in words.  An
order that is over loses the digits of its tokens in the same transaction.  The move to *done* is
told to the centre as ``order.done`` with the verdict, every other as ``order.state``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import NotFound, NotPermitted
from app.models.base import utc_now
from app.models.database import Database
from app.models.journal import Laptop, append
from app.models.order import Incident, OrderState, StepResult, WorkOrder
from app.workorders.purging import leave_nothing

S = OrderState

INSTALLER, LEAD, PLANNER, DISPATCHER, VERIFIER, SYSTEM = (
    "installer",
    "lead",
    "planner",
    "dispatcher",
    "verifier",
    "system",
)
_FIELD = frozenset({INSTALLER, LEAD, "supervisor", "administrator"})
_OFFICE = frozenset({PLANNER, DISPATCHER, "supervisor", "administrator"})
_VERIFIERS = frozenset({VERIFIER})  # never the installer
_SYSTEM = frozenset({SYSTEM})

HARD_KINDS = frozenset({"disconnect", "exchange", "key_change"})
CLOCK_KINDS = frozenset({"time_sync", "key_change"})
CLOCK_LIMIT = timedelta(minutes=2)

NOT_BEGUN = frozenset({S.DRAFT, S.PLANNED, S.RELEASED, S.ASSIGNED, S.DOWNLOADED, S.ACCEPTED})
OPEN = NOT_BEGUN | {S.STARTED, S.PAUSED, S.REJECTED}

Guard = Callable[[Session, WorkOrder, datetime], str]


@dataclass(frozen=True, slots=True)
class Rule:
    """One allowed move: who may make it, and what else it needs.

    ``guard`` returns the words that say why not, or "".
    """

    to: OrderState
    roles: frozenset[str]
    reason: bool = False
    guard: Guard | None = None
    new_epoch: bool = False  # another assignment: results of the one before are late


def _may_start(session: Session, order: WorkOrder, at: datetime) -> str:
    """Refuse a hard type past its lease, and clock work on a laptop whose own clock is wrong."""
    lease = order.lease_until
    if order.kind in HARD_KINDS and lease is not None and at > lease:
        return f"its lease ended on {lease:%Y-%m-%d %H:%M} UTC; sync to get it renewed"
    if order.kind not in CLOCK_KINDS:
        return ""
    laptop = session.execute(select(Laptop)).scalar_one_or_none()
    if laptop is None:
        return ""
    if laptop.last_server_time is not None and at < laptop.last_server_time:
        return "the clock of this laptop is behind the last time the centre told it"
    offset = timedelta(seconds=laptop.clock_offset_s or 0)
    if abs(offset) > CLOCK_LIMIT:
        return f"the clock of this laptop is {abs(offset.total_seconds()):.0f} s off the centre's"
    return ""


def _all_steps_done(session: Session, order: WorkOrder, at: datetime) -> str:  # noqa: ARG001
    ended = session.scalar(
        select(func.count())
        .select_from(StepResult)
        .where(StepResult.order_id == order.order_id, StepResult.state.in_(("done", "skipped")))
    )
    missing = order.steps_total - (ended or 0)
    return f"{missing} of its {order.steps_total} steps are open" if missing > 0 else ""


def _incident_reported(session: Session, order: WorkOrder, at: datetime) -> str:  # noqa: ARG001
    known = session.scalar(
        select(Incident.incident_id).where(Incident.order_id == order.order_id).limit(1)
    )
    return "" if known else "no incident says why"


def _alone_at_usage_point(session: Session, order: WorkOrder, at: datetime) -> str:  # noqa: ARG001
    if order.usage_point_id is None:
        return ""
    other = session.scalar(
        select(WorkOrder.number)
        .where(
            WorkOrder.usage_point_id == order.usage_point_id,
            WorkOrder.kind == order.kind,
            WorkOrder.order_id != order.order_id,
            WorkOrder.state.in_(OPEN - {S.DRAFT, S.PLANNED}),
        )
        .limit(1)
    )
    return f"order {other} of the same type is open for this usage point" if other else ""


def _ends(*, started: bool) -> tuple[Rule, ...]:
    """Return the ways in which a visit ends without being complete."""
    cannot = Rule(S.CANNOT_COMPLETE, _FIELD, guard=_incident_reported)
    return (cannot, Rule(S.PARTLY_DONE, _FIELD, reason=True)) if started else (cannot,)


_CANCEL = Rule(S.CANCELLED, _OFFICE, reason=True)
_REASSIGN = Rule(S.ASSIGNED, _OFFICE, new_epoch=True)
_RECALL = Rule(S.RECALL_REQUESTED, _OFFICE, reason=True)
_START = Rule(S.STARTED, _FIELD, guard=_may_start)
_REOPEN = Rule(S.PLANNED, frozenset({"supervisor", "administrator"}), reason=True)

RULES: dict[OrderState, tuple[Rule, ...]] = {
    S.DRAFT: (Rule(S.PLANNED, _OFFICE), _CANCEL),
    S.PLANNED: (Rule(S.RELEASED, _OFFICE, guard=_alone_at_usage_point), _CANCEL),
    S.RELEASED: (Rule(S.ASSIGNED, _OFFICE), _CANCEL),
    S.ASSIGNED: (Rule(S.DOWNLOADED, _SYSTEM), _REASSIGN, _RECALL, _CANCEL),
    S.DOWNLOADED: (
        Rule(S.ACCEPTED, _FIELD),
        Rule(S.DECLINED, _FIELD, reason=True),
        _REASSIGN,
        _RECALL,
        _CANCEL,
    ),
    S.ACCEPTED: (
        _START,
        Rule(S.DECLINED, _FIELD, reason=True),
        *_ends(started=False),
        _REASSIGN,
        _RECALL,
        _CANCEL,
    ),
    S.STARTED: (
        Rule(S.PAUSED, _FIELD, reason=True),
        Rule(S.DONE, _FIELD, guard=_all_steps_done),
        *_ends(started=True),
        _RECALL,
    ),
    # A started order is never kept from going on, whatever became of its lease.
    S.PAUSED: (Rule(S.STARTED, _FIELD), *_ends(started=True), _RECALL),
    S.DONE: (Rule(S.SUBMITTED, _SYSTEM),),
    S.SUBMITTED: (Rule(S.IN_REVIEW, _SYSTEM | _VERIFIERS),),
    S.IN_REVIEW: (
        Rule(S.APPROVED, _VERIFIERS | _SYSTEM),
        Rule(S.REJECTED, _VERIFIERS, reason=True),
    ),
    S.REJECTED: (_REASSIGN,),
    S.APPROVED: (Rule(S.EXPORTED, _SYSTEM), _REOPEN),
    S.EXPORTED: (Rule(S.CLOSED, _SYSTEM), _REOPEN),
    S.CLOSED: (_REOPEN,),
    S.DECLINED: (_REASSIGN, _CANCEL),
    S.CANNOT_COMPLETE: (Rule(S.TRIAGE, _SYSTEM | _OFFICE),),
    S.TRIAGE: (Rule(S.PLANNED, _OFFICE), Rule(S.RETURNED, _OFFICE, reason=True), _CANCEL),
    S.PARTLY_DONE: (Rule(S.IN_REVIEW, _SYSTEM | _VERIFIERS),),
    S.RECALL_REQUESTED: (Rule(S.RECALLED, _SYSTEM | _FIELD),),
    S.RECALLED: (_REASSIGN, _CANCEL),
}


def allowed(state: str, role: str = INSTALLER) -> tuple[OrderState, ...]:
    """Return where an order in ``state`` may be moved by ``role``; guards are not asked."""
    return tuple(rule.to for rule in RULES.get(S(state), ()) if role in rule.roles)


def transition(
    session: Session,
    order: WorkOrder,
    to: OrderState,
    *,
    who: str,
    reason: str = "",
    role: str = INSTALLER,
    at: datetime | None = None,
) -> None:
    """Move ``order`` to another state and tell the journal, in the caller's transaction.

    Args:
        session: The transaction of the caller, which also writes what led to the move.
        order: The order, loaded in this session.
        to: The state it shall have.
        who: The person, for the journal.
        reason: Why; some moves need it.
        role: The role in which the person acts.
        at: When; now if not given.

    Raises:
        NotPermitted: The move does not exist, is not for this role, lacks its reason, or
            something must be done first; the text says which.
    """
    moment = at or utc_now()
    rule = _rule(order, to, role)
    if rule.reason and not reason.strip():
        raise NotPermitted(f"to make order {order.number} {_words(to)}, a reason is needed")
    problem = rule.guard(session, order, moment) if rule.guard else ""
    if problem:
        raise NotPermitted(f"order {order.number} cannot be {_words(to)}: {problem}")
    before, order.state, order.updated = order.state, to.value, moment
    if rule.new_epoch:
        order.epoch += 1
    if to is S.STARTED and order.started is None:
        order.started = moment
    if to in {S.DONE, S.PARTLY_DONE, S.CANNOT_COMPLETE} and order.ended is None:
        order.ended = moment
    body = {
        "from": str(before),
        "to": to.value,
        "who": who,
        "role": role,
        "reason": reason.strip(),
        "at": moment.isoformat(),
    }
    kind = "order.state"
    if to is S.DONE:
        kind = "order.done"
        body |= {"verdict": order.verdict, "report_sha256": order.report_sha256}
    append(session, kind, body, order_id=order.order_id, epoch=order.epoch)
    leave_nothing(session, order, who=who, at=moment)


def accept(db: Database, order_id: str, *, who: str, role: str = INSTALLER) -> None:
    """Take an order on."""
    _move(db, order_id, S.ACCEPTED, who=who, role=role)


def decline(db: Database, order_id: str, reason: str, *, who: str, role: str = INSTALLER) -> None:
    """Send an order back that was not begun."""
    _move(db, order_id, S.DECLINED, who=who, role=role, reason=reason)


def start(db: Database, order_id: str, *, who: str, role: str = INSTALLER) -> None:
    """Begin an order; one that was not accepted yet is accepted on the way."""
    with db.write() as session:
        order = loaded(session, order_id)
        if order.state == S.DOWNLOADED:
            transition(session, order, S.ACCEPTED, who=who, role=role)
        transition(session, order, S.STARTED, who=who, role=role)


def pause(db: Database, order_id: str, reason: str, *, who: str, role: str = INSTALLER) -> None:
    """Leave a started order for later."""
    _move(db, order_id, S.PAUSED, who=who, role=role, reason=reason)


def resume(db: Database, order_id: str, *, who: str, role: str = INSTALLER) -> None:
    """Go on with a paused order."""
    _move(db, order_id, S.STARTED, who=who, role=role)


def done(db: Database, order_id: str, *, who: str, role: str = INSTALLER) -> None:
    """Close a visit whose steps are all done or left out."""
    _move(db, order_id, S.DONE, who=who, role=role)


def partly_done(
    db: Database, order_id: str, reason: str, *, who: str, role: str = INSTALLER
) -> None:
    """Close a visit of which only a part could be done."""
    _move(db, order_id, S.PARTLY_DONE, who=who, role=role, reason=reason)


def loaded(session: Session, order_id: str) -> WorkOrder:
    """Return the order in this session.

    Raises:
        NotFound: There is none.
    """
    order = session.get(WorkOrder, order_id)
    if order is None:
        raise NotFound(f"there is no work order {order_id}")
    return order


def _move(
    db: Database, order_id: str, to: OrderState, *, who: str, role: str, reason: str = ""
) -> None:
    with db.write() as session:
        transition(session, loaded(session, order_id), to, who=who, role=role, reason=reason)


def _rule(order: WorkOrder, to: OrderState, role: str) -> Rule:
    rules = RULES.get(S(order.state), ())
    found = next((rule for rule in rules if rule.to is to), None)
    if found is None:
        ways = ", ".join(_words(rule.to) for rule in rules) or "nothing else"
        raise NotPermitted(
            f"order {order.number} is {_words(S(order.state))} and cannot be {_words(to)};"
            f" from there it can be {ways}"
        )
    if role not in found.roles:
        who = ", ".join(sorted(found.roles))
        raise NotPermitted(
            f"{role} may not make order {order.number} {_words(to)}; this is for {who}"
        )
    return found


def _words(state: OrderState) -> str:
    return state.value.replace("_", " ")
