"""The encounters that are not over, by department: the worker looks after them every few seconds, of hundreds of thousands
a year."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

OPEN = "status in ('planned', 'arrived', 'in-progress')"


def upgrade() -> None:
    op.execute(f"create index ix_encounters_open on encounters (department_id, status) where {OPEN}")


def downgrade() -> None:
    op.execute("drop index ix_encounters_open")
