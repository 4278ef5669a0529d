"""Changing the formulary: every change is a version, and says who made it."""

from __future__ import annotations

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from people.audit import record as audit
from people.models import Practitioner
from prescriptions.formulary.knowledge import FOLDER, SOURCE, knowledge
from prescriptions.formulary.product import Product
from prescriptions.formulary.refusals import VersionChanged
from prescriptions.formulary.words import search_text
from prescriptions.models import Medication, MedicationVersion

SHIPPED = "formulary file"


@cache
def shipped(folder: Path = FOLDER) -> tuple[Product, ...]:
    """The products of the hospital's files. Raises ValueError when a file is not what it should be."""
    found = []
    for path in sorted(path for path in folder.glob("*.toml") if path.name != SOURCE.name):
        rows = tomllib.loads(path.read_text(encoding="utf-8"))["product"]
        found += [Product.model_validate(row) for row in rows]
    for product in found:
        if unknown := knowledge().unknown(product):
            raise ValueError(f"{product.code}: {unknown}")
    return tuple(found)


def load(session: Session, now: datetime) -> int:
    """Products of the files that the formulary does not have; what it has stays the desk's. Returns how many are
    new."""
    known = set(session.scalars(select(Medication.code)))
    new = [product for product in shipped() if product.code not in known]
    for product in new:
        put(session, product, by=None, note=SHIPPED, now=now)
    return len(new)


def put(session: Session, product: Product, *, by: UUID | None, note: str, now: datetime) -> Product | None:
    """Make this the product's version in force, not yet verified. Returns what it was before; the same one: nothing is
    done."""
    row = session.scalar(select(Medication).where(Medication.code == product.code).with_for_update())
    before = Product.model_validate(version(session, row).content) if row else None
    if before == product:
        return before
    if row is None:
        row = Medication(code=product.code, latest=1, search=search_text(product))
        session.add(row)
        session.flush()
    else:
        row.latest, row.search = row.latest + 1, search_text(product)
    content = product.as_data()
    session.add(
        MedicationVersion(medication_id=row.id, n=row.latest, content=content, account_id=by, note=note[:200], at=now)
    )
    session.flush()
    if by:
        audit(session, "change-medicine", at=now, entity="medication", entity_id=row.id, account_id=by, n=row.latest)
    return before


def version(session: Session, row: Medication) -> MedicationVersion:
    """The version in force."""
    return session.scalars(
        select(MedicationVersion).where(MedicationVersion.medication_id == row.id, MedicationVersion.n == row.latest)
    ).one()


def locked(session: Session, medication_id: UUID, n: int) -> tuple[Medication, MedicationVersion]:
    """A medicine and its version in force, to change them. Raises NotFound, VersionChanged if that is not ``n``."""
    row = session.scalar(select(Medication).where(Medication.id == medication_id).with_for_update())
    if row is None:
        raise NotFound
    if row.latest != n:
        raise VersionChanged
    return row, version(session, row)


def verify(session: Session, medication_id: UUID, n: int, *, by: Practitioner, now: datetime) -> None:
    """A pharmacist (the view asks for the role) has compared this version with the label. Raises as ``locked``."""
    row, found = locked(session, medication_id, n)
    if found.verified_at is None:
        found.verified_by_id, found.verified_at = by.id, now
        person = by.account_id
        audit(session, "verify-medicine", at=now, entity="medication", entity_id=row.id, account_id=person, n=n)


def set_active(session: Session, medication_id: UUID, n: int, *, active: bool, by: UUID, now: datetime) -> None:
    """Take a medicine out of use, or use it again. Raises as ``locked``."""
    row, _ = locked(session, medication_id, n)
    row.active = active
    action = "use-medicine" if active else "stop-medicine"
    audit(session, action, at=now, entity="medication", entity_id=row.id, account_id=by)
