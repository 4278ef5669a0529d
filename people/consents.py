"""Consent: the texts are data with a version; the newest answer of an account to a kind counts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, and_, false, func, select, true
from sqlalchemy.orm import Session

from config.settings import ROOT
from people.audit import record
from people.models import Consent, ConsentKind, Decision


@dataclass(frozen=True)
class ConsentText:
    """One consent text in its current version; title, paragraphs and what a refusal means are by locale.

    ``required``: without it nothing can be booked; another one is to be answered, and may be refused.
    """

    kind: ConsentKind
    version: str
    title: dict[str, str]
    paragraphs: dict[str, tuple[str, ...]]
    refusal: dict[str, str]
    required: bool = True


@cache
def texts() -> tuple[ConsentText, ...]:
    """The current texts (config/data/consents.toml), in the order in which they are asked."""
    with (ROOT / "config/data/consents.toml").open("rb") as source:
        entries = tomllib.load(source)["consent"]
    return tuple(
        ConsentText(
            kind=ConsentKind(entry["kind"]),
            version=entry["version"],
            title=entry["title"],
            paragraphs={locale: tuple(lines) for locale, lines in entry["paragraphs"].items()},
            refusal=entry["refusal"],
            required=entry.get("required", True),
        )
        for entry in entries
    )


def decide(
    session: Session, account_id: UUID, kind: ConsentKind, decision: Decision, *, locale: str, now: datetime
) -> None:
    """Keep an account's answer to the current version of a text."""
    version = next(text.version for text in texts() if text.kind is kind)
    consent = Consent(account_id=account_id, kind=kind, version=version, decision=decision, locale=locale, at=now)
    session.add(consent)
    session.flush()
    record(
        session,
        "consent",
        at=now,
        entity="consent",
        entity_id=consent.id,
        account_id=account_id,
        decision=str(decision),
    )


def decisions(session: Session, account_id: UUID) -> dict[ConsentKind, Decision]:
    """The account's newest answer to each text in its current version."""
    rows = session.scalars(select(Consent).where(Consent.account_id == account_id).order_by(Consent.id))
    current = {text.kind: text.version for text in texts()}
    return {row.kind: row.decision for row in rows if current[row.kind] == row.version}


def agreed(account_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """What ``given`` says, as part of a statement."""
    return and_(true(), *(func.coalesce(_newest(account_id, text).in_(_passing(text)), false()) for text in texts()))


def _newest(account_id: ColumnElement[UUID], text: ConsentText) -> ScalarSelect[Decision]:
    return (
        select(Consent.decision)
        .where(Consent.account_id == account_id, Consent.kind == text.kind, Consent.version == text.version)
        .order_by(Consent.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _passing(text: ConsentText) -> tuple[Decision, ...]:
    """Which answers to a text let somebody go on."""
    return (Decision.PERMIT,) if text.required else tuple(Decision)


def given(session: Session, account_id: UUID) -> bool:
    """Whether the account agrees to every required text in its current version, and has answered the others."""
    return passes(decisions(session, account_id))


def passes(answers: dict[ConsentKind, Decision]) -> bool:
    """Whether these answers let somebody go on."""
    return all(answers.get(text.kind) in _passing(text) for text in texts())


def recording(session: Session, account_id: UUID) -> Decision | None:
    """The account's answer to the recording of video visits; None: not asked yet, or in an older version."""
    return decisions(session, account_id).get(ConsentKind.RECORDING)
