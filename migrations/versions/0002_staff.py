"""The staff: roles, invitations, sign-ins and the codes on computers' screens, tasks; not every member is a doctor."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "computer_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scene", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column("browser", sa.LargeBinary(length=32), nullable=False),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "shown",
                "scanned",
                "confirmed",
                "used",
                "spoilt",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_computer_codes_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_computer_codes")),
        sa.UniqueConstraint("scene", name=op.f("uq_computer_codes_scene")),
    )
    op.create_index(op.f("ix_computer_codes_account_id"), "computer_codes", ["account_id"], unique=False)
    op.create_index(op.f("ix_computer_codes_created_at"), "computer_codes", ["created_at"], unique=False)
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("scene", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=300), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "used", "expired", "cancelled", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_invitations_account_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_invitations_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("scene", name=op.f("uq_invitations_scene")),
    )
    op.create_index(op.f("ix_invitations_account_id"), "invitations", ["account_id"], unique=False)
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["practitioner_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "practitioner_roles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "doctor",
                "team-lead",
                "pharmacist",
                "dispatcher",
                "department-head",
                "administrator",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(role in ('team-lead', 'department-head')) = (department_id is not null)",
            name=op.f("ck_practitioner_roles_department"),
        ),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_practitioner_roles_department_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_practitioner_roles_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner_roles")),
    )
    op.create_index(op.f("ix_practitioner_roles_department_id"), "practitioner_roles", ["department_id"], unique=False)
    op.create_index(
        "uq_practitioner_roles_department",
        "practitioner_roles",
        ["practitioner_id", "role", "department_id"],
        unique=True,
    )
    op.create_index(
        "uq_practitioner_roles_everywhere",
        "practitioner_roles",
        ["practitioner_id", "role"],
        unique=True,
        postgresql_where=sa.text("department_id is null"),
    )
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("wechat", "computer", name="kind", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("device", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_sign_ins_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )
    op.create_index(op.f("ix_sign_ins_account_id"), "sign_ins", ["account_id"], unique=False)
    op.create_index(op.f("ix_sign_ins_expires_at"), "sign_ins", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sign_ins_practitioner_id"), "sign_ins", ["practitioner_id"], unique=False)
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("about", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "doctor",
                "team-lead",
                "pharmacist",
                "dispatcher",
                "department-head",
                "administrator",
                "auditor",
                name="role",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "done", "cancelled", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("role is not null or practitioner_id is not null", name=op.f("ck_tasks_owner")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_tasks_department_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_tasks_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
    )
    op.create_index(
        "ix_tasks_deadline", "tasks", ["deadline"], unique=False, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index(op.f("ix_tasks_department_id"), "tasks", ["department_id"], unique=False)
    op.create_index(op.f("ix_tasks_practitioner_id"), "tasks", ["practitioner_id"], unique=False)
    op.create_index(
        "uq_tasks_open", "tasks", ["kind", "subject_id"], unique=True, postgresql_where=sa.text("status = 'open'")
    )
    op.alter_column("practitioners", "department_id", existing_type=sa.Uuid(), nullable=True)
    op.alter_column("practitioners", "title", existing_type=sa.String(length=15), nullable=True)
    op.alter_column("practitioners", "licence", existing_type=sa.String(length=40), nullable=True)
    # Until now every practitioner was a doctor.
    op.execute(
        "insert into practitioner_roles (id, practitioner_id, role, granted_at) "
        "select gen_random_uuid(), id, 'doctor', now() from practitioners"
    )


def downgrade() -> None:
    raise NotImplementedError("roles and sign-ins would be lost")
