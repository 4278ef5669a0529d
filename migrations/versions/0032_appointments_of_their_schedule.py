"""An appointment's department and day are its schedule's: one key says so, and no booking locks the department's row."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

COLUMNS = ["department_id", "day"]


def upgrade() -> None:
    op.create_unique_constraint("uq_schedules_id_department_id_day", "schedules", ["id", *COLUMNS])
    op.drop_constraint("fk_appointments_schedule_id", "appointments")
    op.drop_constraint("fk_appointments_department_id", "appointments")
    op.create_foreign_key(
        "fk_appointments_schedule_id", "appointments", "schedules", ["schedule_id", *COLUMNS], ["id", *COLUMNS]
    )


def downgrade() -> None:
    op.drop_constraint("fk_appointments_schedule_id", "appointments")
    op.create_foreign_key("fk_appointments_department_id", "appointments", "departments", ["department_id"], ["id"])
    op.create_foreign_key("fk_appointments_schedule_id", "appointments", "schedules", ["schedule_id"], ["id"])
    op.drop_constraint("uq_schedules_id_department_id_day", "schedules")
