"""Missed visits and what follows from them; numbers that changed hands too quickly; refusals found by day and rule."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

FOREIGN = {
    "suspensions": {
        "patient_id": "patients",
        "account_id": "accounts",
        "appointment_id": "appointments",
        "appealed_by_id": "accounts",
        "decided_by_id": "practitioners",
    },
    "suspicions": {
        "giver_id": "accounts",
        "taker_id": "accounts",
        "given_id": "appointments",
        "taken_id": "appointments",
    },
}
INDEXES = {
    "suspensions": (("account_id", "until"), ("patient_id", "until"), ("appealed_by_id",), ("decided_by_id",)),
    "suspicions": (("giver_id", "at"), ("taker_id", "at"), ("given_id",)),
}
PARTIAL = {
    "ix_appointments_final": ("appointments", ["final_at"], "final_at is not null"),
    "ix_slots_kept": ("slots", ["kept_until"], "kept_until is not null"),
    "ix_audit_events_refused": ("audit_events", ["at", "id"], "outcome <> 'done'"),
    "ix_audit_events_refused_by": ("audit_events", ["outcome", "at", "id"], "outcome <> 'done'"),
}
LATER = {"appointments": ("final_at", "excused_at"), "slots": ("kept_until",)}


def upgrade() -> None:
    op.create_table(
        "suspensions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("missed", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("appeal", sa.LargeBinary(), nullable=True),
        sa.Column("appealed_by_id", sa.Uuid(), nullable=True),
        sa.Column("appealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("num_nonnulls(patient_id, account_id) = 1", name=op.f("ck_suspensions_subject")),
        sa.CheckConstraint("until > since", name=op.f("ck_suspensions_until")),
        sa.CheckConstraint("missed >= 1", name=op.f("ck_suspensions_missed")),
        sa.CheckConstraint("status in ('active', 'appealed', 'upheld', 'lifted')", name=op.f("ck_suspensions_status")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspensions")),
    )
    for subject in ("patient", "account"):
        columns = ["appointment_id", f"{subject}_id"]
        op.create_index(f"uq_suspensions_{subject}", "suspensions", columns, unique=True)
    op.create_table(
        "suspicions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("giver_id", sa.Uuid(), nullable=False),
        sa.Column("taker_id", sa.Uuid(), nullable=False),
        sa.Column("given_id", sa.Uuid(), nullable=False),
        sa.Column("taken_id", sa.Uuid(), nullable=False),
        sa.Column("why", sa.String(20), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suspicions")),
        sa.UniqueConstraint("taken_id", name=op.f("uq_suspicions_taken_id")),
    )
    for table, keys in FOREIGN.items():
        for column, other in keys.items():
            op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, other, [column], ["id"])
    for table, indexes in INDEXES.items():
        for indexed in indexes:
            op.create_index(op.f(f"ix_{table}_{'_'.join(indexed)}"), table, list(indexed))
    for table, added in LATER.items():
        for column in added:
            op.add_column(table, sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    for name, (table, columns, where) in PARTIAL.items():
        op.create_index(name, table, columns, postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, (table, _, _) in PARTIAL.items():
        op.drop_index(name, table)
    for table, added in LATER.items():
        for column in added:
            op.drop_column(table, column)
    op.drop_table("suspicions")
    op.drop_table("suspensions")
