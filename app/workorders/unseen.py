"""Finds out what became of a token whose entry the program did not see end; never enters it.

The meter says it where it tells the time of its last token, else the person in front of it does.
"""

from app.models.order import MeterCommand
from app.models.token import OrderToken
from app.services.token import key_words, read_prepayment
from app.services.token_entry import (
    KEYPAD,
    NOT_WRITTEN,
    Booking,
    before_of,
    record,
    settle,
    taken,
    unfinished,
)
from app.tasks import Task
from app.workorders.entering import KEYPAD_ANSWERS, keypad_for, settle_keypad
from app.workorders.visit import Visit
from drivers.errors import MeterBusy, NotSupported
from drivers.prepayment import TakesTokens, TokenAnswer, TokenState
from drivers.sts import results

TAKEN, NOT_TAKEN = "It was taken", "It was not entered"


def resolve(visit: Visit, booking: Booking) -> Task[None]:
    """Find out what became of the entry that the program did not see end; never enter it here."""
    with visit.db.read() as session:
        command = unfinished(session, visit.order.order_id, visit.step.key)
        token = session.get(OrderToken, command.wanted) if command is not None else None
    if command is None or token is None:
        return
    if token.channel == KEYPAD:
        yield from _resolve_keypad(visit, command, token, booking)
    else:
        yield from _resolve_wire(visit, command, token, booking)


def _resolve_keypad(
    visit: Visit, command: MeterCommand, token: OrderToken, booking: Booking
) -> Task[None]:
    hint = keypad_for(visit).hint("last_token", "balance")
    answer = visit.recall(f"t{token.position}_result")
    if answer is None:
        answer = yield from visit.ask(
            f"t{token.position}_unseen",
            f"The program ended while token {token.shown} was to be typed. What did the display"
            " say?",
            (NOT_TAKEN, *KEYPAD_ANSWERS),
            detail=hint or "Look at the credit and at the last token that the meter shows.",
            dangerous=True,
        )
    if answer == NOT_TAKEN:
        _not_written(visit, command, token, booking)
    else:
        settle_keypad(command.command_id, token, booking, answer)


def _resolve_wire(
    visit: Visit, command: MeterCommand, token: OrderToken, booking: Booking
) -> Task[None]:
    meter = yield from visit.meter()
    before = before_of(command)
    now = yield from read_prepayment(meter)
    was_taken = taken(before, now)
    if was_taken is None:
        answer = yield from visit.ask(
            f"t{token.position}_unclear",
            f"The meter does not tell whether it took token {token.shown}. Was it taken?",
            (NOT_TAKEN, TAKEN),
            detail=f"Before: {key_words(before)}. Now: {key_words(now)}.",
            dangerous=True,
        )
        was_taken = answer == TAKEN
    if not was_taken:
        _not_written(visit, command, token, booking)
        return
    meter = yield from visit.meter()
    if not isinstance(meter, TakesTokens):
        raise MeterBusy("the meter does not tell what became of the token")
    try:
        said = meter.token_answer()
    except NotSupported:
        said = TokenAnswer(TokenState.ACCEPTED)
    if said.state is TokenState.PROCESSING:
        raise MeterBusy(f"the meter still works on token {token.shown}")
    record(command.command_id, token, booking, said, now)


def _not_written(visit: Visit, command: MeterCommand, token: OrderToken, booking: Booking) -> None:
    settle(command.command_id, token, booking, outcome=NOT_WRITTEN, code=results.UNTOLD, after=None)
    visit.keep(f"t{token.position}_repeat", "yes")
    visit.forget(f"t{token.position}_unseen", f"t{token.position}_unclear")
