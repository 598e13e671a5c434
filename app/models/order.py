"""Work orders and what was found while working them."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Json, UtcTime, new_id, utc_now


class OrderState(StrEnum):
    """States of a work order; the transitions are in `app.workorders.lifecycle`."""

    DRAFT = "draft"
    PLANNED = "planned"
    RELEASED = "released"
    ASSIGNED = "assigned"
    DOWNLOADED = "downloaded"
    ACCEPTED = "accepted"
    STARTED = "started"
    PAUSED = "paused"
    DONE = "done"  # what the laptop knows
    SUBMITTED = "submitted"  # what the centre has acknowledged
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    EXPORTED = "exported"
    CLOSED = "closed"
    DECLINED = "declined"
    CANNOT_COMPLETE = "cannot_complete"
    TRIAGE = "triage"
    PARTLY_DONE = "partly_done"
    REJECTED = "rejected"
    RECALL_REQUESTED = "recall_requested"
    RECALLED = "recalled"
    RETURNED = "returned_to_utility"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class WorkOrder(Base):
    """What a technician is sent to do.

    ``epoch`` counts assignments: a result of an older epoch is late.  ``step`` names the step to
    resume at.  ``verdict`` is "" until the procedure has run to its end.
    """

    __tablename__ = "work_order"
    __table_args__ = (
        # Orders that no other system knows have no reference, and may be many.
        Index(
            "uq_work_order_reference",
            "source",
            "external_ref",
            unique=True,
            sqlite_where=text("external_ref <> ''"),
        ),
        Index("ix_work_order_list", "state", "priority", "due"),
        # Sorting all orders reads an index from end to end; without a day they come last.  The
        # state and the area are there so that a choice of them needs no look at the rows.
        Index("ix_work_order_urgent", "priority", text("(due IS NULL)"), "due", "state", "area"),
        Index("ix_work_order_title", "title", "state"),
        Index("ix_work_order_counted", text("length(number)"), "number"),
    )

    order_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    number: Mapped[str] = mapped_column(index=True)  # what people call it: "1043"
    source: Mapped[str] = mapped_column(default="")
    external_ref: Mapped[str] = mapped_column(default="")
    kind: Mapped[str] = mapped_column(default="commission")  # order type: install, read_out ...
    title: Mapped[str] = mapped_column(default="")
    state: Mapped[str] = mapped_column(default=OrderState.ACCEPTED)
    queue: Mapped[str] = mapped_column(default="")
    area: Mapped[str] = mapped_column(default="")
    assignee: Mapped[str] = mapped_column(default="")  # laptop
    epoch: Mapped[int] = mapped_column(default=1)
    revision: Mapped[int] = mapped_column(default=1)
    priority: Mapped[int] = mapped_column(default=3)  # 1 is the most urgent
    due: Mapped[date | None] = mapped_column(Date, default=None)
    window_from: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    window_to: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    site_id: Mapped[str | None] = mapped_column(ForeignKey("site.site_id"), default=None)
    usage_point_id: Mapped[str | None] = mapped_column(
        ForeignKey("usage_point.usage_point_id"), default=None
    )
    customer_id: Mapped[str | None] = mapped_column(
        ForeignKey("customer.customer_id"), default=None
    )
    meter_serial: Mapped[str] = mapped_column(default="", index=True)  # the meter expected
    utility_serial: Mapped[str] = mapped_column(default="")
    meter_type: Mapped[str] = mapped_column(default="")
    procedure: Mapped[str] = mapped_column(default="commission")
    procedure_version: Mapped[int] = mapped_column(default=0)  # 0 until started
    limit_pack: Mapped[str] = mapped_column(default="generic-230v")
    note: Mapped[str] = mapped_column(default="")
    search: Mapped[str] = mapped_column(default="")  # folded text of everything people search by
    step: Mapped[str] = mapped_column(default="")
    steps_done: Mapped[int] = mapped_column(default=0)
    steps_total: Mapped[int] = mapped_column(default=0)
    verdict: Mapped[str] = mapped_column(default="")
    report_sha256: Mapped[str] = mapped_column(default="")
    rework: Mapped[str] = mapped_column(default="")  # why a verifier sent it back
    events_purged: Mapped[int] = mapped_column(default=0)  # journal rows past their retention
    created: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    updated: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    started: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    ended: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class StepResult(Base):
    """One step of one order: its state and what it found, durable as it ends."""

    __tablename__ = "step_result"
    __table_args__ = (UniqueConstraint("order_id", "step"),)

    step_result_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"))
    step: Mapped[str]
    state: Mapped[str] = mapped_column(default="open")  # open, running, done, skipped, failed
    verdict: Mapped[str] = mapped_column(default="")
    value: Mapped[Any] = mapped_column(Json, default=None, nullable=True)
    skip_reason: Mapped[str] = mapped_column(default="")
    started: Mapped[datetime | None] = mapped_column(UtcTime, default=None)
    ended: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class Draft(Base):
    """One answered question of a running step: its own transaction, gone when the step ends."""

    __tablename__ = "draft"

    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)  # "identify.serial"
    value: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class CheckResult(Base):
    """One check of one order: ``body`` is a `app.workorders.checks.Check` as plain data."""

    __tablename__ = "check_result"
    __table_args__ = (UniqueConstraint("order_id", "check_id"),)

    check_result_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"))
    check_id: Mapped[str]
    position: Mapped[int]
    verdict: Mapped[str]
    body: Mapped[Any] = mapped_column(Json)
    at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class MeterCommand(Base):
    """A write to a meter: the intent before the first byte, the outcome after.

    No ``outcome`` means the program ended in between: read back before anything else.
    """

    __tablename__ = "meter_command"

    command_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"), index=True)
    step: Mapped[str]
    kind: Mapped[str]  # set_clock, relay, token ...
    before: Mapped[str] = mapped_column(default="")
    wanted: Mapped[str] = mapped_column(default="")
    read_back: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str] = mapped_column(default="")  # done, refused, unknown
    intended: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
    ended: Mapped[datetime | None] = mapped_column(UtcTime, default=None)


class Incident(Base):
    """Why an order could not be completed."""

    __tablename__ = "incident"

    incident_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"), index=True)
    code: Mapped[str]  # "ACCESS.no_access"
    note: Mapped[str] = mapped_column(default="")
    step: Mapped[str] = mapped_column(default="")
    at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class Seal(Base):
    """A seal put on or taken off."""

    __tablename__ = "seal"

    seal_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"), index=True)
    position: Mapped[str]
    kind: Mapped[str] = mapped_column(default="")
    number: Mapped[str] = mapped_column(default="")
    removed: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)


class Attachment(Base):
    """A file that belongs to an order: photo, report, trace.  The bytes lie beside the database."""

    __tablename__ = "attachment"

    attachment_id: Mapped[str] = mapped_column(primary_key=True, default_factory=new_id)
    order_id: Mapped[str] = mapped_column(ForeignKey("work_order.order_id"), index=True)
    kind: Mapped[str]  # photo, report, signature
    sha256: Mapped[str]
    size: Mapped[int]
    mime: Mapped[str]
    path: Mapped[str]  # below the data folder
    caption: Mapped[str] = mapped_column(default="")
    body: Mapped[Any] = mapped_column(
        Json, default=None, nullable=True
    )  # signature: role, name, strokes
    at: Mapped[datetime] = mapped_column(UtcTime, default_factory=utc_now)
