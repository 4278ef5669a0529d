"""Pictures that guardians send for a visit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATUSES = ("preparation", "completed", "entered-in-error")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "media",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status", sa.Enum(*STATUSES, name="status", native_enum=False, create_constraint=True), nullable=False
        ),
        sa.Column("file_name", sa.String(length=32), nullable=False),
        sa.Column("content_type", sa.String(length=40), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("message", sa.LargeBinary(length=32), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("width > 0 and height > 0 and size > 0", name=op.f("ck_media_size")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_media_account_id")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_media_appointment_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_media_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("file_name", name=op.f("uq_media_file_name")),
        sa.UniqueConstraint("message", name=op.f("uq_media_message")),
    )
    for column in ("appointment_id", "patient_id", "account_id"):
        op.create_index(op.f(f"ix_media_{column}"), "media", [column])
    kept = sa.text("status <> 'entered-in-error'")
    op.create_index("uq_media_once", "media", ["appointment_id", "sha256"], unique=True, postgresql_where=kept)
    op.create_index("ix_media_unkept", "media", ["received_at"], postgresql_where=sa.text("status <> 'completed'"))


def downgrade() -> None:
    """Drop the table; the files stay in their store."""
    op.drop_table("media")
