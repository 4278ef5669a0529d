"""Signing a prescription as one of its four roles, and looking whether everything is still what was signed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from sqlalchemy.orm import Session

from consultation.record.content import canonical
from people.models import Practitioner
from prescriptions.signing.keys import Signer, chain_of
from prescriptions.signing.models import Signature, SignatureRole
from prescriptions.signing.verifying import Verified, verified
from prescriptions.writing.models import Prescription

FORMAT = 1


def sign(
    session: Session,
    prescription: Prescription,
    role: SignatureRole,
    practitioner: Practitioner,
    more: Mapping[str, Any],
    signer: Signer,
    now: datetime,
) -> Signature:
    """Sign the prescription's digest, the role, the moment and ``more`` (for dispenser and checker the lots) with the
    person's own key. Raises NoAuthority, NoCertificate."""
    assert prescription.digest is not None  # noqa: S101 - a draft is not signed
    certificate = signer.certificate(session, practitioner, now)
    over = canonical(
        {
            "format": FORMAT,
            "prescription": str(prescription.id),
            "digest": prescription.digest.hex(),
            "role": str(role),
            "practitioner": str(practitioner.id),
            "certificate": chain_of(certificate)[0].fingerprint(hashes.SHA256()).hex(),
            "at": now.astimezone(UTC).isoformat(),
            "more": dict(more),
        }
    )
    made = Signature(
        prescription_id=prescription.id,
        role=role,
        practitioner_id=practitioner.id,
        certificate_id=certificate.id,
        over=over,
        value=signer.sign(certificate, over.encode()),
        at=now,
    )
    session.add(made)
    session.flush()
    return made


def verify(session: Session, prescription: Prescription) -> Verified:
    """What was signed, and by whom, read anew from the database: content, digest, lines, signatures and certificates
    agree with each other. Raises Damaged."""
    return verified(session, prescription)
