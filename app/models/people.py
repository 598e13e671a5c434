"""Who works with the program, and the chained record of what they did."""

from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Json, UtcTime, new_id, utc_now


class Actor(Protocol):
    """Somebody who has signed in."""

    @property
    def name(self) -> str:
        """Their name for signing in."""

    @property
    def full_name(self) -> str:
        """Their name as people write it, "" where none was given."""

    @property
    def role(self) -> str:
        """Their role."""

    def may(self, right: str) -> bool:
        """Tell whether the role has a right."""

    def demand(self, right: str) -> None:
        """Raise unless the role has a right."""


class User(Base):
    """A person with a role: installer, lead, dispatcher, verifier, agent, administrator."""

    __tablename__ = "user"

    user_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    full_name: Mapped[str] = mapped_column(default="")
    licence: Mapped[str] = mapped_column(default="")
    role: Mapped[str] = mapped_column(default="installer")
    areas: Mapped[str] = mapped_column(default="")  # one a line; "" for all
    password_hash: Mapped[str] = mapped_column(default="")  # argon2id; "" until one is set
    active: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)  # wrong passwords in a row
    locked_until: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class Audit(Base):
    """One security-relevant act; ``chain`` hashes this row and the one before."""

    __tablename__ = "audit"

    position: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    who: Mapped[str] = mapped_column(default="")
    act: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    body: Mapped[Any] = mapped_column(Json, default=None, nullable=True)
    chain: Mapped[str]
