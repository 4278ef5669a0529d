"""What a hospital with a long history is asked about: lists of appointments, children by phone and by name, a day's money."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _children()
    op.create_index("ix_appointments_listed", "appointments", ["status", "starts_at", "id"])
    op.create_index("ix_appointments_of_department", "appointments", ["department_id", "status", "starts_at", "id"])
    op.drop_index(op.f("ix_appointments_department_id"), "appointments")
    op.create_index(op.f("ix_ledger_entries_at"), "ledger_entries", ["at"])
    op.create_index(
        "ix_audit_events_look_ups",
        "audit_events",
        ["account_id", "at"],
        postgresql_where=sa.text("action = 'look-up'"),
    )


def _children() -> None:
    op.add_column("patients", sa.Column("name_blind", sa.LargeBinary(32), nullable=True))
    op.create_index("ix_patients_name", "patients", ["name_blind", "birth_date"])
    op.create_index("ix_patients_unkeyed", "patients", ["id"], postgresql_where=sa.text("name_blind is null"))
    op.create_table(
        "patient_phones",
        sa.Column("phone_blind", sa.LargeBinary(32), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("phone_blind", "patient_id", name=op.f("pk_patient_phones")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_patient_phones_patient_id")),
    )
    op.create_index(op.f("ix_patient_phones_patient_id"), "patient_phones", ["patient_id"])


def downgrade() -> None:
    op.drop_index("ix_audit_events_look_ups", "audit_events")
    op.drop_index(op.f("ix_ledger_entries_at"), "ledger_entries")
    op.create_index(op.f("ix_appointments_department_id"), "appointments", ["department_id"])
    op.drop_index("ix_appointments_of_department", "appointments")
    op.drop_index("ix_appointments_listed", "appointments")
    op.drop_table("patient_phones")
    op.drop_index("ix_patients_unkeyed", "patients")
    op.drop_index("ix_patients_name", "patients")
    op.drop_column("patients", "name_blind")
