"""Visits in writing: since when, until when the doctor has to answer, when they answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

OPEN = sa.text("kind = 'text' and status = 'in-progress'")
COLUMNS = ("written_at", "reply_by", "answered_at")


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("encounters", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_encounters_written", "encounters", ["practitioner_id", "reply_by"], postgresql_where=OPEN)
    op.create_check_constraint(op.f("ck_encounters_written"), "encounters", "written_at is null or kind = 'text'")
    op.create_check_constraint(
        op.f("ck_encounters_answer"),
        "encounters",
        "written_at is not null or (reply_by is null and answered_at is null)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_encounters_answer"), "encounters", type_="check")
    op.drop_constraint(op.f("ck_encounters_written"), "encounters", type_="check")
    op.drop_index("ix_encounters_written", table_name="encounters", postgresql_where=OPEN)
    for column in reversed(COLUMNS):
        op.drop_column("encounters", column)
