"""When a recording may go is the policy of the day on which that is asked; a day kept with it decided nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_recordings_expires_on", table_name="recordings")
    op.drop_column("recordings", "expires_on")


def downgrade() -> None:
    op.add_column("recordings", sa.Column("expires_on", sa.Date(), nullable=True))
    op.execute(
        "update recordings set expires_on = (started_at at time zone 'Asia/Shanghai')::date + interval '3 years'"
    )
    op.alter_column("recordings", "expires_on", nullable=False)
    op.create_index("ix_recordings_expires_on", "recordings", ["expires_on"])
