"""People who work with the program: sign-in, roles, rights, areas.

Passwords are kept as argon2id hashes.  As long as nobody is entered, the program is in single
hands: whoever sits there may do everything, under the name given.  The first person entered is
an administrator; from then on every act of the office needs a sign-in.  Every change and every
sign-in, also a refused one, goes into the audit chain.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import BadInput, NotFound, NotPermitted
from app.models.base import utc_now
from app.models.database import Database
from app.models.people import User
from app.services.audit import append
from app.services.dispatch import Person

INSTALLER, LEAD, PLANNER, DISPATCHER, VERIFIER, AGENT, SUPERVISOR, ADMINISTRATOR, SECURITY = (
    "installer",
    "lead",
    "planner",
    "dispatcher",
    "verifier",
    "agent",
    "supervisor",
    "administrator",
    "security officer",
)
_FIELD = frozenset({INSTALLER, LEAD, SUPERVISOR, ADMINISTRATOR})
_OFFICE = frozenset({PLANNER, DISPATCHER, SUPERVISOR, ADMINISTRATOR})
_ALL = _FIELD | _OFFICE | {VERIFIER, AGENT, SECURITY}

# What each function of the program needs.
RIGHTS: dict[str, frozenset[str]] = {
    "orders.look": _ALL,
    "orders.work": _FIELD,
    "orders.import": _FIELD | _OFFICE,
    "orders.assign": _OFFICE,
    "orders.recall": _OFFICE,
    "review.look": frozenset({VERIFIER, *_OFFICE}),
    "review.approve": frozenset({VERIFIER}),
    "review.settle": frozenset({VERIFIER, DISPATCHER, SUPERVISOR, ADMINISTRATOR}),
    "meter.read": _FIELD,  # who has a probe can write with it too
    "meter.write": _FIELD,
    "token.look": _ALL,
    "tokens.import": _FIELD | _OFFICE | {SECURITY},
    "campaign.export": _OFFICE | {SECURITY},
    "settings.change": _ALL - {AGENT},
    "centre.look": _OFFICE | {VERIFIER},
    "keychange.approve": frozenset({SECURITY, SUPERVISOR, ADMINISTRATOR}),
    "act.approve": frozenset({LEAD, SECURITY, SUPERVISOR, ADMINISTRATOR}),
    "vault.change": frozenset({SUPERVISOR, ADMINISTRATOR}),
    "users.change": frozenset({ADMINISTRATOR}),
    "centre.administer": frozenset({ADMINISTRATOR}),
}
ROLES = tuple(sorted(_ALL))

_SHORTEST = 10
_FREE_TRIES = 5
_LOCK = timedelta(minutes=5)


@dataclass(frozen=True)
class SignedIn:
    """A person who has proved who they are; ``areas`` limits what they see, empty for all."""

    name: str
    role: str
    areas: tuple[str, ...] = ()
    full_name: str = ""

    @property
    def person(self) -> Person:
        """Return who acts, for the services."""
        return Person(self.name, self.role)

    def may(self, right: str) -> bool:
        """Tell whether this role has a right."""
        return self.role in RIGHTS[right]

    def demand(self, right: str) -> None:
        """Raise unless this role has a right.

        Raises:
            NotPermitted: It has not.
        """
        if not self.may(right):
            roles = ", ".join(sorted(RIGHTS[right]))
            raise NotPermitted(f"{self.name} is {self.role}; {right} is for {roles}")

    def sees(self, area: str) -> bool:
        """Tell whether an area lies in this person's data segment."""
        return not self.areas or any(
            area == own or area.startswith(f"{own}/") for own in self.areas
        )


def in_single_hands(session: Session) -> bool:
    """Tell whether nobody is entered yet."""
    return not session.scalar(select(func.count()).select_from(User))


def sign_in(db: Database, name: str, password: str) -> SignedIn:
    """Return the person, after five wrong passwords in a row only when five minutes have passed.

    Raises:
        NotPermitted: Unknown, left, locked, or the password is wrong; it does not say which.
    """
    from argon2 import PasswordHasher  # noqa: PLC0415 - only sign-in needs it
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    hasher = PasswordHasher()
    with db.write() as session:
        user = session.scalars(select(User).where(User.name == name)).first()
        locked = bool(user and user.locked_until and utc_now() < user.locked_until)
        try:
            # An unknown name costs the same time as a known one.
            hasher.verify(user.password_hash if user else _NOBODY, password)
            good = True
        except (VerificationError, InvalidHashError):
            good = False
        welcome = user if good and user is not None and user.active and not locked else None
        if welcome is not None:
            welcome.failures, welcome.locked_until = 0, None
            if hasher.check_needs_rehash(welcome.password_hash):
                welcome.password_hash = hasher.hash(password)
            append(session, name, "user.signed_in", body={"role": welcome.role})
        else:
            if user is not None and not locked:
                _count_failure(user)
            append(session, name, "user.refused")
    if welcome is None:
        raise NotPermitted("this name and password do not fit, or are locked for some minutes")
    areas = tuple(filter(None, welcome.areas.split("\n")))
    return SignedIn(welcome.name, welcome.role, areas, welcome.full_name)


def sign_out(db: Database, why: str = "") -> None:
    """Let the person at ``db`` go; from then on nobody may do anything there."""
    actor, db.actor = db.actor, None  # gone at once, whatever becomes of the row
    if actor is not None:
        with db.write() as session:
            append(session, actor.name, "user.signed_out", body={"why": why} if why else None)


def _count_failure(user: User) -> None:
    user.failures += 1
    if user.failures >= _FREE_TRIES:
        user.locked_until, user.failures = utc_now() + _LOCK, 0


# The hash of no password anybody has.
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA"
    "$LnjEIXuvbdk5D8S1VzWwQmv5cQ2LLWWVJUtOtUUMGRM"
)


def add(
    db: Database,
    name: str,
    role: str,
    password: str,
    *,
    by: SignedIn | None = None,
    full_name: str = "",
    areas: tuple[str, ...] = (),
) -> None:
    """Enter a person; the first one must be an administrator.

    Raises:
        BadInput: Name or role cannot be used, or the password is too short.
        NotPermitted: Not for this role.
    """
    if role not in ROLES:
        raise BadInput(f"{role} is no role; there are {', '.join(ROLES)}")
    if not name.strip() or "\n" in name:
        raise BadInput("a name is needed")
    hashed = _hashed(password)
    with db.write() as session:
        if in_single_hands(session):
            if role != ADMINISTRATOR:
                raise BadInput("the first person entered must be an administrator")
        else:
            _demand(by, "users.change")
        if session.scalar(select(User.user_id).where(User.name == name)) is not None:
            raise BadInput(f"{name} is entered already")
        session.add(
            User(
                name=name,
                full_name=full_name,
                role=role,
                areas="\n".join(areas),
                password_hash=hashed,
            )
        )
        append(session, by.name if by else name, "user.added", name, {"role": role})


def set_password(db: Database, name: str, password: str, *, by: SignedIn) -> None:
    """Change a password: one's own, or as an administrator anybody's."""
    if by.name != name:
        by.demand("users.change")
    hashed = _hashed(password)
    with db.write() as session:
        user = _loaded(session, name)
        user.password_hash, user.failures, user.locked_until = hashed, 0, None
        append(session, by.name, "user.password_set", name)


def disable(db: Database, name: str, *, by: SignedIn) -> None:
    """Keep a person out; what they did keeps their name.

    Raises:
        BadInput: Nobody could administer any more.
    """
    by.demand("users.change")
    with db.write() as session:
        user = _loaded(session, name)
        others = session.scalar(
            select(func.count())
            .select_from(User)
            .where(User.role == ADMINISTRATOR, User.active, User.name != name)
        )
        if user.role == ADMINISTRATOR and not others:
            raise BadInput("the last administrator cannot be kept out")
        user.active = False
        append(session, by.name, "user.disabled", name)


def people(db: Database) -> list[User]:
    """Return everybody who is entered, by name."""
    with db.read() as session:
        return list(session.scalars(select(User).order_by(User.name)))


def acting(db: Database, name: str, password: str, role: str) -> SignedIn:
    """Return who acts: the person who signs in, or, in single hands, whoever is named.

    Raises:
        NotPermitted: People are entered, and name and password do not fit.
        BadInput: The role does not exist.
    """
    with db.read() as session:
        single = in_single_hands(session)
    if not single:
        return sign_in(db, name, password)
    if role not in ROLES:
        raise BadInput(f"{role} is no role; there are {', '.join(ROLES)}")
    return SignedIn(name or "single hands", role)


def _hashed(password: str) -> str:
    from argon2 import PasswordHasher  # noqa: PLC0415 - only sign-in needs it

    if len(password) < _SHORTEST:
        raise BadInput(f"a password needs {_SHORTEST} characters or more")
    return PasswordHasher().hash(password)


def _demand(by: SignedIn | None, right: str) -> None:
    if by is None:
        raise NotPermitted(f"{right} needs a sign-in")
    by.demand(right)


def _loaded(session: Session, name: str) -> User:
    user = session.scalars(select(User).where(User.name == name)).first()
    if user is None:
        raise NotFound(f"nobody is called {name}")
    return user
