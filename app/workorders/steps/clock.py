"""Clock: compare, set when the operator agrees, read back; never set twice for one wish."""

from decimal import Decimal

from app.models.order import MeterCommand
from app.reports.model import Verdict
from app.services.clock import (
    DONE,
    NOT_WRITTEN,
    read_clock,
    seconds,
    set_clock,
    settle,
    unfinished,
)
from app.tasks import Task
from app.workorders.checks import judge
from app.workorders.visit import StepEnd, Visit
from drivers.errors import NotSupported, ValueRefused
from drivers.values import ClockReading

SET, AGAIN, LEAVE = "Set", "Write again", "Leave"


def clock(visit: Visit) -> Task[StepEnd]:
    """Bring the meter's clock within the limit of the pack, if the operator agrees."""
    limit = _limit(visit)
    meter = yield from visit.meter()
    try:
        reading = yield from read_clock(meter)
    except NotSupported as error:
        return StepEnd(Verdict.NOT_APPLICABLE, "The meter gives no clock", {"reason": str(error)})
    pending = _pending(visit)
    if pending is not None:
        known = _settle(visit, pending, reading, limit)
        if known is not None:
            return known
    if abs(reading.offset) <= limit:
        return _end(reading, limit)
    repeated = pending is not None or visit.recall("repeated") is not None
    if repeated:
        text = f"The clock was to be set, but is {seconds(reading.offset)} off. Write again?"
        answer = yield from visit.ask("again", text, (AGAIN, LEAVE))
    else:
        text = f"The clock is {seconds(reading.offset)} off. Set it?"
        detail = f"The limit is ±{limit:f} s ({visit.pack.name} {visit.pack.version})."
        answer = yield from visit.ask("set", text, (SET, LEAVE), detail=detail)
    if answer == LEAVE:
        return _end(reading, limit, left="left as it was")
    try:
        after = yield from _set(visit, reading, limit)
    except NotSupported as error:
        return _end(reading, limit, left=str(error))
    return _end(after, limit, before=reading)


def _limit(visit: Visit) -> Decimal:
    """Return how far the clock may be off; a pack without a limit lets no clock be wrong."""
    limit = visit.pack.limit("clock")
    if limit is None or limit.high is None:
        return Decimal(0)
    return limit.high


def _pending(visit: Visit) -> MeterCommand | None:
    with visit.db.read() as session:
        return unfinished(session, visit.order.order_id, visit.step.key)


def _settle(
    visit: Visit, command: MeterCommand, reading: ClockReading, limit: Decimal
) -> StepEnd | None:
    """Decide from what reads back how an interrupted setting ended; None: it did not reach it."""
    written = abs(reading.offset) <= limit
    with visit.db.write() as session:
        settle(
            session,
            command.command_id,
            DONE if written else NOT_WRITTEN,
            read_back=seconds(reading.offset),
            at=visit.context.clock(),
            epoch=visit.order.epoch,
        )
        if not written:  # the old consent is used up; the operator decides anew
            visit.forget("set", "again", session=session)
    if not written:
        visit.keep("repeated", "yes")
        return None
    return _end(reading, limit, before_words=command.before)


def _set(visit: Visit, reading: ClockReading, limit: Decimal) -> Task[ClockReading]:
    meter = yield from visit.meter()
    try:
        after = yield from set_clock(
            visit.db,
            meter,
            reading,
            order_id=visit.order.order_id,
            epoch=visit.order.epoch,
            step=visit.step.key,
            meter_serial=visit.meter_serial,
            limit_s=limit,
            clock=visit.context.clock,
        )
    except ValueRefused:
        visit.forget("set", "again")  # a repeat asks again: the operator may leave it
        raise
    return after


def _end(
    reading: ClockReading,
    limit: Decimal,
    *,
    before: ClockReading | None = None,
    before_words: str = "",
    left: str = "",
) -> StepEnd:
    verdict = judge(reading.offset, -limit, limit, reading.uncertainty)
    was = seconds(before.offset) if before else before_words
    summary = f"{seconds(reading.offset)} off"
    if was:
        summary = f"Set: {was} before, {seconds(reading.offset)} now"
    elif left:
        summary += f", {left}"
    return StepEnd(
        verdict,
        summary,
        {
            "offset_s": format(reading.offset, "f"),
            "uncertainty_s": format(reading.uncertainty, "f"),
            "limit_s": format(limit, "f"),
            "before": was,
            "set": bool(was),
            "left": left,
            "meter_time": reading.meter_time.isoformat(),
            "read_at": reading.read_at.isoformat(),
            "status": list(reading.status),
        },
    )
