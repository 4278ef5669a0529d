"""One-time notices: what people agreed to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "notice_agreements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notification_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notice_agreements_account_id")),
        sa.ForeignKeyConstraint(
            ["notification_id"], ["notifications.id"], name=op.f("fk_notice_agreements_notification_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_agreements")),
        sa.UniqueConstraint(
            "account_id", "template", "given_at", name=op.f("uq_notice_agreements_account_id_template_given_at")
        ),
        sa.UniqueConstraint("notification_id", name=op.f("uq_notice_agreements_notification_id")),
    )


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("notice_agreements")
