"""The ledger: one function that posts, in lines that sum to zero, and never changes what was posted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.ids import new_id
from payments.models import LedgerAccount, LedgerEntry


def post(
    session: Session,
    lines: Mapping[LedgerAccount, int],
    *,
    payment_id: UUID,
    refund_id: UUID | None = None,
    why: str,
    now: datetime,
) -> None:
    """Post lines (account to fen) under one number. Raises ValueError when they do not sum to zero."""
    if sum(lines.values()) != 0 or not any(lines.values()):
        raise ValueError(f"{why}: {dict(lines)} is no posting")
    posting = new_id()
    for account, amount in lines.items():
        session.add(
            LedgerEntry(
                posting=posting,
                account=account,
                payment_id=payment_id,
                refund_id=refund_id,
                amount_fen=amount,
                why=why,
                at=now,
            )
        )
