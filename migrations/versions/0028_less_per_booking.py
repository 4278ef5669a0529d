"""A booking writes less: enumerations of the tables that a rush writes are checked by an array instead of a list of casts,
which PostgreSQL reads anew for each statement, and the indexes that hardly a booking is in leave out the others."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

APPOINTMENTS = "pending,booked,arrived,fulfilled,cancelled,noshow"
REASONS = (
    "parent,unpaid,declined,lapsed,rescheduled,worsened,triage,technical,delayed,replaced,suspended,conflict,"
    "no-followup,identity,no-guardian,unanswered"
)
ONE_OF = (
    ("slots", "pool", "open,later,followup,area,withdrawn"),
    ("slots", "status", "free,busy-tentative,busy"),
    ("appointments", "status", APPOINTMENTS),
    ("appointments", "cancel_reason", REASONS),
)
PARTIAL = (
    ("uq_appointments_payment", "unique index", "payment_id"),
    ("ix_appointments_replaces", "index", "replaces_id"),
)


def upgrade() -> None:
    for table, column, values in ONE_OF:
        op.execute(f"alter table {table} drop constraint ck_{table}_{column}")
        op.execute(f"alter table {table} add constraint ck_{table}_{column} check ({column} = any ('{{{values}}}'))")
    for name, kind, column in PARTIAL:
        op.execute(f"create {kind} {name} on appointments ({column}) where {column} is not null")
    op.execute("alter table appointments drop constraint uq_appointments_payment_id")
    op.execute("drop index ix_appointments_replaces_id")
