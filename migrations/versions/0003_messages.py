"""Messages: unknown and dropped ones, text messages, groups, and what people do not want to hear."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATUSES = ("queued", "sending", "sent", "delivered", "failed")
OPEN = "status in ('queued', 'sending') or (status = 'unknown' and due_at is not null)"


def upgrade() -> None:
    """Widen the states, add the columns, and set the partial indexes anew."""
    op.create_table(
        "muted_messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_muted_messages_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_muted_messages")),
        sa.UniqueConstraint("account_id", "message", name=op.f("uq_muted_messages_account_id_message")),
    )
    op.add_column("notifications", sa.Column("unknown_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("notifications", sa.Column("phone", sa.LargeBinary(), nullable=True))
    op.add_column("notifications", sa.Column("joined_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_notifications_joined_id"), "notifications", "notifications", ["joined_id"], ["id"])
    op.create_index(op.f("ix_notifications_joined_id"), "notifications", ["joined_id"])
    op.alter_column("notifications", "due_at", nullable=True)
    _states((*STATUSES, "unknown", "dropped"))
    _indexes("status in ('queued', 'unknown')", OPEN)
    op.create_index(
        "uq_notifications_text_once",
        "notifications",
        ["message", "source_id", "occasion"],
        unique=True,
        postgresql_where=sa.text("phone is not null"),
    )


def downgrade() -> None:
    """Back to what 0001 knows; messages in a state that it does not know have failed."""
    op.execute("update notifications set status = 'failed' where status in ('unknown', 'dropped')")
    op.execute("update notifications set due_at = created_at where due_at is null")
    op.drop_index("uq_notifications_text_once", "notifications")
    _indexes("status = 'queued'", "status in ('queued', 'sending')")
    _states(STATUSES)
    op.alter_column("notifications", "due_at", nullable=False)
    op.drop_index(op.f("ix_notifications_joined_id"), "notifications")
    for column in ("joined_id", "phone", "unknown_since"):
        op.drop_column("notifications", column)
    op.drop_table("muted_messages")


def _states(values: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_notifications_status"), "notifications")
    listed = ", ".join(f"'{value}'" for value in values)
    op.create_check_constraint(op.f("ck_notifications_status"), "notifications", f"status in ({listed})")


def _indexes(due: str, waiting: str) -> None:
    for name, columns, where in (
        ("ix_notifications_due", ["due_at", "id"], due),
        ("ix_notifications_open", ["account_id", "id"], waiting),
    ):
        op.drop_index(name, "notifications")
        op.create_index(name, "notifications", columns, postgresql_where=sa.text(where))
