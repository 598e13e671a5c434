"""Works an order: runs its steps one after another and keeps everything as it happens.

Each answer is durable the moment it is given, each value the moment it arrives, each step the
moment it ends.  So whatever ends the program, the next `work` goes on at the same step, asks
nothing twice and never repeats a write to a meter.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.errors import NotFound, NotPermitted
from app.models.database import Database
from app.models.files import keep_file
from app.models.journal import append
from app.models.order import Attachment, Draft, OrderState, StepResult, WorkOrder
from app.services.seat import demand, demand_area
from app.tasks import Found, Progress, Task
from app.workorders.lifecycle import transition
from app.workorders.limits import load_pack
from app.workorders.procedure import Procedure, Step, StepKind, load_procedure
from app.workorders.purging import clear_up
from app.workorders.results import (
    DONE,
    RUNNING,
    SKIPPED,
    answers_given,
    first_open,
    step_results,
    step_value,
    step_view,
)
from app.workorders.steps.checks import checks
from app.workorders.steps.clock import clock
from app.workorders.steps.complete import complete
from app.workorders.steps.events import events
from app.workorders.steps.evidence import evidence
from app.workorders.steps.identify import identify
from app.workorders.steps.keychange import keychange
from app.workorders.steps.prepayment import nameplate, prepayment
from app.workorders.steps.profile import profile
from app.workorders.steps.registers import registers
from app.workorders.steps.signature import signature
from app.workorders.steps.tokens import tokens
from app.workorders.visit import MeterSession, StepEnd, Visit, WorkContext, meter_serials
from drivers.values import Identity

SKIP = "skip"  # the question that stands for leaving a step out: "profile.skip"
_STARTABLE = frozenset({OrderState.DOWNLOADED, OrderState.ACCEPTED, OrderState.PAUSED})

STEPS: Mapping[StepKind, Callable[[Visit], Task[StepEnd]]] = {
    StepKind.IDENTIFY: identify,
    StepKind.NAMEPLATE: nameplate,
    StepKind.PREPAYMENT: prepayment,
    StepKind.TOKENS: tokens,
    StepKind.KEY_CHANGE: keychange,
    StepKind.REGISTERS: registers,
    StepKind.CLOCK: clock,
    StepKind.PROFILE: profile,
    StepKind.EVENTS: events,
    StepKind.CHECKS: checks,
    StepKind.EVIDENCE: evidence,
    StepKind.SIGNATURE: signature,
    StepKind.COMPLETE: complete,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far working an order came; ``verdict`` is "" until its procedure has run to its end."""

    order_id: str
    state: str
    verdict: str
    step: str  # the last one that ended

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do here."""
        return self.state != OrderState.STARTED


def work(
    context: WorkContext,
    order_id: str,
    *,
    stop_after: str = "",
    skips: Mapping[str, str] | None = None,
) -> Task[Outcome]:
    """Start or resume an order at its step and run the rest of its procedure.

    Args:
        context: The program around it.
        order_id: The order's id.
        stop_after: Key of the step to end after; "" runs to the end.
        skips: Steps to leave out, with the coded reason the procedure allows.

    Raises:
        NotFound: There is no such order.
        NotPermitted: Its state does not allow work, or a step may not be left out.
        DriverError: The meter or the line failed; what arrived is kept, `work` goes on there.
    """
    demand(context.db, "orders.work")
    order, procedure = _begin(context, order_id, stop_after)
    if order.state != OrderState.STARTED:
        yield from _cleared(context)
        yield from _report(context, order_id)
        return _outcome(context.db, order_id)
    for key, reason in (skips or {}).items():
        skip_step(context.db, order_id, key, reason)
    with MeterSession(context, order.meter_type) as session:
        visit = _visit(context, order, procedure, session)
        while (step := _next(visit)) is not None:
            visit.step = step
            end = yield from _run(visit)
            if end.stop or step.key == stop_after:
                break
    yield from _cleared(context)
    yield from _report(context, order_id)
    return _outcome(context.db, order_id)


def _cleared(context: WorkContext) -> Task[None]:
    """Remove what an order that is over leaves, and tell what could not be removed."""
    left = str(clear_up(context.db, context.tokens, who=context.who))
    if left:
        yield Found("notice", left)


def skip_step(db: Database, order_id: str, key: str, reason: str) -> None:
    """Have a step left out when its turn comes; kept like an answer ("profile.skip").

    Raises:
        NotPermitted: The procedure does not allow it for this reason.
    """
    demand(db, "orders.work")
    with db.write() as session:
        order = _order(session, order_id)
        step = load_procedure(order.procedure).step(key)
        if reason not in step.skip:
            allowed = ", ".join(step.skip) or "none"
            raise NotPermitted(
                f"step {key} may not be left out because of {reason!r}; reasons allowed: {allowed}"
            )
        session.merge(Draft(order_id=order_id, key=f"{key}.{SKIP}", value=reason))


def _begin(context: WorkContext, order_id: str, stop_after: str) -> tuple[WorkOrder, Procedure]:
    """Return the order, started, and its procedure; or the order as it is, when it is done."""
    with context.db.write() as session:
        order = _order(session, order_id)
        demand_area(context.db, order.area)
        procedure = load_procedure(order.procedure)
        if stop_after:
            procedure.step(stop_after)
        if order.state in _STARTABLE:
            _start(session, order, procedure, context)
        elif order.state not in (OrderState.STARTED, OrderState.DONE, OrderState.SUBMITTED):
            raise NotPermitted(f"order {order.number} is {order.state} and cannot be worked")
    return order, procedure


def _start(session: Session, order: WorkOrder, procedure: Procedure, context: WorkContext) -> None:
    steps = [OrderState.STARTED]
    if order.state == OrderState.DOWNLOADED:
        steps.insert(0, OrderState.ACCEPTED)
    for to in steps:
        transition(
            session, order, to, who=context.who, role=context.acting_role, at=context.clock()
        )
    if not order.procedure_version:
        order.procedure_version = procedure.version
    order.steps_total = len(procedure.steps)
    order.step = order.step or procedure.steps[0].key


def _order(session: Session, order_id: str) -> WorkOrder:
    order = session.get(WorkOrder, order_id)
    if order is None:
        raise NotFound(f"there is no work order {order_id}")
    return order


def _visit(
    context: WorkContext, order: WorkOrder, procedure: Procedure, meter: MeterSession
) -> Visit:
    """Return the visit as the database knows it: answers, and which meter it is about."""
    with context.db.read() as session:
        answers = answers_given(session, order.order_id)
        known = step_value(session, order.order_id, "identify")
    if known:
        meter.expected = meter_serials(Identity(**known["identity"]))
    return Visit(
        context=context,
        order=order,
        procedure=procedure,
        pack=load_pack(order.limit_pack),
        session=meter,
        answers=answers,
        step=procedure.steps[0],
        meter_serial=known.get("serial", ""),
    )


def _next(visit: Visit) -> Step | None:
    with visit.db.read() as session:
        return first_open(visit.procedure, step_results(session, visit.order.order_id))


def _run(visit: Visit) -> Task[StepEnd]:
    """Run one step and keep its end in one transaction."""
    step = visit.step
    _opened(visit)
    yield _found(visit)
    yield Progress(step.title)
    reason = visit.recall(SKIP)
    if reason is not None and reason in step.skip:
        _ended(visit, StepEnd(summary=f"Left out: {reason}"), SKIPPED, reason)
    else:
        end = yield from STEPS[step.kind](visit)
        if end.stop:
            return end
        _ended(visit, end, DONE)
        yield _found(visit)
        return end
    yield _found(visit)
    return StepEnd()


def _opened(visit: Visit) -> None:
    """Note that the step has begun, once."""
    with visit.db.write() as session:
        order = _order(session, visit.order.order_id)
        order.step = visit.step.key
        if visit.step.key in step_results(session, order.order_id):
            return
        session.add(
            StepResult(
                order_id=order.order_id,
                step=visit.step.key,
                state=RUNNING,
                started=visit.context.clock(),
            )
        )


def _ended(visit: Visit, end: StepEnd, state: str, reason: str = "") -> None:
    """Keep what the step found, drop its drafts, tell the journal: all or nothing."""
    key, at = visit.step.key, visit.context.clock()
    with visit.db.write() as session:
        order = _order(session, visit.order.order_id)
        results = step_results(session, order.order_id)
        result = results[key]
        result.state, result.verdict, result.skip_reason = state, end.verdict, reason
        result.value = {**end.value, "summary": end.summary}
        result.ended = at
        body = {
            "step": key,
            "state": state,
            "verdict": end.verdict,
            "reason": reason,
            "value": result.value,
            "who": visit.context.who,
            "at": at.isoformat(),
            **end.facts,
        }
        append(session, "step.result", body, order_id=order.order_id, epoch=order.epoch)
        if end.also is not None:
            end.also(session)
        session.execute(
            delete(Draft).where(
                Draft.order_id == order.order_id, Draft.key.startswith(f"{key}.", autoescape=True)
            )
        )
        order.steps_done = sum(item.state in (DONE, SKIPPED) for item in results.values())
        order.updated = at
    for known in [item for item in visit.answers if item.startswith(f"{key}.")]:
        del visit.answers[known]


def _found(visit: Visit) -> Found:
    with visit.db.read() as session:
        result = step_results(session, visit.order.order_id).get(visit.step.key)
    return Found("step", step_view(visit.step, result, visit.procedure.steps.index(visit.step)))


def _report(context: WorkContext, order_id: str) -> Task[None]:
    """Make the report of an order that is done and has none yet, and keep it with the order."""
    if context.render_report is None:
        return
    with context.db.read() as session:
        order = _order(session, order_id)
    if order.state not in (OrderState.DONE, OrderState.SUBMITTED) or order.report_sha256:
        return
    yield Progress("Making the report")
    data = context.render_report(order_id)
    sha256, path = keep_file(context.folder, data, ".pdf")
    with context.db.write() as session:
        order = _order(session, order_id)
        order.report_sha256 = sha256
        session.add(
            Attachment(
                order_id=order_id,
                kind="report",
                sha256=sha256,
                size=len(data),
                mime="application/pdf",
                path=path,
                caption=f"Report of order {order.number}",
                at=context.clock(),
            )
        )
        body = {"kind": "report", "sha256": sha256, "size": len(data)}
        append(session, "attachment.added", body, order_id=order_id, epoch=order.epoch)
    yield Found("report", path)


def _outcome(db: Database, order_id: str) -> Outcome:
    with db.read() as session:
        order = _order(session, order_id)
        results = step_results(session, order_id)
    ended = [item for item in results.values() if item.ended is not None]
    last = max(ended, key=lambda item: (item.ended, item.step_result_id), default=None)
    return Outcome(order_id, order.state, order.verdict, last.step if last else "")
