"""After a visit: how it was, the question about the advice, that it got worse, complaints."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "advice_questions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_advice_questions_answered")),
        sa.CheckConstraint("(answer is null) = (answered_by_id is null)", name=op.f("ck_advice_questions_answered_by")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_advice_questions_account_id")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["practitioners.id"], name=op.f("fk_advice_questions_answered_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointments.id"], name=op.f("fk_advice_questions_appointment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_advice_questions")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_advice_questions_appointment_id")),
    )
    op.create_index(op.f("ix_advice_questions_account_id"), "advice_questions", ["account_id"], unique=False)
    op.create_index(op.f("ix_advice_questions_answered_by_id"), "advice_questions", ["answered_by_id"], unique=False)
    op.create_table(
        "complaints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("practitioner_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.String(length=40), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "new", "in-progress", "answered", "closed", name="status", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("filed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status in ('answered', 'closed')) = (answer is not null)", name=op.f("ck_complaints_answer")
        ),
        sa.CheckConstraint("(answer is null) = (answered_at is null)", name=op.f("ck_complaints_answered")),
        sa.CheckConstraint("n >= 1", name=op.f("ck_complaints_n")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_complaints_account_id")),
        sa.ForeignKeyConstraint(["answered_by_id"], ["practitioners.id"], name=op.f("fk_complaints_answered_by_id")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_complaints_appointment_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_complaints_department_id")),
        sa.ForeignKeyConstraint(["practitioner_id"], ["practitioners.id"], name=op.f("fk_complaints_practitioner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_complaints")),
        sa.UniqueConstraint("day", "n", name=op.f("uq_complaints_day_n")),
    )
    op.create_index(op.f("ix_complaints_account_id"), "complaints", ["account_id"], unique=False)
    op.create_index(op.f("ix_complaints_answered_by_id"), "complaints", ["answered_by_id"], unique=False)
    op.create_index(op.f("ix_complaints_appointment_id_id"), "complaints", ["appointment_id", "id"], unique=False)
    op.create_index(op.f("ix_complaints_department_id_id"), "complaints", ["department_id", "id"], unique=False)
    op.create_index(op.f("ix_complaints_practitioner_id"), "complaints", ["practitioner_id"], unique=False)
    op.create_index(
        "uq_complaints_open",
        "complaints",
        ["appointment_id"],
        unique=True,
        postgresql_where=sa.text("status in ('new', 'in-progress')"),
    )
    op.create_table(
        "ratings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("score between 1 and 5", name=op.f("ck_ratings_score")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_ratings_account_id")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_ratings_appointment_id")),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"], name=op.f("fk_ratings_department_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ratings")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_ratings_appointment_id")),
    )
    op.create_index(op.f("ix_ratings_account_id"), "ratings", ["account_id"], unique=False)
    op.create_index(op.f("ix_ratings_department_id_day"), "ratings", ["department_id", "day"], unique=False)
    op.create_table(
        "worsenings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("screen_id", sa.Uuid(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seen_by_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(seen_at is null) = (seen_by_id is null)", name=op.f("ck_worsenings_seen")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_worsenings_account_id")),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointments.id"], name=op.f("fk_worsenings_appointment_id")),
        sa.ForeignKeyConstraint(["screen_id"], ["screen_results.id"], name=op.f("fk_worsenings_screen_id")),
        sa.ForeignKeyConstraint(["seen_by_id"], ["practitioners.id"], name=op.f("fk_worsenings_seen_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worsenings")),
    )
    op.create_index(op.f("ix_worsenings_account_id"), "worsenings", ["account_id"], unique=False)
    op.create_index(op.f("ix_worsenings_appointment_id_id"), "worsenings", ["appointment_id", "id"], unique=False)
    op.create_index(op.f("ix_worsenings_screen_id"), "worsenings", ["screen_id"], unique=False)
    op.create_index(op.f("ix_worsenings_seen_by_id"), "worsenings", ["seen_by_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_worsenings_seen_by_id"), table_name="worsenings")
    op.drop_index(op.f("ix_worsenings_screen_id"), table_name="worsenings")
    op.drop_index(op.f("ix_worsenings_appointment_id_id"), table_name="worsenings")
    op.drop_index(op.f("ix_worsenings_account_id"), table_name="worsenings")
    op.drop_table("worsenings")
    op.drop_index(op.f("ix_ratings_department_id_day"), table_name="ratings")
    op.drop_index(op.f("ix_ratings_account_id"), table_name="ratings")
    op.drop_table("ratings")
    op.drop_index(
        "uq_complaints_open", table_name="complaints", postgresql_where=sa.text("status in ('new', 'in-progress')")
    )
    op.drop_index(op.f("ix_complaints_practitioner_id"), table_name="complaints")
    op.drop_index(op.f("ix_complaints_department_id_id"), table_name="complaints")
    op.drop_index(op.f("ix_complaints_appointment_id_id"), table_name="complaints")
    op.drop_index(op.f("ix_complaints_answered_by_id"), table_name="complaints")
    op.drop_index(op.f("ix_complaints_account_id"), table_name="complaints")
    op.drop_table("complaints")
    op.drop_index(op.f("ix_advice_questions_answered_by_id"), table_name="advice_questions")
    op.drop_index(op.f("ix_advice_questions_account_id"), table_name="advice_questions")
    op.drop_table("advice_questions")
