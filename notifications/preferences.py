"""What people do not want to hear. Only what the catalogue calls mutable: never what they must know."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.ids import new_id
from notifications.catalogue import messages
from notifications.models import MutedMessage


def muted(session: Session, account_id: UUID) -> Set[str]:
    """The messages that an account does not want."""
    return set(session.scalars(select(MutedMessage.message).where(MutedMessage.account_id == account_id)))


def choose(session: Session, account_id: UUID, message: str, *, wanted: bool, now: datetime) -> None:
    """Switch one message on or off for an account. Raises NotFound for one that is not there or can't be muted."""
    entry = messages().get(message)
    if entry is None or not entry.mutable:
        raise NotFound
    if wanted:
        mine = (MutedMessage.account_id == account_id) & (MutedMessage.message == message)
        session.execute(delete(MutedMessage).where(mine))
    else:
        row = insert(MutedMessage).values(id=new_id(), account_id=account_id, message=message, at=now)
        session.execute(row.on_conflict_do_nothing(index_elements=["account_id", "message"]))
