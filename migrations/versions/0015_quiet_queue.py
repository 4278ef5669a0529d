"""A job wakes nobody: a NOTIFY makes every commit wait for the one before, until that is on the disk, and a rush of
bookings writes a job each. The worker looks twice a second."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TRIGGER = "procrastinate_jobs_notify_queue_job_inserted_v1"


def upgrade() -> None:
    op.execute(f"drop trigger {TRIGGER} on procrastinate_jobs")
