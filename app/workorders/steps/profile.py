"""Load profile: read back to the days the procedure wants, going on where a read broke off."""

import json
from datetime import datetime, timedelta

from app.models.base import canonical, new_id
from app.reports.model import Verdict
from app.services.profile import Capture, read_profile, same_columns, stored_capture
from app.tasks import Progress, Task
from app.workorders.visit import StepEnd, Visit
from drivers.errors import NotSupported
from drivers.values import ProfileInfo, Span, gaps

MEMORY = "capture"  # what the running step remembers: id and span of its read


def profile(visit: Visit) -> Task[StepEnd]:
    """Read the profile; a meter without one makes the step not applicable."""
    meter = yield from visit.meter()
    yield Progress("Asking what the load profile captures")
    try:
        info = meter.profile_info(visit.step.options.profile)
        capture_id, span = _plan(visit, info)
        capture = yield from read_profile(
            visit.db,
            meter,
            info,
            span,
            capture_id=capture_id,
            order_id=visit.order.order_id,
            epoch=visit.order.epoch,
            meter_serial=visit.meter_serial,
            clock=visit.context.clock,
        )
    except NotSupported as error:
        return StepEnd(
            Verdict.NOT_APPLICABLE, "The meter gives no load profile", {"reason": str(error)}
        )
    return _end(capture_id, capture)


def _plan(visit: Visit, info: ProfileInfo) -> tuple[str, Span]:
    """Return the read that was begun, if the meter still captures the same; else a new one."""
    memory = visit.recall(MEMORY)
    if memory is not None:
        known = json.loads(memory)
        with visit.db.read() as session:
            stored = stored_capture(session, known["id"])
        if stored is None or same_columns(stored.info, info):
            start = known["start"]
            return str(known["id"]), Span(start=datetime.fromisoformat(start) if start else None)
    capture_id, start = new_id(), None
    if visit.step.options.days:
        start = visit.context.clock() - timedelta(days=visit.step.options.days)
        start = start.replace(microsecond=0)
    visit.keep(MEMORY, canonical({"id": capture_id, "start": start and start.isoformat()}))
    return capture_id, Span(start=start)


def _end(capture_id: str, capture: Capture) -> StepEnd:
    times = sorted({row.time for row in capture.rows})
    missing = sum(gap.intervals for gap in gaps(times, capture.info.period_s))
    summary = f"{len(capture.rows)} rows"
    if times:
        summary += f", {missing} missing" if missing else ", no gap"
    return StepEnd(
        summary=summary,
        value={
            "capture_id": capture_id,
            "obis": capture.info.obis,
            "period_s": capture.info.period_s,
            "rows": len(capture.rows),
            "missing": missing,
            "first": times[0].isoformat() if times else "",
            "last": times[-1].isoformat() if times else "",
        },
    )
