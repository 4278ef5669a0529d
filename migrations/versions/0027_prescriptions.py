"""Prescriptions: what is written, signed and reviewed, ordered, kept in stock, given out, delivered, and heard of
afterwards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("street", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_addresses_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    op.create_index(op.f("ix_addresses_account_id_id"), "addresses", ["account_id", "id"], unique=False)
    op.drop_table("formulary_files")
    op.create_table(
        "sent_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sent_files_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sent_files")),
    )
    op.create_index(op.f("ix_sent_files_account_id"), "sent_files", ["account_id"], unique=False)
    op.create_table(
        "shelves",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("medication_id", sa.Uuid(), nullable=False),
        sa.Column("minimum", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("minimum >= 0", name=op.f("ck_shelves_minimum")),
        sa.ForeignKeyConstraint(["medication_id"], ["medications.id"], name=op.f("fk_shelves_medication_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shelves")),
        sa.UniqueConstraint("medication_id", name=op.f("uq_shelves_medication_id")),
    )
    op.create_table(
        "lots",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("medication_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recalled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recall_reason", sa.String(length=300), nullable=True),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_lots_on_hand")),
        sa.CheckConstraint("reserved between 0 and on_hand", name=op.f("ck_lots_reserved")),
        sa.ForeignKeyConstraint(["medication_id"], ["medications.id"], name=op.f("fk_lots_medication_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lots")),
        sa.UniqueConstraint("medication_id", "number", name=op.f("uq_lots_medication_id_number")),
    )
    op.create_index(
        "ix_lots_usable",
        "lots",
        ["medication_id", "expires_on"],
        unique=False,
        postgresql_where=sa.text("recalled_at is null and on_hand > reserved"),
    )
    op.create_table(
        "signing_certificates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.String(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=True),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("not_before < not_after", name=op.f("ck_signing_certificates_span")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_signing_certificates_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_certificates")),
        sa.UniqueConstraint("serial", name=op.f("uq_signing_certificates_serial")),
    )
    op.create_index(
        "uq_signing_certificates_current",
        "signing_certificates",
        ["practitioner_id"],
        unique=True,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_index(
        "uq_signing_certificates_seal",
        "signing_certificates",
        ["demo"],
        unique=True,
        postgresql_where=sa.text("ended_at is null and practitioner_id is null"),
    )
    op.create_table(
        "prescription_templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_prescription_templates_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prescription_templates")),
        sa.UniqueConstraint("practitioner_id", "name", name=op.f("uq_prescription_templates_practitioner_id_name")),
    )
    op.create_table(
        "prescriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("replaces_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "in-review",
                "approved",
                "rejected",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("draft", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("emergency", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("review_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewer_id", sa.Uuid(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("codes", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("review_text", sa.LargeBinary(), nullable=True),
        sa.Column("withdrawn", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "status in ('draft', 'cancelled') or content is not null", name=op.f("ck_prescriptions_has_content")
        ),
        sa.CheckConstraint(
            "status not in ('approved', 'rejected') or reviewer_id is not null",
            name=op.f("ck_prescriptions_has_reviewer"),
        ),
        sa.CheckConstraint("(content is null) = (digest is null)", name=op.f("ck_prescriptions_content")),
        sa.CheckConstraint("(content is null) = (signed_at is null)", name=op.f("ck_prescriptions_signed")),
        sa.CheckConstraint("(content is null) = (valid_until is null)", name=op.f("ck_prescriptions_validity")),
        sa.CheckConstraint("(reviewer_id is null) = (reviewed_at is null)", name=op.f("ck_prescriptions_reviewed")),
        sa.CheckConstraint("reviewer_id <> practitioner_id", name=op.f("ck_prescriptions_another")),
        sa.CheckConstraint("version >= 0", name=op.f("ck_prescriptions_version")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_prescriptions_department_id")),
        sa.ForeignKeyConstraint(["encounter_id"], ["encounters.id"], name=op.f("fk_prescriptions_encounter_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_prescriptions_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_prescriptions_practitioner_id")
        ),
        sa.ForeignKeyConstraint(["replaces_id"], ["prescriptions.id"], name=op.f("fk_prescriptions_replaces_id")),
        sa.ForeignKeyConstraint(["reviewer_id"], ["practitioners.id"], name=op.f("fk_prescriptions_reviewer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prescriptions")),
        sa.UniqueConstraint("number", name=op.f("uq_prescriptions_number")),
    )
    op.create_index(op.f("ix_prescriptions_department_id"), "prescriptions", ["department_id"], unique=False)
    op.create_index(op.f("ix_prescriptions_encounter_id_id"), "prescriptions", ["encounter_id", "id"], unique=False)
    op.create_index(op.f("ix_prescriptions_patient_id_id"), "prescriptions", ["patient_id", "id"], unique=False)
    op.create_index(op.f("ix_prescriptions_practitioner_id"), "prescriptions", ["practitioner_id"], unique=False)
    op.create_index(op.f("ix_prescriptions_replaces_id"), "prescriptions", ["replaces_id"], unique=False)
    op.create_index(
        "ix_prescriptions_review",
        "prescriptions",
        ["review_by"],
        unique=False,
        postgresql_where=sa.text("status = 'in-review'"),
    )
    op.create_index(op.f("ix_prescriptions_reviewer_id"), "prescriptions", ["reviewer_id"], unique=False)
    op.create_index(
        "ix_prescriptions_valid",
        "prescriptions",
        ["valid_until"],
        unique=False,
        postgresql_where=sa.text("status in ('in-review', 'approved', 'rejected')"),
    )
    op.create_index(
        "uq_prescriptions_draft",
        "prescriptions",
        ["encounter_id"],
        unique=True,
        postgresql_where=sa.text("status = 'draft'"),
    )
    op.create_table(
        "prescription_questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_prescription_questions_answered")),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["practitioners.id"], name=op.f("fk_prescription_questions_asked_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescriptions.id"], name=op.f("fk_prescription_questions_prescription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prescription_questions")),
    )
    op.create_index(
        op.f("ix_prescription_questions_asked_by_id"), "prescription_questions", ["asked_by_id"], unique=False
    )
    op.create_index(
        op.f("ix_prescription_questions_prescription_id_id"),
        "prescription_questions",
        ["prescription_id", "id"],
        unique=False,
    )
    op.create_table(
        "course_ends",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answer",
            sa.Enum("well", "better", "same", "worse", name="answer", native_enum=False, create_constraint=True),
            nullable=True,
        ),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_course_ends_answered")),
        sa.ForeignKeyConstraint(["answered_by_id"], ["accounts.id"], name=op.f("fk_course_ends_answered_by_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_course_ends_patient_id")),
        sa.ForeignKeyConstraint(["prescription_id"], ["prescriptions.id"], name=op.f("fk_course_ends_prescription_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_ends")),
        sa.UniqueConstraint("prescription_id", name=op.f("uq_course_ends_prescription_id")),
    )
    op.create_index(op.f("ix_course_ends_answered_by_id"), "course_ends", ["answered_by_id"], unique=False)
    op.create_index(
        "ix_course_ends_ask", "course_ends", ["ask_at"], unique=False, postgresql_where=sa.text("asked_at is null")
    )
    op.create_index(op.f("ix_course_ends_patient_id"), "course_ends", ["patient_id"], unique=False)
    op.create_table(
        "medicine_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "way", sa.Enum("delivery", "pickup", name="way", native_enum=False, create_constraint=True), nullable=False
        ),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("region", sa.String(length=6), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending", "paid", "completed", "cancelled", name="status", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("medicines_fen", sa.Integer(), nullable=False),
        sa.Column("delivery_fen", sa.Integer(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("hold_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pickup_code", sa.LargeBinary(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=40), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "answer",
            sa.Enum("full", "part", "none", name="answer", native_enum=False, create_constraint=True),
            nullable=True,
        ),
        sa.Column("answer_text", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(answer is null) = (answer_text is null)", name=op.f("ck_medicine_orders_answered")),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancel_reason is not null)", name=op.f("ck_medicine_orders_cancelled")
        ),
        sa.CheckConstraint("(way = 'delivery') = (address is not null)", name=op.f("ck_medicine_orders_address")),
        sa.CheckConstraint("(way = 'delivery') = (region is not null)", name=op.f("ck_medicine_orders_region")),
        sa.CheckConstraint("way = 'delivery' or delivery_fen = 0", name=op.f("ck_medicine_orders_delivery_fen")),
        sa.CheckConstraint("medicines_fen >= 0 and delivery_fen >= 0", name=op.f("ck_medicine_orders_fen")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_medicine_orders_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_medicine_orders_patient_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_medicine_orders_payment_id")),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescriptions.id"], name=op.f("fk_medicine_orders_prescription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medicine_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_medicine_orders_number")),
    )
    op.create_index(op.f("ix_medicine_orders_account_id_id"), "medicine_orders", ["account_id", "id"], unique=False)
    op.create_index(
        "ix_medicine_orders_hold",
        "medicine_orders",
        ["hold_until"],
        unique=False,
        postgresql_where=sa.text("status = 'pending'"),
    )
    op.create_index(op.f("ix_medicine_orders_patient_id_id"), "medicine_orders", ["patient_id", "id"], unique=False)
    op.create_index(op.f("ix_medicine_orders_payment_id"), "medicine_orders", ["payment_id"], unique=False)
    op.create_index(
        op.f("ix_medicine_orders_prescription_id_id"), "medicine_orders", ["prescription_id", "id"], unique=False
    )
    op.create_index(
        "uq_medicine_orders_standing",
        "medicine_orders",
        ["prescription_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'cancelled'"),
    )
    op.create_table(
        "medicine_reminders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("times", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("last", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(until is null) = (starts_on is null)", name=op.f("ck_medicine_reminders_begun")),
        sa.CheckConstraint("until >= starts_on", name=op.f("ck_medicine_reminders_course")),
        sa.CheckConstraint(
            "next_at is null or (active and until is not null)", name=op.f("ck_medicine_reminders_next")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_medicine_reminders_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_medicine_reminders_patient_id")),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescriptions.id"], name=op.f("fk_medicine_reminders_prescription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medicine_reminders")),
        sa.UniqueConstraint(
            "prescription_id", "account_id", name=op.f("uq_medicine_reminders_prescription_id_account_id")
        ),
    )
    op.create_index(op.f("ix_medicine_reminders_account_id"), "medicine_reminders", ["account_id"], unique=False)
    op.create_index(
        "ix_medicine_reminders_next",
        "medicine_reminders",
        ["next_at"],
        unique=False,
        postgresql_where=sa.text("next_at is not null"),
    )
    op.create_index(op.f("ix_medicine_reminders_patient_id"), "medicine_reminders", ["patient_id"], unique=False)
    op.create_table(
        "prescription_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("medication_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(length=60), server_default="", nullable=False),
        sa.Column("dose", sa.Integer(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "least(dose, times, interval, days, packages) >= 1", name=op.f("ck_prescription_lines_amounts")
        ),
        sa.CheckConstraint("n between 1 and 5", name=op.f("ck_prescription_lines_n")),
        sa.CheckConstraint("until >= starts_on", name=op.f("ck_prescription_lines_course")),
        sa.ForeignKeyConstraint(
            ["medication_id"], ["medications.id"], name=op.f("fk_prescription_lines_medication_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_prescription_lines_patient_id")),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescriptions.id"], name=op.f("fk_prescription_lines_prescription_id")
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["medication_versions.id"], name=op.f("fk_prescription_lines_version_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prescription_lines")),
        sa.UniqueConstraint(
            "prescription_id", "medication_id", name=op.f("uq_prescription_lines_prescription_id_medication_id")
        ),
        sa.UniqueConstraint("prescription_id", "n", name=op.f("uq_prescription_lines_prescription_id_n")),
    )
    op.create_index(op.f("ix_prescription_lines_medication_id"), "prescription_lines", ["medication_id"], unique=False)
    op.create_index(
        op.f("ix_prescription_lines_patient_id_until"), "prescription_lines", ["patient_id", "until"], unique=False
    )
    op.create_index(op.f("ix_prescription_lines_version_id"), "prescription_lines", ["version_id"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "prescriber", "reviewer", "dispenser", "checker", name="role", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("certificate_id", sa.Uuid(), nullable=False),
        sa.Column("over", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["certificate_id"], ["signing_certificates.id"], name=op.f("fk_signatures_certificate_id")
        ),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_signatures_practitioner_id")),
        sa.ForeignKeyConstraint(["prescription_id"], ["prescriptions.id"], name=op.f("fk_signatures_prescription_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("prescription_id", "role", name=op.f("uq_signatures_prescription_id_role")),
    )
    op.create_index(op.f("ix_signatures_certificate_id"), "signatures", ["certificate_id"], unique=False)
    op.create_index(op.f("ix_signatures_practitioner_id"), "signatures", ["practitioner_id"], unique=False)
    op.create_table(
        "adverse_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("prescription_line_id", sa.Uuid(), nullable=True),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("reported", "watched", "closed", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("signs", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column(
            "reporter",
            sa.Enum("family", "doctor", "pharmacist", name="reporter", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("severe", sa.Boolean(), nullable=False),
        sa.Column("stopped", sa.Boolean(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "resolved",
                "recovering",
                "ongoing",
                "resolvedWithSequelae",
                "fatal",
                "unknown",
                name="outcome",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "causality",
            sa.Enum(
                "certain",
                "probable",
                "possible",
                "unlikely",
                "conditional",
                "unassessable",
                name="causality",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=True,
        ),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'closed') = (closed_at is not null)", name=op.f("ck_adverse_events_closed")),
        sa.CheckConstraint("(status = 'closed') = (outcome is not null)", name=op.f("ck_adverse_events_has_outcome")),
        sa.CheckConstraint("status <> 'closed' or causality is not null", name=op.f("ck_adverse_events_has_causality")),
        sa.CheckConstraint(
            "status = 'reported' or practitioner_id is not null", name=op.f("ck_adverse_events_watched")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_adverse_events_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_adverse_events_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_adverse_events_practitioner_id")
        ),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescriptions.id"], name=op.f("fk_adverse_events_prescription_id")
        ),
        sa.ForeignKeyConstraint(
            ["prescription_line_id"], ["prescription_lines.id"], name=op.f("fk_adverse_events_prescription_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adverse_events")),
    )
    op.create_index(op.f("ix_adverse_events_account_id"), "adverse_events", ["account_id"], unique=False)
    op.create_index(
        "ix_adverse_events_open",
        "adverse_events",
        ["look_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_index(op.f("ix_adverse_events_patient_id_id"), "adverse_events", ["patient_id", "id"], unique=False)
    op.create_index(op.f("ix_adverse_events_practitioner_id"), "adverse_events", ["practitioner_id"], unique=False)
    op.create_index(op.f("ix_adverse_events_prescription_id"), "adverse_events", ["prescription_id"], unique=False)
    op.create_index(
        op.f("ix_adverse_events_prescription_line_id"), "adverse_events", ["prescription_line_id"], unique=False
    )
    op.create_table(
        "adverse_event_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("adverse_event_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["adverse_event_id"], ["adverse_events.id"], name=op.f("fk_adverse_event_notes_adverse_event_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_adverse_event_notes_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adverse_event_notes")),
    )
    op.create_index(
        op.f("ix_adverse_event_notes_adverse_event_id_id"),
        "adverse_event_notes",
        ["adverse_event_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_adverse_event_notes_practitioner_id"), "adverse_event_notes", ["practitioner_id"], unique=False
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("courier", sa.String(length=20), nullable=True),
        sa.Column("waybill", sa.String(length=40), nullable=True),
        sa.Column("code", sa.LargeBinary(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ordered",
                "shipped",
                "delivered",
                "failed",
                "returned",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'delivered') = (delivered_at is not null)", name=op.f("ck_deliveries_delivered")),
        sa.CheckConstraint(
            "status not in ('shipped', 'delivered') or waybill is not null", name=op.f("ck_deliveries_waybill")
        ),
        sa.CheckConstraint("(waybill is null) = (courier is null)", name=op.f("ck_deliveries_courier")),
        sa.ForeignKeyConstraint(["order_id"], ["medicine_orders.id"], name=op.f("fk_deliveries_order_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_deliveries_patient_id")),
        sa.ForeignKeyConstraint(["prescription_id"], ["prescriptions.id"], name=op.f("fk_deliveries_prescription_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("courier", "waybill", name=op.f("uq_deliveries_courier_waybill")),
    )
    op.create_index(
        "ix_deliveries_ask", "deliveries", ["ask_at"], unique=False, postgresql_where=sa.text("ask_at is not null")
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("status in ('ordered', 'shipped')"),
    )
    op.create_index(op.f("ix_deliveries_order_id_id"), "deliveries", ["order_id", "id"], unique=False)
    op.create_index(op.f("ix_deliveries_patient_id"), "deliveries", ["patient_id"], unique=False)
    op.create_index(op.f("ix_deliveries_prescription_id"), "deliveries", ["prescription_id"], unique=False)
    op.create_index(
        "uq_deliveries_standing",
        "deliveries",
        ["order_id"],
        unique=True,
        postgresql_where=sa.text("status not in ('failed', 'returned')"),
    )
    op.create_table(
        "medication_dispenses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("prescription_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "preparation",
                "in-progress",
                "completed",
                "declined",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("picker_id", sa.Uuid(), nullable=True),
        sa.Column("checker_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(status = 'declined') = (reason is not null)", name=op.f("ck_medication_dispenses_reason")),
        sa.CheckConstraint(
            "status <> 'completed' or (picker_id is not null and checker_id is not null)",
            name=op.f("ck_medication_dispenses_signed"),
        ),
        sa.CheckConstraint("checker_id <> picker_id", name=op.f("ck_medication_dispenses_another")),
        sa.ForeignKeyConstraint(["checker_id"], ["practitioners.id"], name=op.f("fk_medication_dispenses_checker_id")),
        sa.ForeignKeyConstraint(["order_id"], ["medicine_orders.id"], name=op.f("fk_medication_dispenses_order_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_medication_dispenses_patient_id")),
        sa.ForeignKeyConstraint(["picker_id"], ["practitioners.id"], name=op.f("fk_medication_dispenses_picker_id")),
        sa.ForeignKeyConstraint(
            ["prescription_id"], ["prescriptions.id"], name=op.f("fk_medication_dispenses_prescription_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medication_dispenses")),
        sa.UniqueConstraint("order_id", name=op.f("uq_medication_dispenses_order_id")),
    )
    op.create_index(op.f("ix_medication_dispenses_checker_id"), "medication_dispenses", ["checker_id"], unique=False)
    op.create_index(
        "ix_medication_dispenses_open",
        "medication_dispenses",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status in ('preparation', 'in-progress')"),
    )
    op.create_index(op.f("ix_medication_dispenses_patient_id"), "medication_dispenses", ["patient_id"], unique=False)
    op.create_index(op.f("ix_medication_dispenses_picker_id"), "medication_dispenses", ["picker_id"], unique=False)
    op.create_index(
        op.f("ix_medication_dispenses_prescription_id"), "medication_dispenses", ["prescription_id"], unique=False
    )
    op.create_table(
        "medicine_order_lines",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("prescription_line_id", sa.Uuid(), nullable=False),
        sa.Column("medication_id", sa.Uuid(), nullable=False),
        sa.Column("packages", sa.Integer(), nullable=False),
        sa.Column("price_fen", sa.Integer(), nullable=False),
        sa.CheckConstraint("packages >= 1", name=op.f("ck_medicine_order_lines_packages")),
        sa.CheckConstraint("price_fen >= 0", name=op.f("ck_medicine_order_lines_price_fen")),
        sa.ForeignKeyConstraint(
            ["medication_id"], ["medications.id"], name=op.f("fk_medicine_order_lines_medication_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["medicine_orders.id"], name=op.f("fk_medicine_order_lines_order_id")),
        sa.ForeignKeyConstraint(
            ["prescription_line_id"],
            ["prescription_lines.id"],
            name=op.f("fk_medicine_order_lines_prescription_line_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_medicine_order_lines")),
        sa.UniqueConstraint(
            "order_id", "prescription_line_id", name=op.f("uq_medicine_order_lines_order_id_prescription_line_id")
        ),
    )
    op.create_index(
        op.f("ix_medicine_order_lines_medication_id"), "medicine_order_lines", ["medication_id"], unique=False
    )
    op.create_index(
        op.f("ix_medicine_order_lines_prescription_line_id"),
        "medicine_order_lines",
        ["prescription_line_id"],
        unique=False,
    )
    op.create_table(
        "delivery_steps",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column(
            "mark",
            sa.Enum(
                "collected",
                "moving",
                "out",
                "missed",
                "refused",
                "returning",
                "lost",
                "delivered",
                "returned",
                name="mark",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("place", sa.LargeBinary(), nullable=True),
        sa.Column("words", sa.LargeBinary(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name=op.f("fk_delivery_steps_delivery_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_steps")),
        sa.UniqueConstraint("delivery_id", "at", "mark", name=op.f("uq_delivery_steps_delivery_id_at_mark")),
    )
    op.create_table(
        "dispensed_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dispense_id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=True),
        sa.Column("scanned", sa.Integer(), server_default="0", nullable=False),
        sa.Column("scanned_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_dispensed_items_quantity")),
        sa.CheckConstraint("scanned between 0 and quantity", name=op.f("ck_dispensed_items_scanned")),
        sa.CheckConstraint(
            "(scanned = quantity) = (scanned_at is not null)", name=op.f("ck_dispensed_items_all_scanned")
        ),
        sa.ForeignKeyConstraint(
            ["dispense_id"], ["medication_dispenses.id"], name=op.f("fk_dispensed_items_dispense_id")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_dispensed_items_lot_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["medicine_order_lines.id"], name=op.f("fk_dispensed_items_order_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispensed_items")),
        sa.UniqueConstraint(
            "dispense_id", "order_line_id", "lot_id", name=op.f("uq_dispensed_items_dispense_id_order_line_id_lot_id")
        ),
    )
    op.create_index(op.f("ix_dispensed_items_lot_id"), "dispensed_items", ["lot_id"], unique=False)
    op.create_index(op.f("ix_dispensed_items_order_line_id"), "dispensed_items", ["order_line_id"], unique=False)
    op.create_table(
        "recalled_children",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "reached_at is null or num_nonnulls(account_id, practitioner_id) = 1",
            name=op.f("ck_recalled_children_reached"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_recalled_children_account_id")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_recalled_children_lot_id")),
        sa.ForeignKeyConstraint(["order_id"], ["medicine_orders.id"], name=op.f("fk_recalled_children_order_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_recalled_children_patient_id")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioners.id"], name=op.f("fk_recalled_children_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recalled_children")),
        sa.UniqueConstraint("lot_id", "patient_id", name=op.f("uq_recalled_children_lot_id_patient_id")),
    )
    for column in ("account_id", "order_id", "patient_id", "practitioner_id"):
        op.create_index(op.f(f"ix_recalled_children_{column}"), "recalled_children", [column], unique=False)
    op.create_table(
        "reservations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("good_until", sa.Date(), nullable=False),
        sa.CheckConstraint("quantity >= 1", name=op.f("ck_reservations_quantity")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_reservations_lot_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["medicine_order_lines.id"], name=op.f("fk_reservations_order_line_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("order_line_id", "lot_id", name=op.f("uq_reservations_order_line_id_lot_id")),
    )
    op.create_index(op.f("ix_reservations_lot_id"), "reservations", ["lot_id"], unique=False)
    op.create_table(
        "stock_moves",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "receive",
                "reserve",
                "release",
                "dispense",
                "adjust",
                "discard",
                name="kind",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("practitioner_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity <> 0", name=op.f("ck_stock_moves_quantity")),
        sa.ForeignKeyConstraint(["lot_id"], ["lots.id"], name=op.f("fk_stock_moves_lot_id")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["medicine_order_lines.id"], name=op.f("fk_stock_moves_order_line_id")
        ),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_stock_moves_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
    )
    op.create_index(op.f("ix_stock_moves_lot_id_id"), "stock_moves", ["lot_id", "id"], unique=False)
    op.create_index(op.f("ix_stock_moves_order_line_id"), "stock_moves", ["order_line_id"], unique=False)
    op.create_index(op.f("ix_stock_moves_practitioner_id"), "stock_moves", ["practitioner_id"], unique=False)
