"""Indexes for sorting a million orders by urgency and by place."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes; the rows stay as they are."""
    op.create_index(
        "ix_work_order_urgent", "work_order", ["priority", sa.text("(due IS NULL)"), "due"]
    )
    op.create_index("ix_work_order_title", "work_order", ["title"])
