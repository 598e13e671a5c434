"""What meters told: readings, profile segments, events, clock comparisons."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Digits, Json, UtcTime, new_id, utc_now


class StoredReading(Base):
    """One register value as read; ``moment`` is before, after, handover or now."""

    __tablename__ = "reading"
    __table_args__ = (Index("ix_reading_meter", "meter_serial", "obis", "read_at"),)

    reading_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str | None] = mapped_column(
        ForeignKey("work_order.order_id"), default=None, index=True
    )
    meter_serial: Mapped[str]
    moment: Mapped[str] = mapped_column(default="now")
    position: Mapped[int] = mapped_column(default=0)
    code: Mapped[str]
    obis: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    value: Mapped[Decimal | None] = mapped_column(Digits, default=None)
    unit: Mapped[str] = mapped_column(default="")
    text: Mapped[str] = mapped_column(default="")
    history: Mapped[str | None] = mapped_column(default=None)
    time: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    proof: Mapped[str] = mapped_column(default="ok")  # how the bytes were checked: ok, absent, bad
    read_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class ProfileSegment(Base):
    """A block of profile rows as it arrived.

    ``columns`` is the `ProfileInfo` as plain data, ``rows`` a list of
    ``[time, status_raw, [status words], reconstructed, [value or null ...]]`` with values as text.
    All segments of one read share ``capture_id``; ``position`` orders them.
    """

    __tablename__ = "profile_segment"
    __table_args__ = (Index("ix_profile_segment_read", "capture_id", "position"),)

    profile_segment_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    capture_id: Mapped[str]
    order_id: Mapped[str | None] = mapped_column(
        ForeignKey("work_order.order_id"), default=None, index=True
    )
    meter_serial: Mapped[str]
    obis: Mapped[str]
    position: Mapped[int]
    columns: Mapped[Any] = mapped_column(Json)
    rows: Mapped[Any] = mapped_column(Json)
    first: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    last: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    read_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class StoredEvent(Base):
    """One row of a meter's log."""

    __tablename__ = "event"

    event_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str | None] = mapped_column(
        ForeignKey("work_order.order_id"), default=None, index=True
    )
    meter_serial: Mapped[str]
    log: Mapped[str]
    position: Mapped[int] = mapped_column(default=0)
    time: Mapped[datetime] = mapped_column(UtcTime)
    code: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    details: Mapped[Any] = mapped_column(Json, default=None, nullable=True)
    read_at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
