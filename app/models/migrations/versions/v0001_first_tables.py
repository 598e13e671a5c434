"""The tables of the first version; long because it lists every column once."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:  # noqa: PLR0915 - one statement a table
    """Make all tables."""
    op.create_table(
        "audit",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("chain", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit")),
    )
    op.create_table(
        "blob",
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sent_upto", sa.Integer(), nullable=False),
        sa.Column("verified_at", sa.Text(), nullable=True),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_blob")),
    )
    op.create_table(
        "customer",
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("tariff", sa.String(), nullable=False),
        sa.Column("agreed", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer")),
    )
    op.create_table(
        "inbox_raw",
        sa.Column("mail_seq", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("mail_seq", name=op.f("pk_inbox_raw")),
    )
    op.create_table(
        "laptop",
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("next_seq", sa.Integer(), nullable=False),
        sa.Column("centre_id", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("mail_cursor", sa.Integer(), nullable=False),
        sa.Column("clock_offset_s", sa.Double(), nullable=True),
        sa.Column("last_server_time", sa.Text(), nullable=True),
        sa.Column("hlc", sa.BigInteger(), nullable=False),
        sa.Column("read_back", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_laptop")),
    )
    op.create_table(
        "outbox",
        sa.Column("incarnation", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("schema_v", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("wall", sa.Text(), nullable=False),
        sa.Column("mono_ns", sa.BigInteger(), nullable=False),
        sa.Column("boot_id", sa.String(), nullable=False),
        sa.Column("hlc", sa.BigInteger(), nullable=False),
        sa.Column("offset_s", sa.Double(), nullable=True),
        sa.Column("acked_at", sa.Text(), nullable=True),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("incarnation", "seq", name=op.f("pk_outbox")),
        sa.UniqueConstraint("event_id", name=op.f("uq_outbox_event_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(
            "ix_outbox_open",
            ["incarnation", "seq"],
            unique=False,
            sqlite_where=sa.text("acked_at IS NULL"),
        )
        batch_op.create_index(batch_op.f("ix_outbox_order_id"), ["order_id"], unique=False)

    op.create_table(
        "site",
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("street", sa.String(), nullable=False),
        sa.Column("town", sa.String(), nullable=False),
        sa.Column("postcode", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("latitude", sa.Text(), nullable=True),
        sa.Column("longitude", sa.Text(), nullable=True),
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("hazards", sa.String(), nullable=False),
        sa.Column("containment", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", name=op.f("pk_site")),
    )
    with op.batch_alter_table("site", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_site_external_id"), ["external_id"], unique=False)

    op.create_table(
        "user",
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("full_name", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("areas", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user")),
        sa.UniqueConstraint("name", name=op.f("uq_user_name")),
    )
    op.create_table(
        "usage_point",
        sa.Column("usage_point_id", sa.String(), nullable=False),
        sa.Column("site_id", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=False),
        sa.Column("phases", sa.Integer(), nullable=False),
        sa.Column("fuse", sa.String(), nullable=False),
        sa.Column("ct_primary", sa.Text(), nullable=False),
        sa.Column("ct_secondary", sa.Text(), nullable=False),
        sa.Column("vt_primary", sa.Text(), nullable=False),
        sa.Column("vt_secondary", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_usage_point_site_id")),
        sa.PrimaryKeyConstraint("usage_point_id", name=op.f("pk_usage_point")),
    )
    with op.batch_alter_table("usage_point", schema=None) as batch_op:
        batch_op.create_index("ix_usage_point_external", ["external_id"], unique=False)

    op.create_table(
        "device",
        sa.Column("device_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("utility_serial", sa.String(), nullable=False),
        sa.Column("logical_device_name", sa.String(), nullable=False),
        sa.Column("manufacturer", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("meter_type", sa.String(), nullable=False),
        sa.Column("firmware", sa.String(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("usage_point_id", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["usage_point_id"],
            ["usage_point.usage_point_id"],
            name=op.f("fk_device_usage_point_id"),
        ),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device")),
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index("ix_device_serial", ["serial"], unique=False)

    op.create_table(
        "work_order",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("external_ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("queue", sa.String(), nullable=False),
        sa.Column("area", sa.String(), nullable=False),
        sa.Column("assignee", sa.String(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("window_from", sa.Text(), nullable=True),
        sa.Column("window_to", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Text(), nullable=True),
        sa.Column("site_id", sa.String(), nullable=True),
        sa.Column("usage_point_id", sa.String(), nullable=True),
        sa.Column("customer_id", sa.String(), nullable=True),
        sa.Column("meter_serial", sa.String(), nullable=False),
        sa.Column("utility_serial", sa.String(), nullable=False),
        sa.Column("meter_type", sa.String(), nullable=False),
        sa.Column("procedure", sa.String(), nullable=False),
        sa.Column("procedure_version", sa.Integer(), nullable=False),
        sa.Column("limit_pack", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("search", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("steps_done", sa.Integer(), nullable=False),
        sa.Column("steps_total", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("report_sha256", sa.String(), nullable=False),
        sa.Column("rework", sa.String(), nullable=False),
        sa.Column("events_purged", sa.Integer(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("updated", sa.Text(), nullable=False),
        sa.Column("started", sa.Text(), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.customer_id"], name=op.f("fk_work_order_customer_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.site_id"], name=op.f("fk_work_order_site_id")),
        sa.ForeignKeyConstraint(
            ["usage_point_id"],
            ["usage_point.usage_point_id"],
            name=op.f("fk_work_order_usage_point_id"),
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_work_order")),
    )
    with op.batch_alter_table("work_order", schema=None) as batch_op:
        batch_op.create_index("ix_work_order_list", ["state", "priority", "due"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_work_order_meter_serial"), ["meter_serial"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_work_order_number"), ["number"], unique=False)
        batch_op.create_index(
            "uq_work_order_reference",
            ["source", "external_ref"],
            unique=True,
            sqlite_where=sa.text("external_ref <> ''"),
        )

    op.create_table(
        "attachment",
        sa.Column("attachment_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("mime", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("caption", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_attachment_order_id")
        ),
        sa.PrimaryKeyConstraint("attachment_id", name=op.f("pk_attachment")),
    )
    with op.batch_alter_table("attachment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attachment_order_id"), ["order_id"], unique=False)

    op.create_table(
        "check_result",
        sa.Column("check_result_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("check_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_check_result_order_id")
        ),
        sa.PrimaryKeyConstraint("check_result_id", name=op.f("pk_check_result")),
        sa.UniqueConstraint("order_id", "check_id", name=op.f("uq_check_result_order_id_check_id")),
    )
    op.create_table(
        "draft",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_draft_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", "key", name=op.f("pk_draft")),
    )
    op.create_table(
        "event",
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("meter_serial", sa.String(), nullable=False),
        sa.Column("log", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_event_order_id")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_order_id"), ["order_id"], unique=False)

    op.create_table(
        "incident",
        sa.Column("incident_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_incident_order_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_order_id"), ["order_id"], unique=False)

    op.create_table(
        "meter_command",
        sa.Column("command_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("before", sa.String(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("read_back", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("intended", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_meter_command_order_id")
        ),
        sa.PrimaryKeyConstraint("command_id", name=op.f("pk_meter_command")),
    )
    with op.batch_alter_table("meter_command", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_meter_command_order_id"), ["order_id"], unique=False)

    op.create_table(
        "profile_segment",
        sa.Column("profile_segment_id", sa.String(), nullable=False),
        sa.Column("capture_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("meter_serial", sa.String(), nullable=False),
        sa.Column("obis", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("columns", sa.Text(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=True),
        sa.Column("last", sa.Text(), nullable=True),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_profile_segment_order_id")
        ),
        sa.PrimaryKeyConstraint("profile_segment_id", name=op.f("pk_profile_segment")),
    )
    with op.batch_alter_table("profile_segment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_profile_segment_order_id"), ["order_id"], unique=False)
        batch_op.create_index("ix_profile_segment_read", ["capture_id", "position"], unique=False)

    op.create_table(
        "reading",
        sa.Column("reading_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("meter_serial", sa.String(), nullable=False),
        sa.Column("moment", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("obis", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("history", sa.String(), nullable=True),
        sa.Column("time", sa.Text(), nullable=True),
        sa.Column("proof", sa.String(), nullable=False),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_reading_order_id")
        ),
        sa.PrimaryKeyConstraint("reading_id", name=op.f("pk_reading")),
    )
    with op.batch_alter_table("reading", schema=None) as batch_op:
        batch_op.create_index("ix_reading_meter", ["meter_serial", "obis", "read_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_reading_order_id"), ["order_id"], unique=False)

    op.create_table(
        "seal",
        sa.Column("seal_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_seal_order_id")
        ),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_seal")),
    )
    with op.batch_alter_table("seal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_order_id"), ["order_id"], unique=False)

    op.create_table(
        "step_result",
        sa.Column("step_result_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("skip_reason", sa.String(), nullable=False),
        sa.Column("started", sa.Text(), nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_step_result_order_id")
        ),
        sa.PrimaryKeyConstraint("step_result_id", name=op.f("pk_step_result")),
        sa.UniqueConstraint("order_id", "step", name=op.f("uq_step_result_order_id_step")),
    )
    op.create_table(
        "order_token",
        sa.Column("token_id", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("shown", sa.String(), nullable=False),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("token_class", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("amount", sa.Text(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("added", sa.Text(), nullable=False),
        sa.Column("entered", sa.Text(), nullable=True),
        sa.Column("purged", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_order_token_order_id")
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_order_token")),
        sa.UniqueConstraint(
            "order_id", "fingerprint", name=op.f("uq_order_token_order_id_fingerprint")
        ),
    )
    op.create_table(
        "vending_record",
        sa.Column("order_id", sa.String(), nullable=False),
        sa.Column("drn", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.Column("verified", sa.Text(), nullable=True),
        sa.Column("exported", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["order_id"], ["work_order.order_id"], name=op.f("fk_vending_record_order_id")
        ),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_vending_record")),
    )
    with op.batch_alter_table("vending_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vending_record_campaign"), ["campaign"], unique=False)
