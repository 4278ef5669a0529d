"""The front door: people, booking, notifications, policy, states, and the job queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _queue(SchemaManager.get_schema())
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("unionid", sa.String(length=64), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=True),
        sa.Column("followed", sa.Boolean(), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("unfollowed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("openid", name=op.f("uq_accounts_openid")),
    )
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("outcome", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=40), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_events")),
    )
    op.create_index(op.f("ix_audit_events_account_id_id"), "audit_events", ["account_id", "id"], unique=False)
    op.create_index(op.f("ix_audit_events_entity_id_id"), "audit_events", ["entity_id", "id"], unique=False)
    op.create_table(
        "departments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("search", sa.String(length=200), nullable=False),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("treats", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("not_for", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
        sa.UniqueConstraint("code", name=op.f("uq_departments_code")),
    )
    op.create_table(
        "index_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("code_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column(
            "sex",
            sa.Enum("male", "female", "unknown", name="sex", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("phones", sa.LargeBinary(), nullable=False),
        sa.Column("last_visit_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_entries")),
        sa.UniqueConstraint("code_blind", name=op.f("uq_index_entries_code_blind")),
        sa.UniqueConstraint("number_blind", name=op.f("uq_index_entries_number_blind")),
    )
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column("code_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("number_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=False),
        sa.Column(
            "sex",
            sa.Enum("male", "female", "unknown", name="sex", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("code_blind", name=op.f("uq_patients_code_blind")),
        sa.UniqueConstraint("number_blind", name=op.f("uq_patients_number_blind")),
    )
    op.create_table(
        "policy_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("value", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("author", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policy_changes")),
    )
    op.create_index(
        op.f("ix_policy_changes_key_department_valid_from"),
        "policy_changes",
        ["key", "department", "valid_from"],
        unique=False,
    )
    op.create_table(
        "status_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("thing", sa.String(length=40), nullable=False),
        sa.Column("thing_id", sa.Uuid(), nullable=False),
        sa.Column("from_status", sa.String(length=32), nullable=False),
        sa.Column("to_status", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_changes")),
    )
    op.create_index(op.f("ix_status_changes_thing_id_id"), "status_changes", ["thing_id", "id"], unique=False)
    op.create_table(
        "bind_tries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("code_blind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_bind_tries_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bind_tries")),
    )
    op.create_index(op.f("ix_bind_tries_account_id_at"), "bind_tries", ["account_id", "at"], unique=False)
    op.create_index(op.f("ix_bind_tries_code_blind_at"), "bind_tries", ["code_blind", "at"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("online-care", "child-data", name="kind", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column(
            "decision",
            sa.Enum("permit", "deny", name="decision", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_consents_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_account_id_kind_id"), "consents", ["account_id", "kind", "id"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("occasion", sa.String(length=40), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("path", sa.String(length=200), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "delivered",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=60), nullable=True),
        sa.Column("channel_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notifications_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
    )
    op.create_index(op.f("ix_notifications_account_id"), "notifications", ["account_id"], unique=False)
    op.create_index(op.f("ix_notifications_channel_id"), "notifications", ["channel_id"], unique=False)
    op.create_index(
        "ix_notifications_due",
        "notifications",
        ["due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "ix_notifications_open",
        "notifications",
        ["account_id", "id"],
        unique=False,
        postgresql_where=sa.text("status in ('queued', 'sending')"),
    )
    op.create_index(
        "ix_notifications_sending",
        "notifications",
        ["claimed_at"],
        unique=False,
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_index(
        "uq_notifications_once", "notifications", ["message", "source_id", "account_id", "occasion"], unique=True
    )
    op.create_table(
        "practitioners",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "title",
            sa.Enum("chief", "associate-chief", "attending", name="title", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("speciality", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("licence", sa.String(length=40), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_practitioners_account_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_practitioners_department_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioners")),
        sa.UniqueConstraint("account_id", name=op.f("uq_practitioners_account_id")),
        sa.UniqueConstraint("code", name=op.f("uq_practitioners_code")),
    )
    op.create_index(op.f("ix_practitioners_department_id"), "practitioners", ["department_id"], unique=False)
    op.create_table(
        "related_persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column(
            "relation",
            sa.Enum(
                "mother", "father", "grandparent", "other", name="relation", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum("active", "frozen", "ended", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_related_persons_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_related_persons_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_related_persons")),
    )
    op.create_index(op.f("ix_related_persons_account_id"), "related_persons", ["account_id"], unique=False)
    op.create_index(op.f("ix_related_persons_patient_id"), "related_persons", ["patient_id"], unique=False)
    op.create_index(
        "uq_related_persons_bound",
        "related_persons",
        ["account_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'ended'"),
    )
    op.create_table(
        "rosters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column(
            "period",
            sa.Enum("morning", "afternoon", name="period", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=False),
        sa.Column("fee_fen", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.CheckConstraint("ends > starts", name=op.f("ck_rosters_hours")),
        sa.CheckConstraint("fee_fen >= 0", name=op.f("ck_rosters_fee_fen")),
        sa.CheckConstraint("quota between 1 and 200", name=op.f("ck_rosters_quota")),
        sa.CheckConstraint("weekday between 0 and 6", name=op.f("ck_rosters_weekday")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_rosters_department_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_rosters_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rosters")),
        sa.UniqueConstraint(
            "practitioner_id",
            "weekday",
            "period",
            "valid_from",
            name=op.f("uq_rosters_practitioner_id_weekday_period_valid_from"),
        ),
    )
    op.create_index(op.f("ix_rosters_department_id"), "rosters", ["department_id"], unique=False)
    op.create_index(op.f("ix_rosters_practitioner_id"), "rosters", ["practitioner_id"], unique=False)
    op.create_table(
        "schedules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "period",
            sa.Enum("morning", "afternoon", name="period", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fee_fen", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("active", "suspended", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.CheckConstraint("fee_fen >= 0", name=op.f("ck_schedules_fee_fen")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_schedules_department_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_schedules_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_schedules")),
        sa.UniqueConstraint("practitioner_id", "day", "period", name=op.f("uq_schedules_practitioner_id_day_period")),
    )
    op.create_index(
        op.f("ix_schedules_department_id_day_period"), "schedules", ["department_id", "day", "period"], unique=False
    )
    op.create_table(
        "slots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum("free", "busy-tentative", "busy", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_slots_number")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=op.f("fk_slots_schedule_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slots")),
        sa.UniqueConstraint("schedule_id", "number", name=op.f("uq_slots_schedule_id_number")),
    )
    op.create_index(
        "ix_slots_free", "slots", ["schedule_id", "number"], unique=False, postgresql_where=sa.text("status = 'free'")
    )
    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "booked",
                "arrived",
                "fulfilled",
                "cancelled",
                "noshow",
                "waitlist",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("cancel_reason", sa.String(length=40), nullable=True),
        sa.Column("booked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("remind_day_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("remind_soon_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_appointments_account_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_appointments_department_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_appointments_patient_id")),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedules.id"], name=op.f("fk_appointments_schedule_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slots.id"], name=op.f("fk_appointments_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
    )
    op.create_index(
        op.f("ix_appointments_account_id_starts_at"), "appointments", ["account_id", "starts_at"], unique=False
    )
    op.create_index(op.f("ix_appointments_department_id"), "appointments", ["department_id"], unique=False)
    op.create_index(
        op.f("ix_appointments_patient_id_starts_at"), "appointments", ["patient_id", "starts_at"], unique=False
    )
    op.create_index(
        "ix_appointments_remind_day",
        "appointments",
        ["remind_day_at"],
        unique=False,
        postgresql_where=sa.text("remind_day_at is not null"),
    )
    op.create_index(
        "ix_appointments_remind_soon",
        "appointments",
        ["remind_soon_at"],
        unique=False,
        postgresql_where=sa.text("remind_soon_at is not null"),
    )
    op.create_index(
        op.f("ix_appointments_schedule_id_starts_at"), "appointments", ["schedule_id", "starts_at"], unique=False
    )
    op.create_index(op.f("ix_appointments_slot_id"), "appointments", ["slot_id"], unique=False)
    op.create_index(
        "uq_appointments_child_day",
        "appointments",
        ["patient_id", "department_id", "day"],
        unique=True,
        postgresql_where=sa.text("status in ('pending', 'booked', 'arrived', 'fulfilled', 'noshow')"),
    )
    op.create_index(
        "uq_appointments_slot",
        "appointments",
        ["slot_id"],
        unique=True,
        postgresql_where=sa.text("status in ('pending', 'booked', 'arrived', 'fulfilled', 'noshow')"),
    )


def downgrade() -> None:
    raise NotImplementedError("the first migration has nothing before it")


def _queue(schema: str) -> None:
    """The queue's own tables (procrastinate), sent as they are: the script holds dollar quotes and percent signs."""
    connection = op.get_bind().connection.driver_connection
    if connection is None:
        raise RuntimeError("no database connection")
    connection.execute(schema)
