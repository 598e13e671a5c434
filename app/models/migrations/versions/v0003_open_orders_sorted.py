"""Indexes that sort a million orders by number, and the open ones without a look at the rows."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put state and area into the indexes and make another; the rows stay as they are."""
    op.drop_index("ix_work_order_urgent", "work_order")
    op.drop_index("ix_work_order_title", "work_order")
    op.create_index(
        "ix_work_order_urgent",
        "work_order",
        ["priority", sa.text("(due IS NULL)"), "due", "state", "area"],
    )
    op.create_index("ix_work_order_title", "work_order", ["title", "state"])
    op.create_index("ix_work_order_counted", "work_order", [sa.text("length(number)"), "number"])
