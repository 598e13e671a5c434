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
    else:
        demand_somebody(db)


def demand_somebody(db: Database) -> None:
    """Raise where people are entered and nobody has signed in.

    Raises:
        NotPermitted: So it is.
    """
    if db.actor is None and shared(db):
        raise NotPermitted("nobody has signed in")


def demand_area(db: Database, area: str) -> None:
    """Raise unless an order of this area lies in the data segment of who sits at ``db``.

    Raises:
        NotPermitted: It does not.
    """
    if db.actor is not None and not db.actor.sees(area):
        own = ", ".join(db.actor.areas)
        raise NotPermitted(f"{db.actor.name} works in {own}; this order is of {area or 'no area'}")


def seen(db: Database, area: str) -> bool:
    """Tell whether an area lies in the data segment of who sits at ``db``."""
    return db.actor is None or db.actor.sees(area)


def shared(db: Database) -> bool:
    """Tell whether people are entered, so that a sign-in is needed."""
    with db.read() as session:
        return bool(session.scalar(select(func.count()).select_from(User)))
