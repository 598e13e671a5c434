"""A token entered without a work order: credit and display tokens only, and into the audit."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import select

from app.errors import NotPermitted
from app.models.database import Database
from app.models.people import Audit
from app.services import audit
from app.services.seat import demand
from app.services.token import TokenFacts, read_prepayment, reading_data, reading_from
from app.services.token_entry import result_code
from app.services.token_settling import Settled, taken
from app.tasks import Progress, Task
from drivers.errors import DriverError, MeterBusy, NotSupported, TokenRefused
from drivers.meter import Meter
from drivers.prepayment import PrepaymentReading, TakesTokens, TokenState
from drivers.secrets import Secret
from drivers.sts.results import result_words

Opened = Callable[[], AbstractContextManager[Meter]]


@dataclass(frozen=True, slots=True)
class TokenOutcome:
    """What became of a token, and keys and credit before and after."""

    shown: str
    code: int
    before: PrepaymentReading
    after: PrepaymentReading


def enter_alone(
    db: Database, opened: Opened, token: Secret, facts: TokenFacts, who: str
) -> Task[TokenOutcome]:
    """Enter one token that needs no work order, once; intent and result go into the audit.

    Raises:
        NotPermitted: It is an engineering token, or whoever sits here may not write.
        TokenRefused: The meter refused it; the error has its result.
    """
    demand(db, "meter.write")
    if facts.engineering:
        raise NotPermitted(
            f"{facts.shown} is {facts.words}: such a token needs a work order and a reason"
        )
    with opened() as meter:
        if not isinstance(meter, TakesTokens):
            raise NotSupported("this meter takes no tokens over the wire; use the keypad")
        serial = meter.identity().serial
        before = yield from read_prepayment(meter)
        _settled(db, serial, facts, before, who)
        about = {"token": facts.shown, "class": facts.token_class, "channel": "wire"}
        _note(db, who, "token.intended", serial, {**about, "before": reading_data(before)})
        yield Progress(f"Entering token {facts.shown}. Do not lift the probe")
        try:
            answer = meter.enter_token(token)
            after = yield from read_prepayment(meter)
        except DriverError as error:
            lost = {**about, "outcome": "unknown", "error": type(error).__name__}
            _note(db, who, "token.entered", serial, lost)
            raise
    code = result_code(answer)
    ended = {"outcome": answer.state.value, "result": code, "after": reading_data(after)}
    _note(db, who, "token.entered", serial, {**about, **ended})
    if answer.state is TokenState.REFUSED:
        raise TokenRefused(f"{facts.shown}: {result_words(code).title}", code)
    if answer.state is TokenState.PROCESSING:
        raise MeterBusy(f"the meter has taken token {facts.shown} and still works on it")
    return TokenOutcome(facts.shown, code, before, after)


def _settled(
    db: Database, serial: str, facts: TokenFacts, now: PrepaymentReading, who: str
) -> None:
    """Let no token in whose entry before nobody saw end, unless the meter shows it did not come.

    Raises:
        NotPermitted: The meter has it, or nobody can tell.
    """
    with db.read() as session:
        acts = session.scalars(
            select(Audit)
            .where(Audit.subject == serial, Audit.act.in_(("token.intended", "token.entered")))
            .order_by(Audit.position)
        )
        own = [row for row in acts if (row.body or {}).get("token") == facts.shown]
    if not own:
        return
    last = own[-1]
    if last.act == "token.entered" and last.body.get("outcome") != "unknown":
        return
    asked = [row.body["before"] for row in own if row.act == "token.intended"]
    was_taken = taken(reading_from(asked[-1]), now) if asked else None
    about = {"token": facts.shown, "class": facts.token_class, "channel": "wire"}
    outcome = {True: Settled.ACCEPTED, False: Settled.NOT_ENTERED, None: Settled.UNTOLD}[was_taken]
    if was_taken is not None:
        ended = {"outcome": outcome.value, "after": reading_data(now)}
        _note(db, who, "token.entered", serial, {**about, **ended})
    if was_taken is not False:
        raise NotPermitted(f"nobody saw what became of token {facts.shown}: {outcome.value}")


def _note(db: Database, who: str, act: str, serial: str, body: dict[str, object]) -> None:
    with db.write() as session:
        audit.append(session, who, act, serial, body)
