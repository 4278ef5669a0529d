"""Signing in on a computer: it shows a code, a phone of the staff scans and confirms, that very browser is in.

A code lives two minutes and works once, in the browser that showed it, for the one who scanned it. Whatever else
happens to it (a second person scans it, somebody else confirms it) spoils it.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Id, stored_enum
from config.errors import NotFound
from config.states import Stateful, advance
from people.access import Viewer, member_of
from people.audit import record as audit
from people.models import Account
from people.refusals import CodeWorthless, TooManyCodes
from people.sessions import Known, SignIn, SignInKind, device_of

PREFIX = "desk-"
LIVES = timedelta(minutes=2)  # to scan it, and from then on again to confirm and come in
MINUTE = timedelta(minutes=1)
PER_MINUTE = 120  # codes shown in the whole clinic: WeChat gives 100,000 a day
KEPT = timedelta(days=1)


class CodeStatus(StrEnum):
    """On the screen; scanned by a member of staff; confirmed by the same; used by its browser; worthless."""

    SHOWN = "shown"
    SCANNED = "scanned"
    CONFIRMED = "confirmed"
    USED = "used"
    SPOILT = "spoilt"


class ComputerCode(Stateful):
    """One code on one computer's screen; ``browser`` is the digest of the random value in that browser's cookie."""

    __tablename__ = "computer_codes"
    MOVES: ClassVar[Mapping[CodeStatus, frozenset[CodeStatus]]] = {
        CodeStatus.SHOWN: frozenset({CodeStatus.SCANNED, CodeStatus.SPOILT}),
        CodeStatus.SCANNED: frozenset({CodeStatus.CONFIRMED, CodeStatus.SPOILT}),
        CodeStatus.CONFIRMED: frozenset({CodeStatus.USED, CodeStatus.SPOILT}),
    }

    id: Mapped[Id]
    scene: Mapped[str] = mapped_column(String(64), unique=True)
    url: Mapped[str] = mapped_column(String(300))
    browser: Mapped[bytes] = mapped_column(LargeBinary(32))
    device: Mapped[str] = mapped_column(String(40))
    status: Mapped[CodeStatus] = mapped_column(stored_enum(CodeStatus, "status"), default=CodeStatus.SHOWN)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
    expires_at: Mapped[datetime]


@dataclass(frozen=True)
class Claim:
    """What a browser's cookie says about the code on its screen."""

    code_id: UUID
    value: str


def new_scene() -> str:
    """A scene that nobody can guess (192 random bits)."""
    return PREFIX + secrets.token_urlsafe(24)


def may_show(session: Session, now: datetime) -> None:
    """Raises TooManyCodes when more codes were asked for in the last minute than a clinic needs."""
    shown = ComputerCode.created_at
    in_the_way = session.scalar(
        select(shown).where(shown > now - MINUTE).order_by(shown.desc()).offset(PER_MINUTE - 1).limit(1)
    )
    if in_the_way:
        raise TooManyCodes(seconds=math.ceil((in_the_way + MINUTE - now).total_seconds()))


def show(session: Session, scene: str, url: str, user_agent: str, now: datetime) -> tuple[ComputerCode, Claim]:
    """A code for a browser's screen, and what the browser's cookie has to remember. Old codes are forgotten."""
    session.execute(delete(ComputerCode).where(ComputerCode.expires_at < now - KEPT))
    value = secrets.token_urlsafe(24)
    made = ComputerCode(
        scene=scene,
        url=url,
        browser=_digest(value),
        device=device_of(user_agent),
        created_at=now,
        expires_at=now + LIVES,
    )
    session.add(made)
    session.flush()
    return made, Claim(made.id, value)


def of_browser(session: Session, claim: Claim | None, now: datetime) -> ComputerCode | None:
    """The code on this browser's screen, if it is still worth anything, locked."""
    if claim is None:
        return None
    found = session.get(ComputerCode, claim.code_id, with_for_update=True)
    if found is None or not hmac.compare_digest(found.browser, _digest(claim.value)):
        return None
    return found if found.expires_at > now and found.status not in {CodeStatus.USED, CodeStatus.SPOILT} else None


def scan(session: Session, scene: str, account: Account, now: datetime) -> ComputerCode:
    """A phone has scanned the code. Raises NotStaff, RoleMissing, CodeWorthless; a second person spoils the code."""
    found = session.scalar(select(ComputerCode).where(ComputerCode.scene == scene).with_for_update())
    if found is None or found.expires_at <= now:
        raise CodeWorthless
    if found.account_id == account.id and found.status in {CodeStatus.SCANNED, CodeStatus.CONFIRMED}:
        return found  # WeChat repeats itself
    if found.status is not CodeStatus.SHOWN:
        raise _spoil(found, account.id, "scanned by a second person", now)
    member_of(session, Viewer(account.id, ""))
    advance(found, CodeStatus.SCANNED, by=f"account:{account.id}", why="scanned", now=now)
    found.account_id, found.expires_at = account.id, now + LIVES
    return found


def asked(session: Session, account_id: UUID, code_id: UUID, now: datetime) -> ComputerCode:
    """The code that this account scanned and may confirm now. Raises CodeWorthless."""
    found = session.get(ComputerCode, code_id)
    if found is None or found.account_id != account_id or found.expires_at <= now:
        raise CodeWorthless
    if found.status is not CodeStatus.SCANNED:
        raise CodeWorthless
    return found


def confirm(session: Session, sign_in: SignIn | Known, code_id: UUID, *, yes: bool, now: datetime) -> None:
    """The one who scanned says on the phone whether it was them; anybody else spoils the code. Raises CodeWorthless."""
    found = session.get(ComputerCode, code_id, with_for_update=True)
    if found is None or found.expires_at <= now or found.status is not CodeStatus.SCANNED:
        raise CodeWorthless
    if found.account_id != sign_in.account_id or sign_in.kind is not SignInKind.WECHAT:
        raise _spoil(found, sign_in.account_id, "confirmed by somebody else", now)
    by = f"account:{sign_in.account_id}"
    advance(
        found, CodeStatus.CONFIRMED if yes else CodeStatus.SPOILT, by=by, why="confirmed" if yes else "refused", now=now
    )


def enter(session: Session, claim: Claim | None, now: datetime) -> Account:
    """The account that this browser signs in, once. Raises NotFound when nothing has been confirmed (yet)."""
    found = of_browser(session, claim, now)
    if found is None or found.status is not CodeStatus.CONFIRMED or found.account_id is None:
        raise NotFound
    advance(found, CodeStatus.USED, by=f"account:{found.account_id}", why="came in", now=now)
    return session.get_one(Account, found.account_id)


def _spoil(found: ComputerCode, account_id: UUID, why: str, now: datetime) -> CodeWorthless:
    """Makes the code worthless for good, although the request is refused."""
    code_id = found.id

    def afterwards(later: Session) -> None:
        again = later.get_one(ComputerCode, code_id, with_for_update=True)
        if again.status in ComputerCode.MOVES:
            advance(again, CodeStatus.SPOILT, by=f"account:{account_id}", why=why, now=now)
        audit(
            later,
            "computer-code",
            at=now,
            entity="computer-code",
            entity_id=code_id,
            account_id=account_id,
            outcome="spoilt",
        )

    return CodeWorthless(afterwards=afterwards)


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode()).digest()
