"""Checks: what was read is judged by the limit pack; nothing new but the switch is read."""

from decimal import Decimal
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.models.order import CheckResult
from app.models.place import UsagePoint
from app.reports.model import Verdict
from app.services.events import stored_events
from app.services.profile import stored_capture
from app.services.readout import read_at, stored_readings
from app.tasks import Found, Progress, Task
from app.workorders.checks import (
    Check,
    ClockFacts,
    Evidence,
    ProfileFacts,
    check_data,
    worst,
)
from app.workorders.conditions import all_checks
from app.workorders.results import step_value
from app.workorders.visit import StepEnd, Visit
from drivers.errors import NotSupported
from drivers.metertype import Ratings
from drivers.values import RelayReading

SEALS = 100  # where the checks of the end of the visit stand among the others


def checks(visit: Visit) -> Task[StepEnd]:
    """Make every check that the data allow."""
    only = visit.step.options.only
    relay = yield from _relay(visit, only)
    yield Progress("Checking")
    with visit.db.read() as session:
        facts = evidence(session, visit.order.order_id, relay)
    made = all_checks(facts, visit.pack, only)
    for check in made:
        yield Found("check", check)
    # what need not be done and could not be judged takes nothing from the rest
    counted = [c for c in made if c.mandatory or c.verdict is not Verdict.NOT_RUN]
    verdict = worst(check.verdict for check in counted)
    order_id, at = visit.order.order_id, visit.context.clock()

    def keep(session: Session) -> None:
        session.execute(
            delete(CheckResult).where(
                CheckResult.order_id == order_id, CheckResult.position < SEALS
            )
        )
        session.add_all(
            CheckResult(
                order_id=order_id,
                check_id=check.check_id,
                position=position,
                verdict=check.verdict,
                body=check_data(check),
                at=at,
            )
            for position, check in enumerate(made)
        )

    return StepEnd(
        verdict,
        _counted(made),
        {"pack": visit.pack.name, "pack_version": visit.pack.version},
        {"checks": [check_data(check) for check in made]},
        keep,
    )


def evidence(session: Session, order_id: str, relay: RelayReading | None) -> Evidence:
    """Gather from the database what the earlier steps of an order found."""
    who = step_value(session, order_id, "identify")
    clock, read = (step_value(session, order_id, key) for key in ("clock", "profile"))
    log = step_value(session, order_id, "events")
    capture = stored_capture(session, read["capture_id"]) if "capture_id" in read else None
    before = stored_readings(session, order_id, "before")
    events = stored_events(session, order_id) if "count" in log else None
    point = session.get(UsagePoint, who.get("usage_point_id") or "")
    return Evidence(
        identity=Verdict(who.get("verdict") or Verdict.NOT_RUN),
        identity_seen=who.get("summary", ""),
        firmware=who.get("identity", {}).get("firmware", ""),
        ratings=Ratings(**who.get("ratings", {})),
        direct=point is None or point.ct_primary == point.ct_secondary,
        before=before,
        before_at=read_at(session, order_id, "before"),
        after=stored_readings(session, order_id, "after") or before,
        after_at=read_at(session, order_id, "after"),
        clock=_clock(clock),
        clock_reason=clock.get("reason", ""),
        profile=ProfileFacts(capture.info, capture.rows, who.get("period_s", 0))
        if capture
        else None,
        profile_reason=read.get("reason", ""),
        events=events,
        events_reason=log.get("reason", ""),
        relay=relay,
    )


def _clock(found: dict[str, Any]) -> ClockFacts | None:
    if "offset_s" not in found:
        return None
    return ClockFacts(Decimal(found["offset_s"]), Decimal(found["uncertainty_s"]))


def _relay(visit: Visit, only: tuple[str, ...]) -> Task[RelayReading | None]:
    if only and "disconnector" not in only:
        return None
    meter = yield from visit.meter()
    if not meter.meter_type.ratings.relay:
        return None
    yield Progress("Reading the state of the supply switch")
    try:
        return meter.relay()
    except NotSupported:
        return None


def _counted(made: tuple[Check, ...]) -> str:
    parts = [
        f"{count} {verdict.value}"
        for verdict in Verdict
        if (count := sum(check.verdict is verdict for check in made))
    ]
    return ", ".join(parts)
