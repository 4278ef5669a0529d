"""The record of who did what to what: written by actions, never changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from people.models import AuditEvent


def record(
    session: Session,
    action: str,
    *,
    at: datetime,
    entity: str,
    entity_id: UUID | None = None,
    account_id: UUID | None = None,
    outcome: str = "done",
    **detail: Any,
) -> None:
    """Write one audit event. ``account_id`` is who did it (empty: the clinic itself); details are ids and codes."""
    session.add(
        AuditEvent(
            at=at,
            account_id=account_id,
            action=action,
            outcome=outcome,
            entity=entity,
            entity_id=entity_id,
            detail=detail,
        )
    )
