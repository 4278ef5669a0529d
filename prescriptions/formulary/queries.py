"""Reads of the formulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.models import Account, Practitioner
from prescriptions.formulary.knowledge import folded
from prescriptions.formulary.product import Product
from prescriptions.models import Medication, MedicationVersion

PAGE = 50


@dataclass(frozen=True)
class Entry:
    """A medicine with its version in force."""

    medication: Medication
    version: MedicationVersion

    @cached_property
    def product(self) -> Product:
        """What the version says."""
        return Product.model_validate(self.version.content)

    @property
    def verified(self) -> bool:
        """Whether a pharmacist has verified it."""
        return self.version.verified_at is not None


@dataclass(frozen=True)
class Past:
    """A version with who wrote it and who verified it, as far as they work here."""

    version: MedicationVersion
    author: Practitioner | None
    verifier: Practitioner | None


def _in_force() -> Select[Medication, MedicationVersion]:
    current = and_(MedicationVersion.medication_id == Medication.id, MedicationVersion.n == Medication.latest)
    return select(Medication, MedicationVersion).join(MedicationVersion, current).order_by(Medication.code)


def search(session: Session, text: str, *, after: str = "", waiting: bool = False, usable: bool = False) -> list[Entry]:
    """Medicines that have every word, by code, one page from after a code on, and one more if there are more.

    ``waiting``: only those that nobody has verified; ``usable``: only those in use.
    """
    found = _in_force().where(Medication.code > after).limit(PAGE + 1)
    for word in folded(text).split()[:6]:
        latin = f"% {word}%" if word.isascii() else f"%{word}%"
        found = found.where(or_(Medication.search.like(_escaped(latin))))
    if waiting:
        found = found.where(MedicationVersion.verified_at.is_(None))
    if waiting or usable:
        found = found.where(Medication.active)
    return [Entry(*row) for row in session.execute(found)]


def _escaped(pattern: str) -> str:
    return pattern[0] + pattern[1:-1].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + pattern[-1]


def entry(session: Session, medication_id: UUID) -> Entry:
    """One medicine. Raises NotFound."""
    row = session.execute(_in_force().where(Medication.id == medication_id)).one_or_none()
    if row is None:
        raise NotFound
    return Entry(*row)


def find(session: Session, code: str) -> Entry | None:
    """One medicine by its code, if there is one."""
    row = session.execute(_in_force().where(Medication.code == code)).one_or_none()
    return Entry(*row) if row else None


def all_entries(session: Session) -> list[Entry]:
    """The whole formulary, what is out of use included."""
    return [Entry(*row) for row in session.execute(_in_force())]


def history(session: Session, medication_id: UUID) -> Sequence[Past]:
    """Every version, the newest first."""
    rows = session.scalars(
        select(MedicationVersion)
        .where(MedicationVersion.medication_id == medication_id)
        .order_by(MedicationVersion.n.desc())
    ).all()
    wrote = {row.account_id for row in rows if row.account_id}
    verified = {row.verified_by_id for row in rows if row.verified_by_id}
    people = session.scalars(
        select(Practitioner)
        .outerjoin(Account, Account.id == Practitioner.account_id)
        .where(or_(Account.id.in_(wrote), Practitioner.id.in_(verified)))
    ).all()
    by_account = {one.account_id: one for one in people}
    by_id = {one.id: one for one in people}
    return [Past(row, by_account.get(row.account_id), by_id.get(row.verified_by_id or row.id)) for row in rows]
