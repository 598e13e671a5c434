"""Prepayment tokens that came with an order, and what the vending office has on record.

A token's digits are kept sealed, with a key from the keyring, until the meter has accepted it.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.models.base import Base, Digits, Json, UtcTime, new_id, utc_now
from app.models.order import OrderState

OVER = frozenset(
    {
        OrderState.DONE, OrderState.PARTLY_DONE, OrderState.CANNOT_COMPLETE, OrderState.DECLINED,
        OrderState.CANCELLED, OrderState.RECALLED, OrderState.RETURNED, OrderState.SUPERSEDED,
        OrderState.SUBMITTED, OrderState.IN_REVIEW, OrderState.APPROVED, OrderState.EXPORTED,
        OrderState.CLOSED, OrderState.TRIAGE,
    }
)  # in which an order is worked no more on this laptop  # fmt: skip


class TokenStep(StrEnum):
    """How far a token is."""

    OPEN = "open"
    INTENDED = "intended"  # about to be entered; whether the meter took it is not known
    PART = "part"  # of a key-change set: taken, the set is not complete
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LEFT_OUT = "left out"


class OrderToken(Base):
    """One token of an order; ``sealed`` is "" once it was purged.

    ``fingerprint`` is a keyed hash: it tells whether two tokens are the same, and nothing else.
    """

    __tablename__ = "order_token"
    __table_args__ = (UniqueConstraint("order_id", "fingerprint"),)

    token_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"))
    position: Mapped[int]
    purpose: Mapped[str]  # old_credit, key_change, credit, test, clear_tamper, engineering
    shown: Mapped[str]  # masked
    sealed: Mapped[str]
    fingerprint: Mapped[str]
    token_class: Mapped[int]
    words: Mapped[str] = mapped_column(default="")  # what it does, as far as it can be told
    amount: Mapped[Decimal | None] = mapped_column(Digits, default=None)
    unit: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")  # of the receipt
    state: Mapped[str] = mapped_column(default=TokenStep.OPEN)
    code: Mapped[int] = mapped_column(default=0)  # the meter's result
    channel: Mapped[str] = mapped_column(default="")
    added: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    entered: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    purged: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class VendingRecord(Base):
    """What the vending office knows of the meter of an order.

    ``old`` and ``new`` name keys: sgc, ti, krn, key_type, ken, ea, base; only what was given.
    """

    __tablename__ = "vending_record"

    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"), primary_key=True)
    drn: Mapped[str] = mapped_column(default="")
    campaign: Mapped[str] = mapped_column(default="", index=True)
    old: Mapped[Any] = mapped_column(Json, default_factory=dict)
    new: Mapped[Any] = mapped_column(Json, default_factory=dict)
    verified: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    exported: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


def purge(session: Session, order_id: str, at: datetime, *, purposes: Iterable[str] = ()) -> int:
    """Remove the digits of an order's tokens (of some purposes); return how many were there."""
    wanted = frozenset(purposes)
    rows = session.scalars(
        select(OrderToken).where(OrderToken.order_id == order_id, OrderToken.sealed != "")
    )
    count = 0
    for row in rows:
        if not wanted or row.purpose in wanted:
            row.sealed, row.purged = "", at
            count += 1
    return count
