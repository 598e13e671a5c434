"""Tokens: those of the order's list, in their order; each entered once and proved by what reads."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from app.errors import BadInput
from app.models.token import OrderToken
from app.reports.model import Verdict
from app.services import audit
from app.services.token import TokenAsk, TokenFacts, plain_digits, token_facts
from app.services.token_entry import Booking
from app.tasks import Found, Task
from app.workorders.entering import (
    EnteredToken,
    booking_for,
    box_of,
    channel,
    confirmed,
    enter_all,
    facts_of,
    reason_for,
)
from app.workorders.proof import proved
from app.workorders.tokens import (
    CREDIT,
    ENGINEERING,
    PURPOSE_WORDS,
    TEST,
    add_typed,
    order_tokens,
    token_views,
    vending_record,
)
from app.workorders.unseen import resolve
from app.workorders.visit import StepEnd, Visit
from drivers.secrets import Secret
from drivers.sts.keys import check_value
from drivers.sts.results import result_words
from drivers.sts.token import CREDIT as CREDIT_CLASS
from drivers.sts.token import MANAGEMENT
from drivers.sts.token import TEST as TEST_CLASS

TYPE, NONE, AFRESH = "Type a token", "No token here", "Begin again"
USE, DO_NOT = "Use it", "Do not use it"
_ATTEMPTS = 3
_TYPED = ((CREDIT_CLASS, CREDIT), (TEST_CLASS, TEST), (MANAGEMENT, ENGINEERING))
_TOLERANCE = Decimal("0.3")  # kWh that a meter may round up, or the customer use meanwhile


def tokens(visit: Visit) -> Task[StepEnd]:
    """Enter the tokens of the step's purposes."""
    wanted = visit.step.options.tokens
    rows = listed(visit, wanted)
    if not rows and visit.step.options.typed:
        yield from _typed(visit, wanted)
        rows = listed(visit, wanted)
    if not rows:
        kinds = ", ".join(PURPOSE_WORDS[name] for name in wanted) or "this step"
        return StepEnd(Verdict.NOT_APPLICABLE, f"The order has no tokens for {kinds}")
    booking = booking_for(visit)
    yield Found("tokens", token_views(visit.db, visit.order.order_id))
    way = yield from channel(visit)
    yield from resolve(visit, booking)
    ended = []
    for row in listed(visit, wanted):
        own = yield from _permitted(visit, row, booking)
        ended += yield from enter_all(visit, [row], way, own)
    return (yield from proved(visit, step_end(visit, ended), "every token accepted"))


def listed(visit: Visit, purposes: tuple[str, ...]) -> list[OrderToken]:
    """Return the order's tokens of these purposes, in the order of their entry."""
    with visit.db.read() as session:
        rows = order_tokens(session, visit.order.order_id)
    return [row for row in rows if row.purpose in purposes]


def step_end(visit: Visit, ended: list[EnteredToken]) -> StepEnd:
    """Return what the entries of a step come to."""
    refused = [item for item in ended if not item.accepted]
    with visit.db.read() as session:
        known = {row.shown: row for row in order_tokens(session, visit.order.order_id)}
    remarks = [remark for item in ended if (remark := _against_receipt(known[item.shown], item))]
    verdict = Verdict.WARN if refused or remarks else Verdict.PASS
    count = len(ended) - len(refused)
    summary = f"{count} of {len(ended)} tokens accepted"
    if refused:
        summary += ": " + ", ".join(
            f"{item.shown} {result_words(item.code).title.lower()}" for item in refused
        )
    summary = "; ".join([summary, *remarks])
    value = {
        "tokens": [
            {
                "token": item.shown,
                "purpose": item.purpose,
                "result": item.code,
                "words": result_words(item.code).title,
                "state": item.state,
                "channel": item.channel,
                "credited": None if item.credited is None else format(item.credited, "f"),
            }
            for item in ended
        ],
        "remarks": remarks,
    }
    return StepEnd(verdict, summary, value)


def _against_receipt(row: OrderToken, item: EnteredToken) -> str:
    """Return where the credit grew by another amount than the receipt says."""
    if not item.accepted or row.amount is None or item.credited is None:
        return ""
    room = max(_TOLERANCE, row.amount / 100)
    if abs(item.credited - row.amount) <= room:
        return ""
    return f"{item.shown} credited {item.credited} {row.unit}, the receipt says {row.amount}"


def _permitted(visit: Visit, row: OrderToken, booking: Booking) -> Task[Booking]:
    """Ask for the reason and the second confirmation that an engineering token needs."""
    facts = yield from _said(visit, row)
    if not facts.engineering:
        return booking
    reason = yield from reason_for(visit)
    yield from confirmed(
        visit,
        f"t{row.position}_confirm",
        f"Token {facts.shown}: {facts.words}.",
        consequence(facts),
    )
    return replace(booking, reason=reason)


def _said(visit: Visit, row: OrderToken) -> Task[TokenFacts]:
    """Return what a token does; its meter's decoder key is used only when the operator agrees."""
    facts = facts_of(visit, row)
    with visit.db.read() as session:
        drn = vending_record(session, visit.order.order_id).drn
    key = box_of(visit).decoder_key(drn) if facts.token_class == MANAGEMENT else None
    if key is None:
        return facts
    check = check_value(key.value)
    answer = yield from visit.ask(
        "decoder_key",
        f"Say what management tokens do, with this meter's decoder key (check value {check})?",
        (USE, DO_NOT),
        default=DO_NOT,
    )
    if answer == DO_NOT:
        return facts
    with visit.db.write() as session:
        body = {"order": visit.order.order_id, "token": row.shown, "check_value": check}
        audit.append(session, visit.context.who, "decoder_key.used", drn, body)
    return facts_of(visit, row, drn)


def consequence(facts: TokenFacts) -> str:
    """Return what an engineering token may do to the customer, in words."""
    if facts.opens_switch:
        return "This opens the load switch: the customer is without supply. Customer present?"
    return "A management token may clear credit, limit the power or change the key."


def _typed(visit: Visit, wanted: tuple[str, ...]) -> Task[None]:
    """Ask for a token from a receipt, typed twice; its digits are kept sealed and nowhere else."""
    answer = yield from visit.ask("type", "Is there a token on paper?", (TYPE, NONE), default=NONE)
    if answer == NONE:
        return
    visit.session.release()
    purposes = {token_class: purpose for token_class, purpose in _TYPED if purpose in wanted}
    for _ in range(_ATTEMPTS):
        first = yield from _digits(visit, "token", "Type the 20 digits of the token", purposes)
        if not first:
            visit.keep("type", NONE)
            return
        again = yield from _digits(
            visit, "token_again", "Type the 20 digits once more", purposes, first
        )
        if first == again:
            break
    else:
        raise BadInput("the digits were typed twice and differ; nothing was entered")
    facts = token_facts(first)
    if facts.token_class not in purposes:
        raise BadInput(f"{facts.shown} is {facts.words}: not a token for this step")
    purpose = purposes[facts.token_class]
    add_typed(visit.db, visit.order.order_id, first, purpose, box_of(visit))


def _digits(
    visit: Visit, question: str, text: str, purposes: Mapping[int, str], first: str = ""
) -> Task[str]:
    """Return twenty digits, "" for none; unlike other answers they are not kept as a draft.

    Raises:
        BadInput: Nobody answered, or with something else than a token.
    """
    key = visit.key(question)
    answer = yield TokenAsk(
        text,
        key=key,
        detail="" if first else "They are on the receipt, in groups of four.",
        classes=frozenset(purposes),
        way_back=AFRESH if first else NONE,
        first=Secret(first.encode("ascii")) if first else None,
    )
    if answer is None:
        raise BadInput(f"{key} was not answered: {text}")
    return plain_digits(answer) if answer.strip() else ""
