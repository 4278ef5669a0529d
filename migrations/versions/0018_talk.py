"""What is written in the room of a visit, and links that open its call in another browser."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_call_links_account_id")),
        sa.ForeignKeyConstraint(["encounter_id"], ["encounters.id"], name=op.f("fk_call_links_encounter_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_call_links_token_hash")),
    )
    op.create_index(op.f("ix_call_links_account_id"), "call_links", ["account_id"], unique=False)
    op.create_index(op.f("ix_call_links_encounter_id"), "call_links", ["encounter_id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("encounter_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "guardian",
                "practitioner",
                "second-guardian",
                "second-practitioner",
                name="role",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("media_id", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("text is not null or media_id is not null", name=op.f("ck_messages_something")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_messages_account_id")),
        sa.ForeignKeyConstraint(["encounter_id"], ["encounters.id"], name=op.f("fk_messages_encounter_id")),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name=op.f("fk_messages_media_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("encounter_id", "account_id", "key", name=op.f("uq_messages_encounter_id_account_id_key")),
    )
    op.create_index(op.f("ix_messages_account_id"), "messages", ["account_id"], unique=False)
    op.create_index(op.f("ix_messages_media_id"), "messages", ["media_id"], unique=False)
    op.create_index(
        "ix_messages_unread",
        "messages",
        ["encounter_id", "role"],
        unique=False,
        postgresql_where=sa.text("read_at is null"),
    )


def downgrade() -> None:
    op.drop_index("ix_messages_unread", table_name="messages", postgresql_where=sa.text("read_at is null"))
    op.drop_index(op.f("ix_messages_media_id"), table_name="messages")
    op.drop_index(op.f("ix_messages_account_id"), table_name="messages")
    op.drop_table("messages")
    op.drop_index(op.f("ix_call_links_encounter_id"), table_name="call_links")
    op.drop_index(op.f("ix_call_links_account_id"), table_name="call_links")
    op.drop_table("call_links")
