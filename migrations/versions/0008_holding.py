"""Numbers are held until they are paid; one may replace another; a doctor may be late or replaced."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

HOLDS = "status in ('pending', 'booked', 'arrived', 'fulfilled', 'noshow')"
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
STATUSES = ("pending", "booked", "arrived", "fulfilled", "cancelled", "noshow")


def _one_of(column: str, values: tuple[str, ...]) -> str:
    return f"{column} in ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    op.add_column("schedules", sa.Column("delay_minutes", sa.Integer(), server_default="0", nullable=False))
    op.add_column("schedules", sa.Column("stands_in_for_id", sa.Uuid(), nullable=True))
    op.create_check_constraint(op.f("ck_schedules_delay_minutes"), "schedules", "delay_minutes between 0 and 720")
    op.create_index(op.f("ix_schedules_stands_in_for_id"), "schedules", ["stands_in_for_id"])
    op.create_foreign_key(
        op.f("fk_schedules_stands_in_for_id"), "schedules", "practitioners", ["stands_in_for_id"], ["id"]
    )
    op.add_column("appointments", sa.Column("fee_fen", sa.Integer(), nullable=True))
    op.execute("update appointments set fee_fen = s.fee_fen from schedules s where s.id = appointments.schedule_id")
    op.alter_column("appointments", "fee_fen", nullable=False)
    op.add_column("appointments", sa.Column("hold_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("appointments", sa.Column("payment_id", sa.Uuid(), nullable=True))
    op.add_column("appointments", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.alter_column("appointments", "cancel_reason", type_=sa.String(11), existing_nullable=True)
    op.drop_constraint(op.f("ck_appointments_status"), "appointments")
    op.create_check_constraint(op.f("ck_appointments_status"), "appointments", _one_of("status", STATUSES))
    op.create_check_constraint(op.f("ck_appointments_cancel_reason"), "appointments", _one_of("cancel_reason", REASONS))
    op.create_check_constraint(op.f("ck_appointments_fee_fen"), "appointments", "fee_fen >= 0")
    op.create_check_constraint(
        op.f("ck_appointments_hold_until"), "appointments", "(status = 'pending') = (hold_until is not null)"
    )
    op.create_unique_constraint(op.f("uq_appointments_payment_id"), "appointments", ["payment_id"])
    op.create_foreign_key(op.f("fk_appointments_payment_id"), "appointments", "payments", ["payment_id"], ["id"])
    op.create_foreign_key(op.f("fk_appointments_replaces_id"), "appointments", "appointments", ["replaces_id"], ["id"])
    op.create_index(op.f("ix_appointments_replaces_id"), "appointments", ["replaces_id"])
    op.create_index(
        "ix_appointments_hold", "appointments", ["hold_until"], postgresql_where=sa.text("hold_until is not null")
    )
    op.drop_index("uq_appointments_child_day", "appointments")
    op.create_index(
        "uq_appointments_child_day",
        "appointments",
        ["patient_id", "department_id", "day"],
        unique=True,
        postgresql_where=sa.text(f"{HOLDS} and (status <> 'pending' or replaces_id is null)"),
    )


def downgrade() -> None:
    op.drop_index("uq_appointments_child_day", "appointments")
    op.create_index(
        "uq_appointments_child_day",
        "appointments",
        ["patient_id", "department_id", "day"],
        unique=True,
        postgresql_where=sa.text(HOLDS),
    )
    op.drop_constraint(op.f("ck_appointments_hold_until"), "appointments")
    op.drop_constraint(op.f("ck_appointments_cancel_reason"), "appointments")
    op.drop_constraint(op.f("ck_appointments_status"), "appointments")
    op.create_check_constraint(
        op.f("ck_appointments_status"), "appointments", _one_of("status", (*STATUSES, "waitlist"))
    )
    op.alter_column("appointments", "cancel_reason", type_=sa.String(40), existing_nullable=True)
    for column in ("replaces_id", "payment_id", "hold_until", "fee_fen"):
        op.drop_column("appointments", column)
    op.drop_column("schedules", "stands_in_for_id")
    op.drop_column("schedules", "delay_minutes")
