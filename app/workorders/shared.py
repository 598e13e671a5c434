"""A laptop that several people share: who has signed in, and the record of what they did."""

from typing import Any

from app.errors import AuditBroken
from app.models.database import Database
from app.services import audit
from app.services.seat import shared

_TOLD = 5  # troubles of the record that are told in full


class SharedLaptop:
    """Who sits at ``db``; in single hands nobody needs to sign in."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.shared = shared(db)  # people are entered: a sign-in is needed

    @property
    def who(self) -> str:
        """Who works with the program."""
        actor = self.db.actor
        return (actor.full_name or actor.name) if actor is not None else ""

    @property
    def locked(self) -> bool:
        """Whether somebody must sign in before anything is shown."""
        return self.shared and self.db.actor is None

    def may(self, right: str) -> bool:
        """Whether who sits here has a right; in single hands everybody has."""
        return not self.shared if self.db.actor is None else self.db.actor.may(right)

    def sign_in(self, name: str, password: str) -> None:
        """Let a person in.

        Raises:
            NotPermitted: Name and password do not fit, or too many tries were wrong.
        """
        from app.services.users import sign_in  # noqa: PLC0415 - most laptops need none

        self.db.actor = sign_in(self.db, name, password)

    def sign_out(self, why: str = "") -> None:
        """Let nobody do anything until somebody signs in."""
        from app.services.users import sign_out  # noqa: PLC0415 - most laptops need none

        sign_out(self.db, why)

    def check_audit(self) -> None:
        """Look through the chained record of security-relevant acts.

        Raises:
            AuditBroken: A row was changed or is missing.
        """
        with self.db.read() as session:
            troubles = audit.check(session)
        if troubles:
            raise AuditBroken(" ".join(troubles[:_TOLD]))

    def _keep_record(self, act: str, subject: str, body: dict[str, Any]) -> None:
        with self.db.write() as session:
            audit.append(session, self.who, act, subject, body)
