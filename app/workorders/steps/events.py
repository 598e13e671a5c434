"""Event log: what happened to the meter, in words."""

from app.reports.model import Verdict
from app.services.events import event_facts, read_events
from app.tasks import Task
from app.workorders.visit import StepEnd, Visit
from drivers.errors import NotSupported


def events(visit: Visit) -> Task[StepEnd]:
    """Read the log; a meter without one makes the step not applicable."""
    meter = yield from visit.meter()
    try:
        found = yield from read_events(
            visit.db,
            meter,
            order_id=visit.order.order_id,
            meter_serial=visit.meter_serial,
            clock=visit.context.clock,
            code=visit.step.options.log,
        )
    except NotSupported as error:
        return StepEnd(
            Verdict.NOT_APPLICABLE, "The meter gives no event log", {"reason": str(error)}
        )
    return StepEnd(
        summary=f"{len(found)} events" if found else "The log is empty",
        value={"count": len(found), "log": found[0].log if found else ""},
        facts={"events": event_facts(found)},
    )
