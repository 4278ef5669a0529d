"""Clinics are stopped and taken back; what parents were told of a delay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clinic_stops",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column(
            "first_period",
            sa.Enum("morning", "afternoon", name="first_period", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column(
            "last_period",
            sa.Enum("morning", "afternoon", name="last_period", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "doctor",
                "duty",
                "technical",
                "control",
                "closed",
                "other",
                name="reason",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("planned", "running", "done", "lifted", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("periods", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("last_day >= first_day", name=op.f("ck_clinic_stops_days")),
        sa.ForeignKeyConstraint(["author_id"], ["practitioners.id"], name=op.f("fk_clinic_stops_author_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_clinic_stops_department_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_clinic_stops_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic_stops")),
    )
    op.create_index(op.f("ix_clinic_stops_author_id"), "clinic_stops", ["author_id"], unique=False)
    op.create_index(op.f("ix_clinic_stops_department_id_id"), "clinic_stops", ["department_id", "id"], unique=False)
    op.create_index(op.f("ix_clinic_stops_last_day"), "clinic_stops", ["last_day"], unique=False)
    op.create_index(op.f("ix_clinic_stops_practitioner_id"), "clinic_stops", ["practitioner_id"], unique=False)
    op.add_column("schedules", sa.Column("delay_told", sa.Integer(), server_default="0", nullable=False))
    op.add_column("schedules", sa.Column("stop_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_schedules_stop_id"), "schedules", ["stop_id"], unique=False)
    op.create_foreign_key(op.f("fk_schedules_stop_id"), "schedules", "clinic_stops", ["stop_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_schedules_stop_id"), "schedules", type_="foreignkey")
    op.drop_index(op.f("ix_schedules_stop_id"), table_name="schedules")
    op.drop_column("schedules", "stop_id")
    op.drop_column("schedules", "delay_told")
    op.drop_index(op.f("ix_clinic_stops_practitioner_id"), table_name="clinic_stops")
    op.drop_index(op.f("ix_clinic_stops_last_day"), table_name="clinic_stops")
    op.drop_index(op.f("ix_clinic_stops_department_id_id"), table_name="clinic_stops")
    op.drop_index(op.f("ix_clinic_stops_author_id"), table_name="clinic_stops")
    op.drop_table("clinic_stops")
