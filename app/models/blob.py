"""How far each kept file has travelled to the centre."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcTime


class Blob(Base):
    """One file of one or more attachments; complete when the centre has hashed it to its name.

    An attachment without such a row has not been looked at by a sync yet: it is pending.
    """

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    mime: Mapped[str]
    path: Mapped[str]
    sent_upto: Mapped[int] = mapped_column(default=0)
    verified_at: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    problem: Mapped[str] = mapped_column(default="")  # why it cannot be sent: missing, damaged
