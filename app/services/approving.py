"""The second person: somebody else with the right role, who proves it with their own password.

Works without a network: the people of this laptop are in its database.  As long as nobody is
entered, the program is in single hands; then a name is all there is, and it is noted as not proven.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select

from app.errors import BadInput, NotPermitted
from app.models.database import Database
from app.models.people import User
from app.services import audit, users
from app.services.seat import demand
from app.services.users import RIGHTS
from app.tasks import AnswerKind, Ask, Task

KEY_CHANGE = "keychange.approve"
ACT = "act.approve"
ACT_PASSWORD = f"{ACT}_password"
Approve = Callable[[str, str], Task[None]]  # what is about to be done, and to which meter
_FEW = 4  # names that fit side by side


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved, in which role ("" where nobody is entered), and whether they proved it."""

    name: str
    role: str = ""
    proven: bool = False

    def __str__(self) -> str:
        said = f", {self.role}" if self.role else ""
        return f"{self.name}{said}" + ("" if self.proven else " (name not proven)")


def approved(
    db: Database, right: str, question: str, text: str, *, first: str, subject: str
) -> Task[Approval]:
    """Have a second person approve an act of ``first``, and note it in the audit.

    The password is asked for under the key ``{question}_password`` and kept nowhere.

    Raises:
        NotPermitted: Nobody here may approve, it is ``first``, or the password is wrong.
    """
    with db.read() as session:
        alone = users.in_single_hands(session)
    if alone:
        given = yield from _named(question, text, (), f"{_WHO} {_NOT_PROVEN}")
        _another(given, (first,))
        approval = Approval(given)
    else:
        approval = yield from _proven(db, right, question, text, first)
    body = {"right": right, "approved_for": first, "role": approval.role, "proven": approval.proven}
    with db.write() as session:
        audit.append(session, approval.name, "act.approved", subject, body)
    return approval


def nobody_else(text: str, subject: str) -> Task[None]:
    """Ask nobody: the act is in one hand."""
    del text, subject
    yield from ()


def by_second_person(db: Database) -> Approve:
    """Return what has a second person approve an act of whoever sits at ``db``.

    As long as nobody is entered there, nobody is asked: a laptop in single hands stays so.
    """

    def approve(text: str, subject: str) -> Task[None]:
        demand(db, "meter.write")
        if db.actor is not None:
            first = db.actor.name
            yield from approved(db, ACT, ACT, text, first=first, subject=subject)

    return approve


_WHO = "Another person than the one who does it, such as the security officer of the utility."
_NOT_PROVEN = "Nobody is entered on this laptop, so the name is noted as not proven."


def _proven(db: Database, right: str, question: str, text: str, first: str) -> Task[Approval]:
    with db.read() as session:
        people = session.scalars(select(User).where(User.active).order_by(User.name)).all()
    own = {first.casefold()} | {
        name.casefold()
        for person in people
        if first.casefold() in {person.name.casefold(), person.full_name.casefold()}
        for name in (person.name, person.full_name)
    }
    able = [p.name for p in people if p.role in RIGHTS[right] and p.name.casefold() not in own]
    if not able:
        roles = ", ".join(sorted(RIGHTS[right]))
        raise NotPermitted(
            f"nobody else on this laptop may approve this; it is for {roles}. An administrator can"
            " enter them"
        )
    choices = tuple(able) if len(able) <= _FEW else ()
    name = yield from _named(question, text, choices, f"{_WHO} Their own password is asked next.")
    _another(name, tuple(own))
    password = yield Ask(
        f"{name}, approve with your own password",
        (),
        key=f"{question}_password",
        kind=AnswerKind.PROOF,
        detail="It is checked on this laptop and kept nowhere.",
    )
    person = users.sign_in(db, name, password or "")
    person.demand(right)
    return Approval(person.name, person.role, proven=True)


def _named(question: str, text: str, choices: tuple[str, ...], detail: str) -> Task[str]:
    kind = AnswerKind.CHOICE if choices else AnswerKind.TEXT
    name = (yield Ask(text, choices, question, kind, detail, dangerous=True)) or ""
    name = name.strip()
    if not name:
        raise BadInput(f"{question} was not answered: {text}")
    if choices and name not in choices:
        raise BadInput(f"{name!r} is no answer to {question}; one of {', '.join(choices)} is")
    return name


def _another(name: str, first: tuple[str, ...]) -> None:
    if name.casefold() in {one.casefold() for one in first}:
        raise NotPermitted("this is approved by somebody else than the one who does it")
