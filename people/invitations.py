"""Invitations: a QR code that binds whoever scans it first, in time, to one member of staff."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Id, stored_enum
from config.policy import Policy
from config.states import Stateful, advance
from config.text import N_
from people import staff, tasks
from people.audit import record as audit
from people.models import Account, Practitioner, Role
from people.refusals import StaffLeft

PREFIX = "invite-"
ANSWER_WITHIN = timedelta(days=3)  # from an invitation's expiry until the administrator should have seen to it

EXPIRED_TASK = tasks.kind(
    "invitation-expired",
    title=N_("%(about)s did not use the invitation in time. Invite again, or ask whether it is still wanted."),
    path="/desk/staff/{id}",
)


class InvitationStatus(StrEnum):
    """Waiting to be scanned, used, past its time, or taken back."""

    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Invitation(Stateful):
    """One invitation of one member of staff; at most one of each is open. ``url`` is what its QR code holds."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index("uq_invitations_open", "practitioner_id", unique=True, postgresql_where=text("status = 'open'")),
    )
    MOVES: ClassVar[Mapping[InvitationStatus, frozenset[InvitationStatus]]] = {
        InvitationStatus.OPEN: frozenset({InvitationStatus.USED, InvitationStatus.EXPIRED, InvitationStatus.CANCELLED}),
    }

    id: Mapped[Id]
    practitioner_id: Mapped[UUID] = mapped_column(ForeignKey("practitioners.id"))
    scene: Mapped[str] = mapped_column(String(64), unique=True)
    url: Mapped[str] = mapped_column(String(300))
    status: Mapped[InvitationStatus] = mapped_column(
        stored_enum(InvitationStatus, "status"), default=InvitationStatus.OPEN
    )
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)


class InvitationWorthless(Exception):
    """The code was used by somebody else, is too old or was taken back."""


def new_scene() -> str:
    """A scene that nobody can guess (192 random bits)."""
    return PREFIX + secrets.token_urlsafe(24)


def seconds(policy: Policy) -> int:
    """How long a new invitation's code lives."""
    return policy.invitation_hours * 3600


def create(
    session: Session, code: str, scene: str, url: str, *, by: UUID | None, now: datetime, policy: Policy
) -> Invitation:
    """Invite the member of staff with this staff number by a code that WeChat has made; an earlier one ends.

    Raises NotFound, StaffLeft.
    """
    practitioner = staff.by_code(session, code)
    if not practitioner.active:
        raise StaffLeft
    cancel(session, practitioner.id, by=by, now=now)
    tasks.settle(session, EXPIRED_TASK, practitioner.id, why="invited again", now=now)
    made = Invitation(
        practitioner_id=practitioner.id,
        scene=scene,
        url=url,
        created_at=now,
        expires_at=now + timedelta(seconds=seconds(policy)),
    )
    session.add(made)
    session.flush()
    audit(session, "invite", at=now, entity="practitioner", entity_id=practitioner.id, account_id=by)
    return made


def waiting(session: Session, practitioner_id: UUID, now: datetime) -> Invitation | None:
    """The open invitation of a member of staff, if it is still good."""
    found = _open(session, practitioner_id)
    return found if found and found.expires_at > now else None


def cancel(session: Session, practitioner_id: UUID, *, by: UUID | None, now: datetime) -> None:
    """Take back the open invitation, if there is one."""
    if found := _open(session, practitioner_id):
        advance(found, InvitationStatus.CANCELLED, by=f"account:{by}", why="taken back", now=now)
        session.flush()  # before the next one becomes the open one


def accept(session: Session, scene: str, account: Account, now: datetime) -> Practitioner:
    """Bind the account that scanned the code. The same account again gets the same answer (WeChat repeats itself).

    Raises InvitationWorthless, staff.AccountTaken.
    """
    found = session.scalar(select(Invitation).where(Invitation.scene == scene).with_for_update())
    if found is None:
        raise InvitationWorthless
    practitioner = session.get_one(Practitioner, found.practitioner_id, with_for_update=True)
    if found.status is InvitationStatus.USED and found.account_id == account.id == practitioner.account_id:
        return practitioner
    if found.status is not InvitationStatus.OPEN or found.expires_at <= now or not practitioner.active:
        raise InvitationWorthless
    staff.bind_account(session, practitioner, account, now, by=account.id)
    advance(found, InvitationStatus.USED, by=f"account:{account.id}", why="scanned", now=now)
    found.account_id = account.id
    return practitioner


def expire(session: Session, now: datetime) -> int:
    """End what nobody scanned in time and ask an administrator to see to it. Returns how many there were."""
    late = session.scalars(
        select(Invitation)
        .where(Invitation.status == InvitationStatus.OPEN, Invitation.expires_at <= now)
        .with_for_update(skip_locked=True)
    ).all()
    for invitation in late:
        advance(invitation, InvitationStatus.EXPIRED, by="worker", why="not scanned in time", now=now)
        tasks.open(
            session,
            kind=EXPIRED_TASK,
            subject_id=invitation.practitioner_id,
            about=session.get_one(Practitioner, invitation.practitioner_id).name,
            role=Role.ADMINISTRATOR,
            deadline=now + ANSWER_WITHIN,
            now=now,
        )
    return len(late)


def _open(session: Session, practitioner_id: UUID) -> Invitation | None:
    return session.scalar(
        select(Invitation)
        .where(Invitation.practitioner_id == practitioner_id, Invitation.status == InvitationStatus.OPEN)
        .with_for_update()
    )
