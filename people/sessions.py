"""Sign-ins as rows: the browser's cookie holds only the id of one, so ending the row signs that browser out at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, Id, stored_enum
from config.errors import NotFound
from config.hot import Hot
from config.policy import Policy
from people.audit import record as audit
from people.models import Account, Practitioner

TOUCH = timedelta(minutes=1)  # last_seen_at is written at most this often
KEPT = timedelta(days=180)  # ended rows, to answer "was that me?"; the audit record stays

# In this order: a phone's browser names the computer systems' words too, Edge names Chrome, and Chrome Safari.
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "HarmonyOS|OpenHarmony": "HarmonyOS",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "Linux|X11": "Linux",
}
_BROWSERS = {"Edg": "Edge", "Firefox": "Firefox", "QQBrowser": "QQ", "Chrome|CriOS": "Chrome", "Safari": "Safari"}


class SignInKind(StrEnum):
    """Through WeChat on the person's own phone, or on a computer by scanning its code."""

    WECHAT = "wechat"
    COMPUTER = "computer"


class SignIn(Base):
    """One browser in which an account is signed in; of staff when ``practitioner_id`` is set (shorter idle limit)."""

    __tablename__ = "sign_ins"
    id: Mapped[Id]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    practitioner_id: Mapped[UUID | None] = mapped_column(ForeignKey("practitioners.id"), index=True)
    kind: Mapped[SignInKind] = mapped_column(stored_enum(SignInKind, "kind"))
    device: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


class Known(NamedTuple):
    """A sign-in as every request looks it up: a copy, not a row of a session."""

    id: UUID
    account_id: UUID
    practitioner_id: UUID | None
    kind: SignInKind
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> Known:
        """What a statement read of COLUMNS."""
        id_, account_id, practitioner_id, kind, *moments = row
        return cls(id_, account_id, practitioner_id, SignInKind(kind), *moments)


COLUMNS = [SignIn.__table__.c[name] for name in Known._fields]
_FIND = Hot(select(*COLUMNS).where(SignIn.id == bindparam("id", type_=Uuid())))


def device_of(user_agent: str) -> str:
    """A browser in a few words, ``Chrome, Windows``; inside WeChat only the system; empty when nothing is known."""
    system = _first(_SYSTEMS, user_agent)
    browser = "" if "MicroMessenger" in user_agent else _first(_BROWSERS, user_agent)
    return ", ".join(word for word in (browser, system) if word)


def _first(names: dict[str, str], user_agent: str) -> str:
    return next((name for pattern, name in names.items() if re.search(pattern, user_agent)), "")


def begin(
    session: Session, account: Account, kind: SignInKind, user_agent: str, now: datetime, policy: Policy
) -> SignIn:
    """A new sign-in of the account."""
    staff = select(Practitioner.id).where(Practitioner.account_id == account.id, Practitioner.active)
    hours = policy.sign_in_hours if kind is SignInKind.WECHAT else policy.computer_sign_in_hours
    made = SignIn(
        account_id=account.id,
        practitioner_id=session.scalar(staff),
        kind=kind,
        device=device_of(user_agent),
        created_at=now,
        last_seen_at=now,
        expires_at=now + timedelta(hours=hours),
    )
    session.add(made)
    session.flush()
    audit(session, "sign-in", at=now, entity="sign-in", entity_id=made.id, account_id=account.id, kind=kind.value)
    return made


def live(session: Session, sign_in_id: UUID, now: datetime, policy: Policy) -> Known | None:
    """The sign-in if it still holds: not ended, not too old, not idle for too long. Seeing it counts as use."""
    found = known(session, sign_in_id)
    return seen(session, found, now, policy) if found else None


def known(session: Session, sign_in_id: UUID) -> Known | None:
    """The sign-in, whether it holds or not."""
    return next((Known.of(row) for row in _FIND(session, {"id": sign_in_id})), None)


def seen(session: Session, found: Known, now: datetime, policy: Policy) -> Known | None:
    """``live`` for one that was just read."""
    if not holds(found, now, policy):
        return None
    touch(session, [found], now)
    return found


def touch(session: Session, seen: Iterable[Known], now: datetime) -> None:
    """Note that these are used, where that was not noted within the last minute."""
    ids = [one.id for one in seen if now - one.last_seen_at >= TOUCH]
    if ids:
        session.execute(update(SignIn).where(SignIn.id.in_(ids)).values(last_seen_at=now))


def holds(sign_in: SignIn | Known, now: datetime, policy: Policy) -> bool:
    """Whether a sign-in lets its browser in at that moment."""
    idle = policy.staff_idle_minutes if sign_in.practitioner_id else policy.parent_idle_minutes
    return (
        sign_in.ended_at is None
        and now < sign_in.expires_at
        and now - sign_in.last_seen_at < timedelta(minutes=max(idle, 2))  # under two, last_seen_at is too coarse
    )


def devices(session: Session, account_id: UUID, now: datetime, policy: Policy) -> Sequence[SignIn]:
    """Where the account is signed in, the one used last first."""
    rows = session.scalars(
        select(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ended_at.is_(None))
        .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc())
    )
    return [row for row in rows if holds(row, now, policy)]


def end(session: Session, account_id: UUID, sign_in_id: UUID, now: datetime) -> None:
    """End one of the account's own sign-ins. Raises NotFound for anybody else's; ended twice is ended."""
    found = session.get(SignIn, sign_in_id)
    if found is None or found.account_id != account_id:
        raise NotFound
    if found.ended_at is None:
        found.ended_at = now
        audit(session, "sign-out", at=now, entity="sign-in", entity_id=found.id, account_id=account_id)


def end_all(session: Session, account_id: UUID, now: datetime, *, by: UUID | None, but: UUID | None = None) -> None:
    """End every sign-in of the account, except ``but``; ``by`` is the account that wants it so (None: a command)."""
    session.execute(
        update(SignIn)
        .where(SignIn.account_id == account_id, SignIn.ended_at.is_(None), SignIn.id != but)
        .values(ended_at=now)
    )
    audit(session, "sign-out-everywhere", at=now, entity="account", entity_id=account_id, account_id=by)


def tidy(session: Session, now: datetime) -> None:
    """Forget the sign-ins that ended long ago."""
    session.execute(delete(SignIn).where(SignIn.expires_at < now - KEPT))
