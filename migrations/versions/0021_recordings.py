"""Recordings of visits and their pieces; the consent to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


KINDS = "kind in ('online-care', 'child-data'{more})"


def upgrade() -> None:
    op.drop_constraint("ck_consents_kind", "consents")
    op.create_check_constraint(op.f("ck_consents_kind"), "consents", KINDS.format(more=", 'recording'"))
    op.create_table(
        "recordings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "guardian",
                "practitioner",
                "second-guardian",
                "second-practitioner",
                name="role",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("content_type", sa.String(length=80), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "why",
            sa.Enum(
                "over",
                "nothing",
                "unsupported",
                "broken",
                "lost",
                name="why",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("pieces", sa.Integer(), nullable=True),
        sa.Column("size", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.CheckConstraint("(ended_at is null) = (why is null)", name=op.f("ck_recordings_ended")),
        sa.CheckConstraint("size >= 0 and pieces >= 0", name=op.f("ck_recordings_counts")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_recordings_account_id")),
        sa.ForeignKeyConstraint(["encounter_id"], ["encounters.id"], name=op.f("fk_recordings_encounter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recordings")),
    )
    op.create_index(op.f("ix_recordings_account_id"), "recordings", ["account_id"], unique=False)
    op.create_index(op.f("ix_recordings_encounter_id_id"), "recordings", ["encounter_id", "id"], unique=False)
    op.create_index(op.f("ix_recordings_expires_on"), "recordings", ["expires_on"], unique=False)
    op.create_index(
        "ix_recordings_going_on",
        "recordings",
        ["started_at"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(op.f("ix_recordings_started_at_id"), "recordings", ["started_at", "id"], unique=False)
    op.create_table(
        "recording_chunks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recording_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("n >= 0 and size > 0", name=op.f("ck_recording_chunks_counts")),
        sa.ForeignKeyConstraint(["recording_id"], ["recordings.id"], name=op.f("fk_recording_chunks_recording_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording_chunks")),
        sa.UniqueConstraint("file_name", name=op.f("uq_recording_chunks_file_name")),
        sa.UniqueConstraint("recording_id", "n", name=op.f("uq_recording_chunks_recording_id_n")),
    )
    op.create_index(
        "ix_recording_chunks_left",
        "recording_chunks",
        ["received_at"],
        unique=False,
        postgresql_where=sa.text("kept_at is null"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_recording_chunks_left", table_name="recording_chunks", postgresql_where=sa.text("kept_at is null")
    )
    op.drop_table("recording_chunks")
    op.drop_index(op.f("ix_recordings_started_at_id"), table_name="recordings")
    op.drop_index("ix_recordings_going_on", table_name="recordings", postgresql_where=sa.text("ended_at is null"))
    op.drop_index(op.f("ix_recordings_expires_on"), table_name="recordings")
    op.drop_index(op.f("ix_recordings_encounter_id_id"), table_name="recordings")
    op.drop_index(op.f("ix_recordings_account_id"), table_name="recordings")
    op.drop_table("recordings")
    op.execute("delete from consents where kind = 'recording'")
    op.drop_constraint("ck_consents_kind", "consents")
    op.create_check_constraint(op.f("ck_consents_kind"), "consents", KINDS.format(more=""))
