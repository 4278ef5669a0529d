"""The queue keeps no event of a job's beginning: the job's row says it, and a rush of bookings writes a job each. What
happens to the job later is kept as before."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

TRIGGER = "procrastinate_trigger_status_events_insert_v1"


def upgrade() -> None:
    op.execute(f"drop trigger {TRIGGER} on procrastinate_jobs")
