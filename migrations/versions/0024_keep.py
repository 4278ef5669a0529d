"""Keeping: protocols of what was removed, holds, copies of a child's whole file, wishes to erase."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_over", sa.Integer(), nullable=True),
        sa.CheckConstraint("(finished_at is null) = (left_over is null)", name=op.f("ck_purges_proved")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purges")),
    )
    op.create_index(
        "uq_purges_open",
        "purges",
        [sa.literal_column("(finished_at is null)")],
        unique=True,
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_table(
        "file_copies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("by", sa.String(length=60), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column(
            "status",
            sa.Enum("requested", "ready", "failed", "over", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("file_name", sa.String(length=32), nullable=True),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("downloads", sa.Integer(), nullable=False),
        sa.CheckConstraint("(account_id is null) = (reason is not null)", name=op.f("ck_file_copies_whose")),
        sa.CheckConstraint("done >= 0 and total >= 0 and downloads >= 0", name=op.f("ck_file_copies_counts")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_file_copies_account_id")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_file_copies_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_file_copies")),
        sa.UniqueConstraint("file_name", name=op.f("uq_file_copies_file_name")),
    )
    op.create_index(op.f("ix_file_copies_account_id"), "file_copies", ["account_id"], unique=False)
    op.create_index(
        "ix_file_copies_kept",
        "file_copies",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("file_name is not null"),
    )
    op.create_index(op.f("ix_file_copies_patient_id_id"), "file_copies", ["patient_id", "id"], unique=False)
    op.create_index(
        "uq_file_copies_open",
        "file_copies",
        ["patient_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("status = 'requested'"),
    )
    op.create_table(
        "legal_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_by", sa.String(length=60), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_by", sa.String(length=60), nullable=True),
        sa.CheckConstraint("(lifted_at is null) = (lifted_by is null)", name=op.f("ck_legal_holds_lifted")),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_legal_holds_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index(op.f("ix_legal_holds_patient_id"), "legal_holds", ["patient_id"], unique=False)
    op.create_index(
        "uq_legal_holds_child",
        "legal_holds",
        ["patient_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at is null"),
    )
    op.create_table(
        "purge_files",
        sa.Column("file_name", sa.String(length=32), nullable=False),
        sa.Column("purge_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["purge_id"], ["purges.id"], name=op.f("fk_purge_files_purge_id")),
        sa.PrimaryKeyConstraint("file_name", name=op.f("pk_purge_files")),
    )
    op.create_index(op.f("ix_purge_files_purge_id"), "purge_files", ["purge_id"], unique=False)
    op.create_table(
        "purge_lines",
        sa.Column("purge_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=60), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("oldest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("newest", sa.DateTime(timezone=True), nullable=True),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("rows >= 0 and held >= 0", name=op.f("ck_purge_lines_counts")),
        sa.ForeignKeyConstraint(["purge_id"], ["purges.id"], name=op.f("fk_purge_lines_purge_id")),
        sa.PrimaryKeyConstraint("purge_id", "kind", name=op.f("pk_purge_lines")),
    )
    op.create_table(
        "erasure_wishes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "answered", name="status", native_enum=False, create_constraint=True),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(status = 'answered') = (num_nonnulls(answer, answered_at, answered_by_id) = 3)",
            name=op.f("ck_erasure_wishes_answered"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_erasure_wishes_account_id")),
        sa.ForeignKeyConstraint(
            ["answered_by_id"], ["practitioners.id"], name=op.f("fk_erasure_wishes_answered_by_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_erasure_wishes_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure_wishes")),
    )
    op.create_index(op.f("ix_erasure_wishes_account_id"), "erasure_wishes", ["account_id"], unique=False)
    op.create_index(op.f("ix_erasure_wishes_answered_by_id"), "erasure_wishes", ["answered_by_id"], unique=False)
    op.create_index(op.f("ix_erasure_wishes_patient_id_id"), "erasure_wishes", ["patient_id", "id"], unique=False)
    op.create_index(
        "uq_erasure_wishes_open",
        "erasure_wishes",
        ["patient_id", "account_id"],
        unique=True,
        postgresql_where=sa.text("status = 'open'"),
    )


def downgrade() -> None:
    op.drop_index("uq_erasure_wishes_open", table_name="erasure_wishes", postgresql_where=sa.text("status = 'open'"))
    op.drop_index(op.f("ix_erasure_wishes_patient_id_id"), table_name="erasure_wishes")
    op.drop_index(op.f("ix_erasure_wishes_answered_by_id"), table_name="erasure_wishes")
    op.drop_index(op.f("ix_erasure_wishes_account_id"), table_name="erasure_wishes")
    op.drop_table("erasure_wishes")
    op.drop_table("purge_lines")
    op.drop_index(op.f("ix_purge_files_purge_id"), table_name="purge_files")
    op.drop_table("purge_files")
    op.drop_index("uq_legal_holds_child", table_name="legal_holds", postgresql_where=sa.text("lifted_at is null"))
    op.drop_index(op.f("ix_legal_holds_patient_id"), table_name="legal_holds")
    op.drop_table("legal_holds")
    op.drop_index("uq_file_copies_open", table_name="file_copies", postgresql_where=sa.text("status = 'requested'"))
    op.drop_index(op.f("ix_file_copies_patient_id_id"), table_name="file_copies")
    op.drop_index("ix_file_copies_kept", table_name="file_copies", postgresql_where=sa.text("file_name is not null"))
    op.drop_index(op.f("ix_file_copies_account_id"), table_name="file_copies")
    op.drop_table("file_copies")
    op.drop_index("uq_purges_open", table_name="purges", postgresql_where=sa.text("finished_at is null"))
    op.drop_table("purges")
