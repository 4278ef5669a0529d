"""A movement that somebody types carries its page's key, so that a form sent twice moves once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("stock_moves", sa.Column("key", sa.Uuid(), nullable=True))
    op.create_unique_constraint("uq_stock_moves_key", "stock_moves", ["key"])


def downgrade() -> None:
    op.drop_constraint("uq_stock_moves_key", "stock_moves")
    op.drop_column("stock_moves", "key")
