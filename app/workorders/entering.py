"""Enters one token of an order: over the wire or guided on the keypad, each of them once.

The order of things for every token: whether the meter may be locked, reason and second
confirmation where they are needed, the intent, the entry, the answer in words, what to do next.
What the program did not live to see is found out first, see `app.workorders.unseen`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app.errors import BadInput, NotPermitted, VaultLocked
from app.models.order import WorkOrder
from app.models.token import OrderToken, TokenStep
from app.services.keypad import Keypad, KeypadAsk, keypad_of_type
from app.services.token import TokenFacts, read_prepayment, takes_tokens, token_facts
from app.services.token_box import TokenBox
from app.services.token_entry import (
    DONE,
    KEYPAD,
    REFUSED,
    WIRE,
    WRONG_ENTRIES,
    Booking,
    enter_over_wire,
    intend,
    locked_for,
    settle,
    wrong_entries,
)
from app.tasks import AnswerKind, Found, Task
from app.workorders.tokens import KEY_CHANGE, PURPOSE_WORDS, token_views
from app.workorders.visit import Visit
from drivers.errors import MeterBusy
from drivers.prepayment import PrepaymentReading, TokenState
from drivers.sts import results
from drivers.sts.results import Verdict, result_words

OVER_WIRE, BY_KEYPAD = "Over the wire", "On the keypad"
ENTER, LEAVE, LATER = "Enter it", "Leave it out", "Decide later"
GIVE_UP = "Leave the set out"
TAKEN, NOT_TAKEN, CANNOT_TELL = "It was taken", "It was not entered", "Nobody can tell"
KEYPAD_ANSWERS = {  # what people read on the display, and the number of the result
    "Accepted": results.ACCEPT,
    "Accepted, more tokens to come": results.FIRST_SET,
    "Old": results.OLD,
    "Used": results.USED,
    "Invalid or CRC": results.CRC,
    "Key expired": results.EXPIRED,
    "Default key (DDTK)": results.DDTK,
    "Locked": results.LOCKED,
    "Another refusal": results.UNTOLD,
}
_ONE_THING = "Without all its tokens a set changes nothing: the meter stays on its present key."
_LAST_DIGITS = 4
_SET = frozenset({results.FIRST_SET, results.SECOND_SET, results.THIRD_SET, results.FOURTH_SET})


@dataclass(frozen=True, slots=True)
class EnteredToken:
    """How one token ended; ``after`` is what the meter told then, if it tells anything."""

    shown: str
    purpose: str
    code: int
    state: str
    channel: str
    before: PrepaymentReading | None = None
    after: PrepaymentReading | None = None

    @property
    def accepted(self) -> bool:
        """Whether the meter took it."""
        return self.state in {TokenStep.ACCEPTED, TokenStep.PART}

    @property
    def credited(self) -> Decimal | None:
        """By how much the credit grew; None when the meter does not tell."""
        if self.before is None or self.after is None:
            return None
        if self.before.balance is None or self.after.balance is None:
            return None
        return self.after.balance - self.before.balance


def box_of(visit: Visit) -> TokenBox:
    """Return what opens the tokens of this laptop.

    Raises:
        VaultLocked: There is none: no keyring was opened.
    """
    if visit.context.tokens is None:
        raise VaultLocked("the key of the token lists is in the system's password store")
    return visit.context.tokens


def keypad_for(visit: Visit) -> Keypad:
    """Return the keypad of the meter's type, as far as it is known."""
    return keypad_for_type(visit.order)


def keypad_for_type(order: WorkOrder) -> Keypad:
    """Return the keypad of the type that an order names; the general one when it names none."""
    return keypad_of_type(order.meter_type)


def channel(visit: Visit) -> Task[str]:
    """Return the way of this step: over the wire where the meter takes tokens so, else keypad."""
    if visit.context.open_meter is None:
        return KEYPAD
    known = visit.recall("channel")
    if known is None:
        meter = yield from visit.meter()
        if not takes_tokens(meter):
            return KEYPAD
    answer = yield from visit.ask(
        "channel",
        "How are the tokens entered?",
        (OVER_WIRE, BY_KEYPAD),
        default=OVER_WIRE,
        detail="Tokens typed on the keypad are shown here in groups of four digits.",
    )
    return WIRE if answer == OVER_WIRE else KEYPAD


def booking_for(visit: Visit, reason: str = "") -> Booking:
    """Return where entries of this step are booked."""
    return Booking(
        db=visit.db,
        box=box_of(visit),
        order_id=visit.order.order_id,
        epoch=visit.order.epoch,
        step=visit.step.key,
        who=visit.context.who,
        meter_serial=visit.meter_serial,
        place=visit.order.title,
        clock=visit.context.clock,
        reason=reason,
    )


def enter_all(
    visit: Visit, tokens: Iterable[OrderToken], way: str, booking: Booking
) -> Task[list[EnteredToken]]:
    """Bring every token to its end, one after another; what has ended before is not touched.

    A key-change set is one thing: after one of its tokens was left out no other is entered.
    """
    ended: list[EnteredToken] = []
    for token in tokens:
        if ended and token.purpose == KEY_CHANGE and not ended[-1].accepted:
            break
        if token.state == TokenStep.REFUSED and (yield from refused(visit, token)):
            token.state = TokenStep.OPEN
        if token.state == TokenStep.OPEN and visit.recall(f"t{token.position}_repeat"):
            yield from _once_more(visit, token)
        if token.state == TokenStep.OPEN:
            ended.append((yield from enter_one(visit, token, way, booking)))
        else:
            ended.append(_entered(token, token.channel))
    return ended


def enter_one(visit: Visit, token: OrderToken, way: str, booking: Booking) -> Task[EnteredToken]:
    """Enter one token; ask what to do when the meter refuses it.

    Raises:
        MeterBusy: The meter may be locked after wrong entries, or still works on the token.
        NotPermitted: The operator stopped here.
    """
    while True:
        yield from _unlocked(visit, token, booking)
        before: PrepaymentReading | None = None
        after: PrepaymentReading | None = None
        if way == WIRE:
            before, after = yield from _over_wire(visit, token, booking)
        else:
            yield from _on_keypad(visit, token, booking)
        yield Found("tokens", token_views(visit.db, visit.order.order_id))
        if token.state != TokenStep.REFUSED:
            return _entered(token, way, before, after)
        again = yield from refused(visit, token)
        if not again:
            return _entered(token, way, before, after)


def refused(visit: Visit, token: OrderToken) -> Task[bool]:
    """Say why the meter refused, and return whether to enter the token once more.

    Raises:
        NotPermitted: The operator stopped here.
    """
    words = result_words(token.code)
    leave = GIVE_UP if token.purpose == KEY_CHANGE else LEAVE
    choices = (leave, LATER) if words.settled else (leave, ENTER, LATER)
    key = f"t{token.position}_refused"
    answer = yield from visit.ask(
        key,
        f"The meter refused token {token.shown}: {words.title.lower()}. {words.meaning}",
        choices,
        detail=f"{words.remedy} {_ONE_THING if leave == GIVE_UP else ''}".strip(),
        dangerous=True,
    )
    if answer == LATER:
        visit.forget(key)
        raise NotPermitted(f"stopped after token {token.shown} was refused: {words.title}")
    again = answer == ENTER
    with visit.db.write() as session:
        row = session.get_one(OrderToken, token.token_id)
        row.state = TokenStep.OPEN if again else TokenStep.LEFT_OUT
        if again:
            visit.forget(key, f"t{token.position}_result", session=session)
    token.state = row.state
    return again


def facts_of(visit: Visit, token: OrderToken, drn: str = "") -> TokenFacts:
    """Return what a token is; with the decoder key in the keyring also what is in it."""
    if not token.sealed:
        return TokenFacts(token.shown, token.token_class, token.words)
    box = box_of(visit)
    digits = box.open(token.sealed).reveal().decode("ascii")
    try:
        return token_facts(digits, box.decoder_key(drn))
    except BadInput:
        return token_facts(digits)


def confirmed(visit: Visit, question: str, text: str, detail: str) -> Task[None]:
    """Have an engineering act confirmed by the last four digits of the meter.

    Raises:
        BadInput: The digits are not this meter's; they are asked again next time.
    """
    serial = visit.meter_serial or visit.order.meter_serial
    answer = yield from visit.ask(
        question,
        f"{text} Type the last {_LAST_DIGITS} digits of the meter number {serial[:-_LAST_DIGITS]}…",
        kind=AnswerKind.TEXT,
        detail=detail,
        dangerous=True,
    )
    if answer != serial[-_LAST_DIGITS:]:
        visit.forget(question)
        raise BadInput("these are not the last four digits of this meter; nothing was entered")


def reason_for(visit: Visit) -> Task[str]:
    """Return why engineering tokens are entered on this order."""
    return (
        yield from visit.ask(
            "reason",
            "Why are engineering tokens entered here?",
            kind=AnswerKind.TEXT,
            detail="The reason goes into the audit with the number of the work order.",
        )
    )


# -- one entry -------------------------------------------------------------------------------


def _unlocked(visit: Visit, token: OrderToken, booking: Booking) -> Task[None]:
    """Let no token be entered while the meter may be locked, and warn before the entry that locks.

    Raises:
        MeterBusy: It may be locked; the text says how long to wait.
        NotPermitted: The operator stopped here.
    """
    with visit.db.read() as session:
        count, last = wrong_entries(session, visit.order.order_id)
    left = locked_for(count, last, booking.clock())
    if left > timedelta(0):
        raise MeterBusy(
            f"{count} entries in a row were wrong; the meter may be locked for another"
            f" {left.total_seconds():.0f} s"
        )
    if count < WRONG_ENTRIES - 1:
        return
    key = f"t{token.position}_risk{count}"
    answer = yield from visit.ask(
        key,
        f"{count} entries in a row were wrong. Another one locks the meter. Enter the next token?",
        (ENTER, LATER),
        detail=f"The next is {token.shown}, {PURPOSE_WORDS.get(token.purpose, token.purpose)}.",
        dangerous=True,
    )
    if answer == LATER:
        visit.forget(key)
        raise NotPermitted("stopped before the meter locks")


def _over_wire(
    visit: Visit, token: OrderToken, booking: Booking
) -> Task[tuple[PrepaymentReading, PrepaymentReading]]:
    meter = yield from visit.meter()
    before = yield from read_prepayment(meter)
    answer, after = yield from enter_over_wire(meter, token, before, booking)
    if answer.state is TokenState.PROCESSING:
        raise MeterBusy(f"the meter still works on token {token.shown}")
    return before, after


def _on_keypad(visit: Visit, token: OrderToken, booking: Booking) -> Task[None]:
    """Show the digits and take down what the display said."""
    digits = booking.box.open(token.sealed)
    command_id = intend(token, PrepaymentReading(), booking, KEYPAD)
    pad = keypad_for(visit)
    question = f"t{token.position}_result"
    places = _places(visit, token)
    answer = yield from visit.put(
        question,
        KeypadAsk(
            f"Type token {token.shown} on the keypad. What does the display say?",
            _answers(token),
            visit.key(question),
            detail=f"{pad.enter} Accepted looks like: {pad.accepted}. Refused: {pad.refused}.",
            digits=digits,
            pad=pad,
            place=places.index(token.token_id) + 1,
            count=len(places),
        ),
    )
    settle_keypad(command_id, token, booking, answer)


def display_answer(display: str) -> str:
    """Return the answer that fits what a virtual meter's display says."""
    number = display.rpartition(" ")[2]
    code = int(number) if number.isdigit() else results.ACCEPT
    if display.startswith("Accept"):
        code = results.FIRST_SET if code in _SET and "result" in display else results.ACCEPT
    known = {code: words for words, code in KEYPAD_ANSWERS.items()}
    return known.get(code, known[results.UNTOLD])


def _answers(token: OrderToken) -> tuple[str, ...]:
    """Return what the display may say; only a key-change token can want more to come."""
    part = token.purpose == KEY_CHANGE
    return tuple(
        words for words, code in KEYPAD_ANSWERS.items() if part or code != results.FIRST_SET
    )


def _places(visit: Visit, token: OrderToken) -> list[str]:
    """Return the tokens of this one's purpose, in the order of their entry."""
    views = token_views(visit.db, visit.order.order_id)
    return [view.token_id for view in views if view.purpose == token.purpose]


def settle_keypad(command_id: str, token: OrderToken, booking: Booking, answer: str) -> None:
    """Record what somebody read on the display, one of `KEYPAD_ANSWERS`."""
    code = KEYPAD_ANSWERS[answer]
    outcome = REFUSED if result_words(code).verdict is Verdict.REFUSED else DONE
    keep = token.purpose == KEY_CHANGE
    settle(command_id, token, booking, outcome=outcome, code=code, after=None, keep=keep)


def _entered(
    token: OrderToken,
    way: str,
    before: PrepaymentReading | None = None,
    after: PrepaymentReading | None = None,
) -> EnteredToken:
    return EnteredToken(token.shown, token.purpose, token.code, token.state, way, before, after)


def _once_more(visit: Visit, token: OrderToken) -> Task[None]:
    """Ask before a token is entered whose first entry never reached the meter."""
    leave = GIVE_UP if token.purpose == KEY_CHANGE else LEAVE
    answer = yield from visit.ask(
        f"t{token.position}_again",
        f"Token {token.shown} was to be entered, but the meter has not taken it. Enter it?",
        (ENTER, leave),
        dangerous=True,
    )
    if answer == ENTER:
        return
    with visit.db.write() as session:
        session.get_one(OrderToken, token.token_id).state = TokenStep.LEFT_OUT
    token.state = TokenStep.LEFT_OUT
