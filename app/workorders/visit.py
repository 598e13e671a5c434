"""One visit to a meter: what the runner is given, and what its steps share.

A `Visit` holds the order, the answers given so far and the session with the meter.  The session
is opened when a step first needs it and given up before the operator is asked something, so that
no meter waits for a person; whenever it is opened again the meter must still be the same one.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.errors import BadInput
from app.models.base import utc_now
from app.models.database import Database
from app.models.order import Draft, WorkOrder
from app.services.readout import hear_list
from app.services.token_box import TokenBox
from app.tasks import AnswerKind, Ask, Found, Progress, Task
from app.workorders.limits import LimitPack
from app.workorders.procedure import Procedure, Step
from app.workorders.serials import any_same
from drivers.errors import PortUnavailable, WrongMeter
from drivers.meter import Meter
from drivers.values import Identity

OpenMeter = Callable[[str], AbstractContextManager[Meter]]


@dataclass(frozen=True, slots=True)
class WorkContext:
    """What working an order needs from the rest of the program.

    ``open_meter`` takes the name of a meter type ("" when the order names none) and returns a
    context manager that opens the link and signs on; None when no link was chosen.
    ``render_report`` returns the report of a completed order as a PDF; None leaves it to the
    caller.
    """

    db: Database
    open_meter: OpenMeter | None
    who: str
    role: str = "installer"
    laptop: str = ""
    tool: str = "Meterwright"
    utility: str = ""
    contractor: str = ""
    licence: str = ""
    language: str = "en"
    paper: str = "A4"
    clock: Callable[[], datetime] = utc_now
    render_report: Callable[[str], bytes] | None = None
    tokens: TokenBox | None = None  # opens the token lists; None where there is no keyring

    @property
    def acting_role(self) -> str:
        """The role in which the person acts, as the rules of the states spell it."""
        return self.role.strip().lower() or "installer"

    @property
    def folder(self) -> Path:
        """The data folder, which holds photos and reports beside the database."""
        return self.db.folder


@dataclass(frozen=True, slots=True)
class Answered:
    """A question that was answered before the program ended, shown instead of asked again."""

    key: str
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class StepEnd:
    """How a step ended: what it found, for the screen, the database and the journal.

    ``value`` is kept with the step; ``facts`` go to the centre only, since tables of their own
    hold them here.  ``also`` writes whatever else belongs into the same transaction.  ``stop``
    ends the visit: the order cannot be completed.
    """

    verdict: str = ""
    summary: str = ""
    value: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    also: Callable[[Session], None] | None = None
    stop: bool = False


class MeterSession:
    """The session with the meter, opened on demand; leaving it signs off, also after errors."""

    def __init__(self, context: WorkContext, meter_type: str) -> None:
        self._open_meter = context.open_meter
        self._meter_type = meter_type
        self._stack = ExitStack()
        self._meter: Meter | None = None
        self.expected: tuple[str, ...] = ()  # serials of the meter, once it is known
        self.told = False  # the registers were given out in this session

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._meter = None
        self._stack.__exit__(kind, error, trace)

    def meter(self) -> Task[Meter]:
        """Return the meter, signed on.

        Raises:
            WrongMeter: Another meter answers than the one this visit is about.
        """
        if self._meter is not None:
            return self._meter
        if self._open_meter is None:
            raise PortUnavailable("no port was chosen")
        yield Progress("Connecting to the meter")
        meter = self._stack.enter_context(self._open_meter(self._meter_type))
        yield from hear_list(meter)
        if self.expected:
            found = meter_serials(meter.identity())
            if found and not any_same(found, self.expected):
                raise WrongMeter(
                    f"this visit is about meter {self.expected[0]}, but {found[0]} answers;"
                    " nothing was written",
                    expected=self.expected[0],
                    found=found[0],
                )
        self._meter = meter
        return meter

    def release(self) -> None:
        """Sign off and let the link go, if it is open."""
        self._meter = None
        self.told = False
        self._stack.close()


@dataclass(slots=True)
class Visit:
    """The order that is being worked, its procedure, and what is known so far."""

    context: WorkContext
    order: WorkOrder
    procedure: Procedure
    pack: LimitPack
    session: MeterSession
    answers: dict[str, str]
    step: Step
    meter_serial: str = ""

    @property
    def db(self) -> Database:
        """The local database."""
        return self.context.db

    def meter(self) -> Task[Meter]:
        """Return the meter, signed on and known to be the right one."""
        return self.session.meter()

    def key(self, question: str) -> str:
        """Return the name of a question of this step, as answer files spell it."""
        return f"{self.step.key}.{question}"

    def ask(
        self,
        question: str,
        text: str,
        choices: tuple[str, ...] = ("Continue",),
        *,
        kind: AnswerKind = AnswerKind.CHOICE,
        detail: str = "",
        default: str = "",
        optional: bool = False,
        dangerous: bool = False,
    ) -> Task[str]:
        """Return the answer to a question; one that was answered before is not asked again.

        The answer is durable before anything else happens.

        Raises:
            BadInput: The answer is none of the choices, or is missing.
        """
        key = self.key(question)
        return (
            yield from self.put(
                question, Ask(text, choices, key, kind, detail, default, optional, dangerous)
            )
        )

    def put(self, question: str, ask: Ask) -> Task[str]:
        """Put a question that is made already, as `ask` does."""
        known = self.answers.get(ask.key)
        if known is not None:
            yield Found("answer", Answered(ask.key, ask.text, known))
            return known
        self.session.release()
        answer = (yield ask) or ""
        answer = answer.strip()
        if not answer and not ask.optional:
            raise BadInput(f"{ask.key} was not answered: {ask.text}")
        if ask.kind is AnswerKind.CHOICE and answer and answer not in ask.choices:
            raise BadInput(
                f"{answer!r} is no answer to {ask.key}; one of {', '.join(ask.choices)} is"
            )
        self.keep(question, answer)
        return answer

    def recall(self, question: str) -> str | None:
        """Return what was kept under this name in the running step; None when nothing was."""
        return self.answers.get(self.key(question))

    def keep(self, question: str, value: str) -> None:
        """Make an answer, or something else the step must remember, durable at once."""
        key = self.key(question)
        with self.db.write() as session:
            session.merge(
                Draft(order_id=self.order.order_id, key=key, value=value, at=self.context.clock())
            )
        self.answers[key] = value

    def forget(self, *questions: str, session: Session | None = None) -> None:
        """Drop answers, so that they are asked again; in the caller's transaction if given."""
        keys = [self.key(question) for question in questions]
        statement = delete(Draft).where(Draft.order_id == self.order.order_id, Draft.key.in_(keys))
        if session is not None:
            session.execute(statement)
        else:
            with self.db.write() as own:
                own.execute(statement)
        for key in keys:
            self.answers.pop(key, None)


def meter_serials(identity: Identity) -> tuple[str, ...]:
    """Return every text by which a meter says who it is, the most telling first."""
    name = identity.logical_device_name
    # a logical device name is three letters of the maker and then, mostly, the serial
    named = (name, name[3:]) if name else ()
    return tuple(
        item.strip() for item in (identity.serial, identity.utility_serial, *named) if item.strip()
    )
