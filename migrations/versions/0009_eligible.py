"""Who may be booked: the visits that the index knows, the answers on how a child is, and both with the appointment."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "screen_results",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.String(40), nullable=False),
        sa.Column("answers", sa.LargeBinary(), nullable=False),
        sa.Column("level", sa.String(14), nullable=False),
        sa.Column("rules", postgresql.JSONB(), nullable=False),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "level in ('fine', 'doctor-decides', 'hospital-today', 'emergency')", name=op.f("ck_screen_results_level")
        ),
        sa.CheckConstraint(
            "(level in ('fine', 'doctor-decides')) = (good_until is not null)",
            name=op.f("ck_screen_results_good_until"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_screen_results_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_screen_results_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_screen_results")),
    )
    op.create_index(op.f("ix_screen_results_account_id"), "screen_results", ["account_id"])
    op.create_index(op.f("ix_screen_results_patient_id_at"), "screen_results", ["patient_id", "at"])
    op.add_column(
        "appointments", sa.Column("evidence", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    op.add_column("appointments", sa.Column("screen_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_appointments_screen_id"), "appointments", ["screen_id"])
    op.create_foreign_key(op.f("fk_appointments_screen_id"), "appointments", "screen_results", ["screen_id"], ["id"])
    for table, column in (("index_entries", "visits"), ("patients", "seen")):
        op.add_column(table, sa.Column(column, postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False))
    op.alter_column("index_entries", "last_visit_on", existing_type=sa.Date(), nullable=True)
    op.add_column("patients", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("patients", "seen_at")
    op.execute("update index_entries set last_visit_on = birth_date where last_visit_on is null")
    op.alter_column("index_entries", "last_visit_on", existing_type=sa.Date(), nullable=False)
    for table, column in (("patients", "seen"), ("index_entries", "visits")):
        op.drop_column(table, column)
    op.drop_constraint(op.f("fk_appointments_screen_id"), "appointments", type_="foreignkey")
    op.drop_index(op.f("ix_appointments_screen_id"), "appointments")
    op.drop_column("appointments", "screen_id")
    op.drop_column("appointments", "evidence")
    op.drop_table("screen_results")
