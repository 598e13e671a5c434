"""Finds out what became of tokens whose entry the program did not see end; never enters one.

The meter says it where it tells its key, its last token or its credit, else the person in front of
it does; what neither can say is for the vending office.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.errors import BadInput, NotPermitted
from app.models.order import Draft, MeterCommand
from app.models.token import OrderToken, TokenStep
from app.services.keypad import Keypad
from app.services.token import key_words, read_prepayment
from app.services.token_entry import (
    KEYPAD,
    NOT_WRITTEN,
    Booking,
    before_of,
    record,
    settle,
    unfinished,
)
from app.services.token_settling import Settled, taken
from app.tasks import Ask, Found, Task
from app.workorders.entering import (
    CANNOT_TELL,
    KEYPAD_ANSWERS,
    NOT_TAKEN,
    TAKEN,
    keypad_for,
    settle_keypad,
)
from app.workorders.results import answers_given
from app.workorders.visit import Visit
from drivers.errors import MeterBusy, NotSupported
from drivers.meter import Meter
from drivers.prepayment import TakesTokens, TokenAnswer, TokenState
from drivers.sts import results

OpenedMeter = Callable[[], Task[Meter]]


@dataclass(frozen=True, slots=True)
class Line:
    """How the meter is reached while an entry is settled; ``meter`` None when it is not."""

    meter: OpenedMeter | None
    release: Callable[[], None]
    pad: Keypad


@dataclass(frozen=True, slots=True)
class Unseen:
    """One entry whose end nobody saw, and what became of it."""

    shown: str
    purpose: str
    step: str
    settled: Settled

    def __str__(self) -> str:
        return f"Token {self.shown}: {self.settled.value}"


def resolve(visit: Visit, booking: Booking) -> Task[None]:
    """Settle every open entry of the order before anything is entered here.

    Raises:
        NotPermitted: It cannot be told what became of one.
    """
    line = Line(
        visit.meter if visit.context.open_meter is not None else None,
        visit.session.release,
        keypad_for(visit),
    )
    for item in (yield from settle_open(booking, line)):
        yield Found("notice", str(item))
    with visit.db.read() as session:
        visit.answers.update(answers_given(session, booking.order_id))


def settle_open(booking: Booking, line: Line) -> Task[list[Unseen]]:
    """Settle the open entries of an order, the newest first; return what became of each.

    Raises:
        NotPermitted: It cannot be told what became of one; it stays open, and so does its token.
    """
    ended: list[Unseen] = []
    while True:
        with booking.db.read() as session:
            command = unfinished(session, booking.order_id)
            token = session.get(OrderToken, command.wanted) if command is not None else None
        if command is None or token is None:
            return ended
        own = replace(booking, step=command.step)
        if token.channel == KEYPAD or line.meter is None:
            settled = yield from _by_display(own, command, token, line)
        else:
            settled = yield from _by_meter(own, command, token, line)
        if settled is Settled.UNTOLD:
            raise NotPermitted(
                f"what became of token {token.shown} cannot be told: ask the vending office whether"
                " the meter has it before anything else is entered"
            )
        ended.append(Unseen(token.shown, token.purpose, command.step, settled))


def _by_display(
    booking: Booking, command: MeterCommand, token: OrderToken, line: Line
) -> Task[Settled]:
    """Have the person at the meter say what its display tells."""
    with booking.db.read() as session:
        key = f"{command.step}.t{token.position}_result"
        known = session.get(Draft, (booking.order_id, key))
    if known is not None:
        settle_keypad(command.command_id, token, booking, known.value)
        return _ended(token)
    hint = line.pad.hint("last_token", "balance")
    answer = yield from _asked(
        f"{command.step}.t{token.position}_unseen",
        f"Nobody saw what became of token {token.shown}. What does the meter show?",
        (NOT_TAKEN, *KEYPAD_ANSWERS, CANNOT_TELL),
        hint or "Look at the credit and at the last token that the meter shows.",
        line,
    )
    if answer == CANNOT_TELL:
        return Settled.UNTOLD
    if answer == NOT_TAKEN:
        return _not_entered(command, token, booking)
    settle_keypad(command.command_id, token, booking, answer)
    return _ended(token)


def _by_meter(
    booking: Booking, command: MeterCommand, token: OrderToken, line: Line
) -> Task[Settled]:
    """Compare what the meter tells now with what it told before the entry."""
    if line.meter is None:
        raise MeterBusy("no line to the meter")
    meter = yield from line.meter()
    before = before_of(command)
    now = yield from read_prepayment(meter)
    was_taken = taken(before, now, token)
    if was_taken is None:
        answer = yield from _asked(
            f"{command.step}.t{token.position}_unclear",
            f"The meter does not tell whether it took token {token.shown}. Was it taken?",
            (NOT_TAKEN, TAKEN, CANNOT_TELL),
            f"Before: {key_words(before)}. Now: {key_words(now)}.",
            line,
        )
        if answer == CANNOT_TELL:
            return Settled.UNTOLD
        was_taken = answer == TAKEN
    if not was_taken:
        return _not_entered(command, token, booking)
    meter = yield from line.meter()
    if not isinstance(meter, TakesTokens):
        raise MeterBusy("the meter does not tell what became of the token")
    try:
        said = meter.token_answer()
    except NotSupported:
        said = TokenAnswer(TokenState.ACCEPTED)
    if said.state is TokenState.PROCESSING:
        raise MeterBusy(f"the meter still works on token {token.shown}")
    record(command.command_id, token, booking, said, now)
    return _ended(token)


def _asked(key: str, text: str, choices: tuple[str, ...], detail: str, line: Line) -> Task[str]:
    line.release()
    answer = yield Ask(text, choices, key, detail=detail, dangerous=True)
    if not answer:
        raise BadInput(f"{key} was not answered: {text}")
    if answer not in choices:
        raise BadInput(f"{answer!r} is no answer to {key}; one of {', '.join(choices)} is")
    return answer


def _not_entered(command: MeterCommand, token: OrderToken, booking: Booking) -> Settled:
    """Free the token for another entry, which somebody must still agree to."""
    settle(command.command_id, token, booking, outcome=NOT_WRITTEN, code=results.UNTOLD, after=None)
    key = f"{command.step}.t{token.position}_repeat"
    with booking.db.write() as session:
        session.merge(Draft(order_id=booking.order_id, key=key, value="yes", at=booking.clock()))
    return Settled.NOT_ENTERED


def _ended(token: OrderToken) -> Settled:
    return Settled.REFUSED if token.state == TokenStep.REFUSED else Settled.ACCEPTED
