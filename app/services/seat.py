"""Who sits at this laptop: every service that changes something asks here first.

As long as nobody is entered, whoever sits there may do everything and no one is asked to sign in.
From the first person on, an open database has either somebody who has signed in, or nobody, and
nobody may do nothing.
"""

from sqlalchemy import func, select

from app.errors import NotPermitted
from app.models.database import Database
from app.models.people import User


def demand(db: Database, right: str) -> None:
    """Raise unless who sits at ``db`` has a right; see `app.services.users.RIGHTS`.

    Raises:
        NotPermitted: The role has it not, or nobody has signed in where people are entered.
    """
    if db.actor is not None:
        db.actor.demand(right)
    elif shared(db):
        raise NotPermitted("nobody has signed in")


def shared(db: Database) -> bool:
    """Tell whether people are entered, so that a sign-in is needed."""
    with db.read() as session:
        return bool(session.scalar(select(func.count()).select_from(User)))
