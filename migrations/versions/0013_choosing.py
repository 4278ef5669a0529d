"""Numbers that are kept back, the rights to them, and the doctors whom parents marked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FREE = "status = 'free'"
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.alter_column("slots", "pool", server_default="open")
    op.drop_index("ix_slots_free", "slots")
    op.create_index("ix_slots_free", "slots", ["schedule_id", "pool", "number"], postgresql_where=sa.text(FREE))
    op.create_index(
        "ix_slots_pool", "slots", ["pool", "schedule_id"], postgresql_where=sa.text(f"{FREE} and pool <> 'open'")
    )
    _rights()
    op.create_table(
        "favourites",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "practitioner_id", name=op.f("pk_favourites")),
        _key("favourites", "account_id", "accounts"),
        _key("favourites", "practitioner_id", "practitioners"),
    )
    op.create_index(op.f("ix_favourites_practitioner_id"), "favourites", ["practitioner_id"])


def _rights() -> None:
    op.create_table(
        "followup_grants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("granted_at", MOMENT, nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_followup_grants")),
        _key("followup_grants", "patient_id", "patients"),
        _key("followup_grants", "practitioner_id", "practitioners"),
        _key("followup_grants", "department_id", "departments"),
        _key("followup_grants", "appointment_id", "appointments"),
    )
    child = ["practitioner_id", "department_id", "patient_id"]
    op.create_index("uq_followup_grants_child", "followup_grants", child, unique=True)
    for column in ("patient_id", "department_id", "appointment_id"):
        op.create_index(op.f(f"ix_followup_grants_{column}"), "followup_grants", [column])
    op.create_table(
        "area_declarations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("area", sa.String(100), nullable=False),
        sa.Column("declared_at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area_declarations")),
        sa.CheckConstraint("area <> ''", name=op.f("ck_area_declarations_area")),
        _key("area_declarations", "patient_id", "patients"),
        _key("area_declarations", "account_id", "accounts"),
    )
    op.create_index(op.f("ix_area_declarations_patient_id_until"), "area_declarations", ["patient_id", "until"])
    op.create_index(op.f("ix_area_declarations_account_id"), "area_declarations", ["account_id"])


def _key(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def downgrade() -> None:
    for table in ("favourites", "area_declarations", "followup_grants"):
        op.drop_table(table)
    op.drop_index("ix_slots_pool", "slots")
    op.drop_index("ix_slots_free", "slots")
    op.alter_column("slots", "pool", server_default=None)
    op.create_index("ix_slots_free", "slots", ["schedule_id", "number"], postgresql_where=sa.text(FREE))
