"""Consent: the texts are data with a version; the newest answer of an account to a kind counts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.settings import ROOT
from people.audit import record
from people.models import Consent, ConsentKind, Decision


@dataclass(frozen=True)
class ConsentText:
    """One consent text in its current version; title, paragraphs and what a refusal means are by locale."""

    kind: ConsentKind
    version: str
    title: dict[str, str]
    paragraphs: dict[str, tuple[str, ...]]
    refusal: dict[str, str]


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
        session, "consent", at=now, entity="consent", entity_id=consent.id, account_id=account_id, outcome=str(decision)
    )


def decisions(session: Session, account_id: UUID) -> dict[ConsentKind, Decision]:
    """The account's newest answer to each text in its current version."""
    rows = session.scalars(select(Consent).where(Consent.account_id == account_id).order_by(Consent.id))
    current = {text.kind: text.version for text in texts()}
    return {row.kind: row.decision for row in rows if current[row.kind] == row.version}


def given(session: Session, account_id: UUID) -> bool:
    """Whether the account agrees to every text in its current version."""
    answers = decisions(session, account_id)
    return all(answers.get(text.kind) is Decision.PERMIT for text in texts())
