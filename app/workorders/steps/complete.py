"""Complete: the verdict of the whole visit, and the order is done."""

from sqlalchemy.orm import Session

from app.models.order import OrderState, WorkOrder
from app.reports.model import outcome
from app.tasks import Progress, Task
from app.workorders.lifecycle import transition
from app.workorders.record import build, frozen
from app.workorders.visit import StepEnd, Visit


def complete(visit: Visit) -> Task[StepEnd]:
    """Sum the checks up and close the visit; the report is made from what is frozen here."""
    yield Progress("Summing up")
    order_id, at = visit.order.order_id, visit.context.clock()
    value = frozen(visit.context, visit.pack, at)
    with visit.db.read() as session:
        record = build(session, order_id, value)
    verdict = outcome(record).value

    def keep(session: Session) -> None:
        order = session.get_one(WorkOrder, order_id)
        order.verdict = verdict
        order.ended = at
        transition(
            session,
            order,
            OrderState.DONE,
            who=visit.context.who,
            role=visit.context.acting_role,
            at=at,
        )

    return StepEnd(verdict, verdict, value, {"order_verdict": verdict}, keep)
