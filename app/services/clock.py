"""Reads and sets a meter's clock; a write is never repeated blindly.

The intent is durable before the first byte goes out and the outcome after the last.  An intent
without an outcome means that the program or the line ended in between: whoever comes next reads
the clock first (`unfinished`, `settle`) and decides then.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.base import new_id
from app.models.database import Database
from app.models.journal import append
from app.models.order import MeterCommand
from app.tasks import Found, Progress, Task
from drivers.errors import AccessDenied, DriverError, NotSupported, ValueRefused
from drivers.meter import Meter
from drivers.values import ClockReading

KIND = "set_clock"
DONE, REFUSED, UNKNOWN, NOT_WRITTEN = "done", "refused", "unknown", "not written"
_REFUSALS = (ValueRefused, NotSupported, AccessDenied)  # after these the old time still runs


def read_clock(meter: Meter) -> Task[ClockReading]:
    """Read the clock, corrected by half the round trip."""
    yield Progress("Reading the clock")
    reading = meter.clock()
    yield Found("clock", reading)
    return reading


def set_clock(
    db: Database,
    meter: Meter,
    before: ClockReading,
    *,
    order_id: str,
    epoch: int,
    step: str,
    meter_serial: str,
    limit_s: Decimal,
    clock: Callable[[], datetime],
) -> Task[ClockReading]:
    """Set the clock to now and return what reads back.

    Raises:
        ValueRefused: The meter refused, or the time did not stick; the outcome is recorded.
        NotSupported: This meter's clock cannot be set; nothing was sent.
        DriverError: The line broke; the outcome is recorded as unknown.
    """
    command_id = new_id()
    with db.write() as session:
        command = MeterCommand(
            command_id=command_id,
            order_id=order_id,
            step=step,
            kind=KIND,
            before=seconds(before.offset),
            wanted=within(limit_s),
            intended=clock(),
        )
        session.add(command)
        append(
            session,
            "command.intent",
            {
                "command_id": command_id,
                "kind": KIND,
                "step": step,
                "meter": meter_serial,
                "before": command.before,
                "wanted": command.wanted,
            },
            order_id=order_id,
            epoch=epoch,
        )
    yield Progress("Setting the clock. Do not lift the probe")
    try:
        after = meter.set_clock()
    except DriverError as error:
        outcome = REFUSED if isinstance(error, _REFUSALS) else UNKNOWN
        with db.write() as session:
            settle(session, command_id, outcome, read_back="", at=clock(), epoch=epoch)
        raise
    with db.write() as session:
        read_back = seconds(after.offset)
        settle(session, command_id, DONE, read_back=read_back, at=clock(), epoch=epoch)
    yield Found("clock", after)
    return after


def unfinished(session: Session, order_id: str, step: str) -> MeterCommand | None:
    """Return the clock command of a step whose outcome nobody knows; None when there is none."""
    return session.scalar(
        select(MeterCommand)
        .where(
            MeterCommand.order_id == order_id,
            MeterCommand.step == step,
            MeterCommand.kind == KIND,
            MeterCommand.outcome.in_(("", UNKNOWN)),
        )
        .order_by(MeterCommand.intended.desc(), MeterCommand.command_id.desc())
        .limit(1)
    )


def settle(
    session: Session,
    command_id: str,
    outcome: str,
    *,
    read_back: str,
    at: datetime,
    epoch: int,
) -> None:
    """Record in the caller's transaction how a command ended."""
    command = session.get_one(MeterCommand, command_id)
    command.outcome = outcome
    command.read_back = read_back
    command.ended = at
    append(
        session,
        "command.result",
        {
            "command_id": command_id,
            "kind": command.kind,
            "step": command.step,
            "outcome": outcome,
            "read_back": read_back,
        },
        order_id=command.order_id,
        epoch=epoch,
    )


def seconds(offset: Decimal) -> str:
    """Return an offset in words: "+31.2 s"."""
    return f"{offset:+f} s"


def within(limit_s: Decimal) -> str:
    """Return what setting the clock wants to reach, in words."""
    return f"within ±{limit_s:f} s"
