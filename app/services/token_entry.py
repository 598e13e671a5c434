"""Enters prepayment tokens: intent before the first byte, outcome after the last.

An intent without an outcome is never repeated blindly: `app.services.token_settling` compares what
the meter tells now with what it told before.  Every entry is in the chained audit, its digits
nowhere.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.base import canonical, new_id
from app.models.database import Database
from app.models.journal import append
from app.models.order import MeterCommand
from app.models.token import OrderToken, TokenStep
from app.services import audit
from app.services.token import read_prepayment, reading_data, reading_from
from app.services.token_box import TokenBox
from app.tasks import Progress, Task
from drivers.errors import AccessDenied, DriverError, NotSupported
from drivers.meter import Meter
from drivers.prepayment import PrepaymentReading, TakesTokens, TokenAnswer, TokenState
from drivers.sts.results import ACCEPT, UNTOLD, Verdict, result_words

KIND = "token"
WIRE, KEYPAD = "wire", "keypad"
DONE, REFUSED, UNKNOWN, NOT_WRITTEN = "done", "refused", "unknown", "not written"
WRONG_ENTRIES = 3  # after so many the meter may lock
FIRST_LOCK_S, LONGEST_LOCK_S = 10, 1280


@dataclass(frozen=True, slots=True)
class Booking:
    """Where an entry is booked, and by whom."""

    db: Database
    box: TokenBox
    order_id: str
    epoch: int
    step: str
    who: str
    meter_serial: str
    place: str
    clock: Callable[[], datetime]
    reason: str = ""


def intend(token: OrderToken, before: PrepaymentReading, booking: Booking, channel: str) -> str:
    """Make durable that a token is about to be entered; return the command's id."""
    command_id = new_id()
    at = booking.clock()
    with booking.db.write() as session:
        row = session.get_one(OrderToken, token.token_id)
        row.state, row.channel = TokenStep.INTENDED, channel
        session.add(
            MeterCommand(
                command_id=command_id,
                order_id=booking.order_id,
                step=booking.step,
                kind=KIND,
                before=canonical(reading_data(before)),
                wanted=token.token_id,
                intended=at,
            )
        )
        body = {
            "command_id": command_id,
            "kind": KIND,
            "step": booking.step,
            "meter": booking.meter_serial,
            "token": row.shown,
            "purpose": row.purpose,
            "channel": channel,
            "before": reading_data(before),
        }
        append(session, "command.intent", body, order_id=booking.order_id, epoch=booking.epoch)
        audit.append(
            session,
            booking.who,
            "token.intended",
            booking.meter_serial,
            _about(row, booking, before=reading_data(before)),
        )
    return command_id


def settle(
    command_id: str,
    token: OrderToken,
    booking: Booking,
    *,
    outcome: str,
    code: int,
    after: PrepaymentReading | None,
    keep: bool = False,
) -> None:
    """Record how an entry ended; digits of an accepted token are purged unless ``keep``."""
    at = booking.clock()
    told = reading_data(after) if after is not None else None
    with booking.db.write() as session:
        command = session.get_one(MeterCommand, command_id)
        command.outcome, command.ended = outcome, at
        command.read_back = canonical(told) if told else ""
        row = session.get_one(OrderToken, token.token_id)
        row.state = _state(outcome, code)
        row.code = code
        if outcome == DONE:
            row.entered = at
            if not keep:
                row.sealed, row.purged = "", at
        body = {
            "command_id": command_id,
            "kind": KIND,
            "step": booking.step,
            "token": row.shown,
            "purpose": row.purpose,
            "outcome": outcome,
            "result": code,
            "words": result_words(code).title if outcome != UNKNOWN else outcome,
            "after": told,
        }
        append(session, "command.result", body, order_id=booking.order_id, epoch=booking.epoch)
        audit.append(
            session,
            booking.who,
            "token.entered",
            booking.meter_serial,
            _about(
                row,
                booking,
                outcome=outcome,
                result=code,
                before=_loaded(command.before),
                after=told,
            ),
        )
    token.state, token.code, token.sealed = row.state, row.code, row.sealed


def enter_over_wire(
    meter: Meter,
    token: OrderToken,
    before: PrepaymentReading,
    booking: Booking,
) -> Task[tuple[TokenAnswer, PrepaymentReading]]:
    """Hand one token to the meter, once, and return its answer and what reads back.

    Raises:
        NotSupported: Nothing was sent; the token stays open.
        DriverError: The line broke; the outcome is recorded as unknown.
    """
    if not isinstance(meter, TakesTokens):
        raise NotSupported("this meter takes no tokens over the wire")
    digits = booking.box.open(token.sealed)
    command_id = intend(token, before, booking, WIRE)
    yield Progress(f"Entering token {token.shown}. Do not lift the probe")
    try:
        answer = meter.enter_token(digits)
    except (NotSupported, AccessDenied):
        settle(command_id, token, booking, outcome=NOT_WRITTEN, code=UNTOLD, after=None)
        raise
    except DriverError:
        settle(command_id, token, booking, outcome=UNKNOWN, code=UNTOLD, after=None)
        raise
    after = yield from read_prepayment(meter)
    record(command_id, token, booking, answer, after)
    return answer, after


def record(
    command_id: str,
    token: OrderToken,
    booking: Booking,
    answer: TokenAnswer,
    after: PrepaymentReading,
) -> None:
    """Record the answer of a meter; tokens of a set are purged when the set is verified."""
    code = result_code(answer)
    outcome = {TokenState.ACCEPTED: DONE, TokenState.REFUSED: REFUSED}.get(answer.state, UNKNOWN)
    keep = token.purpose == "key_change"
    settle(command_id, token, booking, outcome=outcome, code=code, after=after, keep=keep)


def result_code(answer: TokenAnswer) -> int:
    """Return the number of an answer's result; 1 for an acceptance without a number."""
    if answer.code:
        return answer.code
    return ACCEPT if answer.state is TokenState.ACCEPTED else UNTOLD


def unfinished(session: Session, order_id: str) -> MeterCommand | None:
    """Return the newest token entry of an order whose outcome nobody knows; None for none."""
    return session.scalar(
        select(MeterCommand)
        .where(
            MeterCommand.order_id == order_id,
            MeterCommand.kind == KIND,
            MeterCommand.outcome.in_(("", UNKNOWN)),
        )
        .order_by(MeterCommand.intended.desc(), MeterCommand.command_id.desc())
        .limit(1)
    )


def before_of(command: MeterCommand) -> PrepaymentReading:
    """Return what the meter told before an entry."""
    return reading_from(_loaded(command.before) or {})


# -- lock-out --------------------------------------------------------------------------------


def wrong_entries(session: Session, order_id: str) -> tuple[int, datetime | None]:
    """Return how many entries in a row the meter of an order counted as wrong, and the last."""
    rows = session.scalars(
        select(MeterCommand)
        .where(MeterCommand.order_id == order_id, MeterCommand.kind == KIND)
        .order_by(MeterCommand.intended.desc(), MeterCommand.command_id.desc())
    )
    count, last = 0, None
    for command in rows:
        token = session.get(OrderToken, command.wanted)
        if command.outcome == DONE:
            break
        if command.outcome == REFUSED and token is not None and result_words(token.code).counts:
            count += 1
            last = last or command.ended
    return count, last


def locked_for(count: int, last: datetime | None, now: datetime) -> timedelta:
    """Return how long no token should be entered after ``count`` wrong ones."""
    if count < WRONG_ENTRIES or last is None:
        return timedelta(0)
    length = min(FIRST_LOCK_S * 2 ** (count - WRONG_ENTRIES), LONGEST_LOCK_S)
    return max(timedelta(0), last + timedelta(seconds=length) - now)


def _state(outcome: str, code: int) -> str:
    if outcome == DONE:
        part = result_words(code).verdict is Verdict.PART
        return TokenStep.PART if part else TokenStep.ACCEPTED
    if outcome == NOT_WRITTEN:
        return TokenStep.OPEN
    return TokenStep.REFUSED if outcome == REFUSED else TokenStep.INTENDED


def _about(row: OrderToken, booking: Booking, **more: Any) -> dict[str, Any]:
    """Return what the audit keeps of an entry; never a digit that is hidden elsewhere."""
    return {
        "order": booking.order_id,
        "step": booking.step,
        "place": booking.place,
        "token": row.shown,
        "fingerprint": row.fingerprint,
        "class": row.token_class,
        "purpose": row.purpose,
        "channel": row.channel,
        "reason": booking.reason,
        **more,
    }


def _loaded(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text) if text else {}
    return loaded
