"""A family's address book: an account's own addresses. One that was removed is kept no longer than an order needs it:
the order has its own copy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.access import Viewer
from people.models import Account
from prescriptions.orders.models import Address
from prescriptions.orders.refusals import TooManyAddresses

MOST = 20


def book(session: Session, viewer: Viewer) -> Sequence[Address]:
    """The viewer's addresses, the default one first, then the newest."""
    return session.scalars(
        select(Address).where(*_own(viewer.account_id)).order_by(Address.default.desc(), Address.id.desc())
    ).all()


def one(session: Session, viewer: Viewer, address_id: UUID) -> Address:
    """One of the viewer's addresses. Raises NotFound for anybody else's, and one that was removed."""
    found = session.scalar(select(Address).where(*_own(viewer.account_id), Address.id == address_id))
    if found is None:
        raise NotFound
    return found


def _own(account_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (Address.account_id == account_id, Address.removed_at.is_(None))


def add(session: Session, viewer: Viewer, region: str, street: str, name: str, phone: str, now: datetime) -> Address:
    """A further address; the first one is the default, one that is there stays one. Raises TooManyAddresses."""
    _alone(session, viewer)
    there = session.scalars(select(Address).where(*_own(viewer.account_id))).all()
    for known in there:
        if (known.region, known.street, known.name, known.phone) == (region, street, name, phone):
            return known
    if len(there) >= MOST:
        raise TooManyAddresses(most=MOST)
    made = Address(
        account_id=viewer.account_id,
        region=region,
        street=street,
        name=name,
        phone=phone,
        default=not there,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def change(
    session: Session, viewer: Viewer, address_id: UUID, region: str, street: str, name: str, phone: str
) -> Address:
    """Write an address anew. Orders that were sent there keep what it was. Raises NotFound."""
    found = one(session, viewer, address_id)
    found.region, found.street, found.name, found.phone = region, street, name, phone
    return found


def make_default(session: Session, viewer: Viewer, address_id: UUID) -> None:
    """The address that is offered first. Raises NotFound."""
    _alone(session, viewer)
    found = one(session, viewer, address_id)
    session.execute(update(Address).where(*_own(viewer.account_id)).values(default=False))
    session.refresh(found)
    found.default = True


def remove(session: Session, viewer: Viewer, address_id: UUID, now: datetime) -> None:
    """Forget an address: what stood in it is emptied at once. The newest of the others takes its place as default.
    Raises NotFound."""
    _alone(session, viewer)
    found = one(session, viewer, address_id)
    was_default = found.default
    found.removed_at, found.default = now, False
    found.street = found.name = found.phone = ""
    session.flush()
    if was_default and (rest := book(session, viewer)):
        rest[0].default = True


def _alone(session: Session, viewer: Viewer) -> None:
    """Nobody else changes this book before the transaction ends."""
    session.execute(select(Account.id).where(Account.id == viewer.account_id).with_for_update(key_share=True))
