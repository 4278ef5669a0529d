"""Money: payments, refunds, the ledger, and the gateway's bills compared with them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Five tables; the ledger's is only ever added to."""
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting", "matched", "different", "settled", name="status", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("ours_paid_fen", sa.Integer(), nullable=False),
        sa.Column("ours_refunded_fen", sa.Integer(), nullable=False),
        sa.Column("theirs_paid_fen", sa.Integer(), nullable=False),
        sa.Column("theirs_refunded_fen", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "least(ours_paid_fen, ours_refunded_fen, theirs_paid_fen, theirs_refunded_fen) >= 0",
            name=op.f("ck_reconciliations_sums_fen"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
        sa.UniqueConstraint("day", name=op.f("uq_reconciliations_day")),
    )
    op.create_table(
        "differences",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reconciliation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "missing-here",
                "missing-there",
                "amount",
                "status",
                "transaction",
                "doubled",
                "refund-missing-here",
                "refund-missing-there",
                "refund-amount",
                "refund-status",
                "refund-doubled",
                "unreadable",
                "summary",
                name="kind",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("ours", sa.String(length=200), nullable=False),
        sa.Column("theirs", sa.String(length=200), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by", sa.Uuid(), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"], ["reconciliations.id"], name=op.f("fk_differences_reconciliation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
        sa.UniqueConstraint(
            "reconciliation_id", "kind", "number", name=op.f("uq_differences_reconciliation_id_kind_number")
        ),
    )
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(length=30), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=False),
        sa.Column("description", sa.String(length=127), nullable=False),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("refunded_fen", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "NOTPAY",
                "USERPAYING",
                "SUCCESS",
                "REFUND",
                "CLOSED",
                "REVOKED",
                "PAYERROR",
                name="status",
                native_enum=False,
                create_constraint=True,
            ),
            nullable=False,
        ),
        sa.Column("transaction", sa.String(length=32), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("earned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("billed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("(status in ('SUCCESS', 'REFUND')) = (paid_at is not null)", name=op.f("ck_payments_paid")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payments_amount_fen")),
        sa.CheckConstraint("refunded_fen between 0 and amount_fen", name=op.f("ck_payments_refunded_fen")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_payments_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("number", name=op.f("uq_payments_number")),
    )
    op.create_index(op.f("ix_payments_account_id_id"), "payments", ["account_id", "id"], unique=False)
    op.create_index(
        "ix_payments_ask", "payments", ["ask_at"], unique=False, postgresql_where=sa.text("ask_at is not null")
    )
    op.create_index(op.f("ix_payments_paid_at"), "payments", ["paid_at"], unique=False)
    op.create_index(op.f("ix_payments_reference_id"), "payments", ["reference_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=32), nullable=False),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PROCESSING", "SUCCESS", "CLOSED", "ABNORMAL", name="status", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("gateway_id", sa.String(length=32), nullable=True),
        sa.Column("error", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("billed_on", sa.Date(), nullable=True),
        sa.Column("again_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refunds_amount_fen")),
        sa.ForeignKeyConstraint(["again_id"], ["refunds.id"], name=op.f("fk_refunds_again_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("number", name=op.f("uq_refunds_number")),
    )
    op.create_index(op.f("ix_refunds_again_id"), "refunds", ["again_id"], unique=False)
    op.create_index(
        "ix_refunds_ask", "refunds", ["ask_at"], unique=False, postgresql_where=sa.text("ask_at is not null")
    )
    op.create_index(
        "ix_refunds_failed",
        "refunds",
        ["id"],
        postgresql_where=sa.text("(status in ('ABNORMAL', 'CLOSED') or error is not null) and again_id is null"),
    )
    op.create_index(op.f("ix_refunds_payment_id"), "refunds", ["payment_id"], unique=False)
    op.create_index(op.f("ix_refunds_sent_at"), "refunds", ["sent_at"], unique=False)
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("posting", sa.Uuid(), nullable=False),
        sa.Column(
            "account",
            sa.Enum(
                "gateway", "held", "earned", "returning", name="account", native_enum=False, create_constraint=True
            ),
            nullable=False,
        ),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("amount_fen", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=40), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_ledger_entries_amount_fen")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_ledger_entries_payment_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_ledger_entries_refund_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    op.create_index(op.f("ix_ledger_entries_payment_id"), "ledger_entries", ["payment_id"], unique=False)
    op.create_index(op.f("ix_ledger_entries_posting"), "ledger_entries", ["posting"], unique=False)
    op.create_index(op.f("ix_ledger_entries_refund_id"), "ledger_entries", ["refund_id"], unique=False)


def downgrade() -> None:
    for table in ("ledger_entries", "refunds", "payments", "differences", "reconciliations"):
        op.drop_table(table)
