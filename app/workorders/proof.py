"""Turns the end of a prepayment step into a check of the order, so that its report shows it."""

from dataclasses import replace

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models.order import CheckResult
from app.reports.model import Limit, Verdict
from app.tasks import Found, Task
from app.workorders.checks import Check, check_data
from app.workorders.visit import StepEnd, Visit

_POSITION = 50  # behind the measured checks, before those of the end of the visit
_NUMBERS = {"prepayment": "61", "tokens": "62", "key_change": "63"}


def proved(visit: Visit, end: StepEnd, wanted: str, *, mandatory: bool = True) -> Task[StepEnd]:
    """Return ``end`` with the check it comes to; a step that did not apply has none."""
    if end.stop or end.verdict in {"", Verdict.NOT_APPLICABLE}:
        return end
    step, order_id, at = visit.step, visit.order.order_id, visit.context.clock()
    check = Check(
        check_id=f"prepayment.{step.key}",
        number=_NUMBERS.get(step.kind, "60"),
        title=step.title,
        limit=Limit(words=wanted, source="vending record"),
        verdict=Verdict(end.verdict),
        seen=end.summary,
        mandatory=mandatory,
    )
    yield Found("check", check)
    others = end.also

    def keep(session: Session) -> None:
        if others is not None:
            others(session)
        session.execute(
            delete(CheckResult).where(
                CheckResult.order_id == order_id, CheckResult.check_id == check.check_id
            )
        )
        position = _POSITION + visit.procedure.steps.index(step)
        session.add(
            CheckResult(
                order_id=order_id,
                check_id=check.check_id,
                position=position,
                verdict=check.verdict,
                body=check_data(check),
                at=at,
            )
        )

    facts = {**end.facts, "checks": [check_data(check)]}
    return replace(end, also=keep, facts=facts)
