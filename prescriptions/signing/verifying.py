"""Whether a prescription is what was signed: every byte of it is compared at every reading."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from config.encryption import DecryptionError
from consultation.record.content import canonical, digest
from prescriptions.signing.authority import trusted
from prescriptions.signing.keys import chain_of
from prescriptions.signing.models import Signature, SignatureRole, SigningCertificate
from prescriptions.signing.refusals import Damaged
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus

log = structlog.get_logger()

AMOUNTS = ("n", "rule", "dose", "times", "interval", "days", "packages")
DECISIONS = {"accept": PrescriptionStatus.APPROVED, "reject": PrescriptionStatus.REJECTED}


@dataclass(frozen=True)
class Signed:
    """One signature that holds: as what, by whom, when, with which certificate, and what else it says."""

    role: SignatureRole
    practitioner_id: UUID
    name: str
    at: datetime
    serial: str
    more: Mapping[str, Any]


@dataclass(frozen=True)
class Verified:
    """A prescription that is what was signed: its content (writing/content.py) and its signatures by role."""

    content: Mapping[str, Any]
    digest: str
    signatures: Mapping[SignatureRole, Signed]


def verified(session: Session, prescription: Prescription) -> Verified:
    """Read the prescription anew and compare everything. Raises Damaged."""
    try:
        session.flush()
        _read_anew(session, prescription)
        content = _content(prescription, _lines(session, prescription))
        signatures = [
            _signature(prescription, row, certificate) for row, certificate in _signatures(session, prescription)
        ]
        found = {one.role: one for one in signatures}
        _decided(prescription, found)
    except (DecryptionError, InvalidSignature, ValueError, KeyError, TypeError) as error:
        log.error("prescription-damaged", prescription=str(prescription.id), why=type(error).__name__)
        raise Damaged from error
    return Verified(content, (prescription.digest or b"").hex(), found)


def _read_anew(session: Session, prescription: Prescription) -> None:
    whole = select(Prescription).where(Prescription.id == prescription.id).options(undefer("*"))
    session.scalars(whole.execution_options(populate_existing=True)).one()


def _lines(session: Session, prescription: Prescription) -> Sequence[PrescriptionLine]:
    return session.scalars(
        select(PrescriptionLine)
        .where(PrescriptionLine.prescription_id == prescription.id)
        .order_by(PrescriptionLine.n)
        .execution_options(populate_existing=True)
    ).all()


def _signatures(session: Session, prescription: Prescription) -> Sequence[tuple[Signature, SigningCertificate]]:
    rows = session.execute(
        select(Signature, SigningCertificate)
        .join(SigningCertificate, SigningCertificate.id == Signature.certificate_id)
        .where(Signature.prescription_id == prescription.id)
        .options(undefer(Signature.over))
        .execution_options(populate_existing=True)
    )
    return [(row[0], row[1]) for row in rows]


def _content(row: Prescription, lines: Sequence[PrescriptionLine]) -> Mapping[str, Any]:
    """The content, when it has its digest and names this row and these lines."""
    text, kept = row.content or "", row.digest or b""
    if digest(text) != kept:
        raise ValueError("digest")
    content: dict[str, Any] = json.loads(text)
    said = [
        content[name] for name in ("id", "number", "encounter", "emergency", "signed_at", "valid_until", "replaces")
    ]
    ours = [str(row.id), row.number, str(row.encounter_id), row.emergency, _iso(row.signed_at), _iso(row.valid_until)]
    if said != [*ours, str(row.replaces_id) if row.replaces_id else None]:
        raise ValueError("row")
    people = (content["patient"]["id"], content["practitioner"]["id"], content["department"]["id"])
    if people != (str(row.patient_id), str(row.practitioner_id), str(row.department_id)):
        raise ValueError("people")
    if [_said(one) for one in content["lines"]] != [_kept(one) for one in lines]:
        raise ValueError("lines")
    if any(one.patient_id != row.patient_id for one in lines):
        raise ValueError("patient of a line")
    return content


def _said(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in (*AMOUNTS, "medication", "version", "starts_on", "until")}


def _kept(line: PrescriptionLine) -> dict[str, Any]:
    found: dict[str, Any] = {name: getattr(line, name) for name in AMOUNTS}
    ids = {"medication": str(line.medication_id), "version": str(line.version_id)}
    return found | ids | {"starts_on": line.starts_on.isoformat(), "until": line.until.isoformat()}


def _iso(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def _signature(prescription: Prescription, row: Signature, kept: SigningCertificate) -> Signed:
    """A signature that names what its row says, and holds under a certificate that we trust."""
    over = json.loads(row.over)
    chain = chain_of(kept)
    own = chain[0]
    expected = {
        "format": over["format"],
        "prescription": str(prescription.id),
        "digest": (prescription.digest or b"").hex(),
        "role": str(row.role),
        "practitioner": str(row.practitioner_id),
        "certificate": own.fingerprint(hashes.SHA256()).hex(),
        "at": _iso(row.at),
        "more": over["more"],
    }
    if canonical(expected) != row.over or not trusted(chain, row.at):
        raise ValueError("signature")
    if kept.practitioner_id != row.practitioner_id or _person(own) != str(row.practitioner_id):
        raise ValueError("somebody else's certificate")
    if f"{own.serial_number:x}" != kept.serial:
        raise ValueError("serial")
    key = own.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise TypeError("key")
    key.verify(row.value, row.over.encode(), ec.ECDSA(hashes.SHA256()))
    name = own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    return Signed(row.role, row.practitioner_id, str(name), row.at, kept.serial, over["more"])


def _person(own: x509.Certificate) -> str:
    return str(own.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value)


def _decided(row: Prescription, signatures: Mapping[SignatureRole, Signed]) -> None:
    """The doctor has signed; the pharmacist's signature says what the row says."""
    doctor, reviewer = signatures[SignatureRole.PRESCRIBER], signatures.get(SignatureRole.REVIEWER)
    if (doctor.at, doctor.practitioner_id) != (row.signed_at, row.practitioner_id):
        raise ValueError("prescriber")
    decided = DECISIONS[reviewer.more["decision"]] if reviewer else PrescriptionStatus.IN_REVIEW
    if row.status not in {decided, PrescriptionStatus.CANCELLED}:
        raise ValueError("status")
    said: tuple[object, ...] = (None, None, [], None)
    if reviewer:
        said = (reviewer.at, reviewer.practitioner_id, reviewer.more["codes"], reviewer.more["text"])
    if said != (row.reviewed_at, row.reviewer_id, row.codes, row.review_text):
        raise ValueError("review")
