"""The record of who did what to what: written by actions, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from config.errors import Refused
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


@contextmanager
def refusals(
    action: str, *, at: datetime, entity: str, entity_id: UUID, account_id: UUID | None, **detail: Any
) -> Iterator[None]:
    """Whatever is refused inside is recorded once its transaction has rolled back: who, what, by which rule."""
    try:
        yield
    except Refused as refused:
        if refused.afterwards is None:
            code = refused.code
            rule = {"rule": refused.params["rule"]} if "rule" in refused.params else {}
            where = {"entity": entity, "entity_id": entity_id, "account_id": account_id, **detail, **rule}
            refused.afterwards = lambda later: record(later, action, at=at, outcome=code, **where)
        raise
