"""The doctor's own real-name check before each session: a port, and the way that ships.

Internet diagnosis supervision rules 2022: doctors are checked by their real names before each session. A hospital with
an electronic certificate for its doctors puts an adapter of its own here.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import Refused
from config.policy import Policy
from consultation.line import rules
from consultation.line.models import Pin
from consultation.line.refusals import PinLocked, PinWeak, PinWrong, SignInAgain
from people.audit import record as audit
from people.models import Practitioner
from people.sessions import SignIn

TRIES, LOCK = 5, timedelta(minutes=15)


class Need(StrEnum):
    """What the doctor is asked for: to sign in anew, to choose a PIN, to enter it."""

    SIGN_IN = "sign-in"
    CHOOSE = "choose"
    PIN = "pin"


class RealNameCheck(Protocol):
    """Checks that a signed-in doctor is who they say. ``name`` is kept with each check that succeeded."""

    name: str

    def needs(self, session: Session, doctor: Practitioner, now: datetime, policy: Policy) -> Need:
        """What the page asks for."""
        ...

    def check(
        self, session: Session, doctor: Practitioner, given: Mapping[str, str], now: datetime, policy: Policy
    ) -> Refused | None:
        """Why it failed, or None. Returned, not raised: a wrong try is counted, so the transaction must commit."""
        ...


class SignInAndPin:
    """Signed in through WeChat not long ago, and the PIN that the doctor chose once; six digits, five tries."""

    name = "wechat-pin"

    def needs(self, session: Session, doctor: Practitioner, now: datetime, policy: Policy) -> Need:
        """What the page asks for."""
        if not _signed_in(session, doctor, now, policy):
            return Need.SIGN_IN
        return Need.PIN if session.get(Pin, doctor.id) else Need.CHOOSE

    def check(
        self, session: Session, doctor: Practitioner, given: Mapping[str, str], now: datetime, policy: Policy
    ) -> Refused | None:
        """``given``: ``pin``, and when it is chosen the same once more as ``again``."""
        if not _signed_in(session, doctor, now, policy):
            return SignInAgain()
        typed = given.get("pin", "").strip()
        session.execute(select(Practitioner.id).where(Practitioner.id == doctor.id).with_for_update(key_share=True))
        kept = session.get(Pin, doctor.id, populate_existing=True)
        if kept is None:
            return _choose(session, doctor, typed, given.get("again", "").strip(), now)
        return _compare(session, kept, typed, now)


def _choose(session: Session, doctor: Practitioner, typed: str, again: str, now: datetime) -> Refused | None:
    if typed != again or rules.weak(typed):
        return PinWeak(field="pin")
    salt = secrets.token_bytes(16)
    session.add(Pin(practitioner_id=doctor.id, salt=salt, hash=_hash(typed, salt), set_at=now))
    audit(session, "choose-pin", at=now, entity="practitioner", entity_id=doctor.id, account_id=doctor.account_id)
    return None


def _compare(session: Session, kept: Pin, typed: str, now: datetime) -> Refused | None:
    if kept.locked_until and now < kept.locked_until:
        return PinLocked(until=kept.locked_until)
    if hmac.compare_digest(_hash(typed, kept.salt), kept.hash):
        kept.wrong, kept.locked_until = 0, None
        return None
    kept.wrong += 1
    audit(session, "check-doctor", at=now, entity="practitioner", entity_id=kept.practitioner_id, outcome="pin-wrong")
    if kept.wrong < TRIES:
        return PinWrong(field="pin", left=TRIES - kept.wrong)
    kept.wrong, kept.locked_until = 0, now + LOCK
    return PinLocked(until=kept.locked_until)


def forget_pin(session: Session, doctor: Practitioner, now: datetime, by: str) -> bool:
    """The doctor may choose a new PIN at the next check. Returns whether there was one."""
    kept = session.get(Pin, doctor.id)
    if kept is None:
        return False
    session.delete(kept)
    audit(session, "forget-pin", at=now, entity="practitioner", entity_id=doctor.id, by=by)
    return True


def _signed_in(session: Session, doctor: Practitioner, now: datetime, policy: Policy) -> bool:
    """On a phone in WeChat, or on a computer by a code that the phone confirmed."""
    recent = select(SignIn.id).where(
        SignIn.account_id == doctor.account_id,
        SignIn.ended_at.is_(None),
        SignIn.created_at > now - timedelta(hours=policy.real_name_hours),
    )
    return session.scalar(recent.limit(1)) is not None


def _hash(pin: str, salt: bytes) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
