"""The waiting list of a full period; an offered number may lapse."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

REASONS = (
    "parent",
    "unpaid",
    "declined",
    "rescheduled",
    "worsened",
    "triage",
    "technical",
    "delayed",
    "replaced",
    "suspended",
    "conflict",
)


def _allow(reasons: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_appointments_cancel_reason"), "appointments")
    allowed = ", ".join(repr(reason) for reason in reasons)
    op.create_check_constraint(op.f("ck_appointments_cancel_reason"), "appointments", f"cancel_reason in ({allowed})")


def upgrade() -> None:
    _allow((*REASONS[:3], "lapsed", *REASONS[3:]))
    op.create_table(
        "waiting_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "offered",
                "accepted",
                "declined",
                "lapsed",
                "left",
                "closed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=8,
            ),
            nullable=False,
        ),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "status not in ('offered', 'accepted') or appointment_id is not null",
            name=op.f("ck_waiting_entries_offered"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_waiting_entries_account_id")),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointments.id"], name=op.f("fk_waiting_entries_appointment_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_waiting_entries_patient_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=op.f("fk_waiting_entries_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_entries")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_waiting_entries_appointment_id")),
    )
    op.create_index(op.f("ix_waiting_entries_account_id"), "waiting_entries", ["account_id"], unique=False)
    op.create_index(
        "ix_waiting_entries_next",
        "waiting_entries",
        ["schedule_id", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "ix_waiting_entries_over",
        "waiting_entries",
        ["closes_at"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "uq_waiting_entries_child",
        "waiting_entries",
        ["patient_id", "schedule_id"],
        unique=True,
        postgresql_where=sa.text("status in ('waiting', 'offered')"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_waiting_entries_child",
        table_name="waiting_entries",
        postgresql_where=sa.text("status in ('waiting', 'offered')"),
    )
    op.drop_index(
        "ix_waiting_entries_over", table_name="waiting_entries", postgresql_where=sa.text("status = 'waiting'")
    )
    op.drop_index(
        "ix_waiting_entries_next", table_name="waiting_entries", postgresql_where=sa.text("status = 'waiting'")
    )
    op.drop_index(op.f("ix_waiting_entries_account_id"), table_name="waiting_entries")
    op.drop_table("waiting_entries")
    op.execute("update appointments set cancel_reason = 'unpaid' where cancel_reason = 'lapsed'")
    _allow(REASONS)
