"""The tables of a central store in one SQLite file."""

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from app.models.base import UtcTime

VERSION = 2
TENANT = "main"

METADATA = MetaData()

CENTRE = Table(
    "centre",
    METADATA,
    Column("centre_id", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("version", Integer, nullable=False),
)
DEVICE = Table(
    "device",
    METADATA,
    Column("device_id", Text, primary_key=True),
    Column("name", Text, nullable=False, default=""),
    Column("mail_head", Integer, nullable=False, default=0),
    Column("mail_acked", Integer, nullable=False, default=0),
    Column("revoked", Boolean, nullable=False, default=False),
    Column("client_build", Text, nullable=False, default=""),
    Column("last_seen", UtcTime),
)
INCARNATION = Table(
    "incarnation",
    METADATA,
    Column("device_id", Text, nullable=False),
    Column("incarnation", Integer, nullable=False),
    Column("last_seq", Integer, nullable=False, default=0),
    Column("alarm", Text, nullable=False, default=""),  # why it was begun; "" for the first
    Column("begun", UtcTime, nullable=False),
    PrimaryKeyConstraint("device_id", "incarnation"),
)
EVENT = Table(
    "event",
    METADATA,
    Column("position", Integer, primary_key=True, autoincrement=True),  # order of arrival
    Column("tenant_id", Text, nullable=False, default=TENANT),
    Column("device_id", Text, nullable=False),
    Column("incarnation", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("event_id", Text, nullable=False, index=True),
    Column("order_id", Text, nullable=False, index=True),
    Column("epoch", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("schema_v", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("wall", UtcTime, nullable=False),
    Column("mono_ns", Integer, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("hlc", Integer, nullable=False),
    Column("offset_s", Float),
    Column("verdict", Text, nullable=False),
    Column("received_at", UtcTime, nullable=False),
    UniqueConstraint("device_id", "incarnation", "seq"),
    sqlite_autoincrement=True,
)
REVIEW = Table(
    "review",
    METADATA,
    Column("event_position", Integer, primary_key=True),
    Column("verdict", Text, nullable=False),
    Column("opened", UtcTime, nullable=False),
    Column("closed", UtcTime),
    Column("closed_by", Text, nullable=False, default=""),
    Column("decision", Text, nullable=False, default=""),
    Column("reason", Text, nullable=False, default=""),
    Index("ix_review_open", "event_position", sqlite_where=text("closed IS NULL")),
)
MAIL = Table(
    "mail",
    METADATA,
    Column("device_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("device_id", "seq"),
)
ORDER = Table(
    "work_order",
    METADATA,
    Column("tenant_id", Text, nullable=False, default=TENANT),
    Column("order_id", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("external_ref", Text),
    Column("kind", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("assignee", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("due", Text, nullable=False),
    Column("completed", Boolean, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("report_sha256", Text, nullable=False),
    Column("worker", Text, nullable=False),
    Column("ended", Text, nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "order_id"),
    UniqueConstraint("tenant_id", "source", "external_ref"),
    Index("ix_work_order_queue", "tenant_id", "queue", "state", "priority", "due"),
    Index("ix_work_order_assignee", "assignee"),
)
BLOB = Table(
    "blob",
    METADATA,
    Column("sha256", Text, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("mime", Text, nullable=False),
    Column("received", Integer, nullable=False, default=0),
    Column("complete", Boolean, nullable=False, default=False),
)
BLOB_CHUNK = Table(
    "blob_chunk",
    METADATA,
    Column("sha256", Text, nullable=False),
    Column("ix", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("sha256", "ix"),
)

# One row a meter, channel, day and unbroken run; see `app.centre.readings`.
READING_DAY = Table(
    "reading_day",
    METADATA,
    Column("tenant_id", Text, nullable=False, default=TENANT),
    Column("meter", Text, nullable=False),
    Column("obis", Text, nullable=False),
    Column("attribute", Integer, nullable=False),
    Column("unit", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("capture_id", Text, nullable=False),
    Column("first_s", Integer, nullable=False),
    Column("step_s", Integer, nullable=False),
    Column("v0", Integer, nullable=False),
    Column("delta", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("scaler", Integer, nullable=False),
    PrimaryKeyConstraint(
        "tenant_id", "meter", "obis", "attribute", "unit", "day", "capture_id", "first_s"
    ),
)
READING_TODO = Table(
    "reading_todo",  # profile events whose readings are not in reading_day yet
    METADATA,
    Column("position", Integer, primary_key=True),
)
