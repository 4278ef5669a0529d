"""Keys: one for each person, and one for the clinic's seal on papers; made here, kept encrypted, vouched for by the
authority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.hospital import hospital
from config.ids import new_id
from config.text import CHINESE
from people.models import Practitioner, PractitionerRole, Role
from prescriptions.signing.authority import AuthorityUnavailable, CertificateAuthority, Chain
from prescriptions.signing.models import SigningCertificate
from prescriptions.signing.refusals import NoAuthority, NoCertificate

SIGNS = (Role.DOCTOR, Role.PHARMACIST, Role.DISPATCHER)
EARLY = timedelta(days=14)  # before a certificate runs out another is asked for


class Signer(Protocol):
    """Signs for a person with the key that is theirs alone."""

    def certificate(self, session: Session, who: Practitioner, now: datetime) -> SigningCertificate:
        """The person's certificate of this moment. Raises NoAuthority, NoCertificate."""
        ...

    def sign(self, certificate: SigningCertificate, data: bytes) -> bytes:
        """The signature over some bytes (ECDSA over P-256 with SHA-256)."""
        ...

    def seal(self, session: Session, now: datetime) -> SigningCertificate:
        """The clinic's own certificate, for papers. Raises NoAuthority, NoCertificate."""
        ...


@dataclass(frozen=True)
class Wanted:
    """Somebody who needs a certificate (None: the clinic's seal), with a new key and the request for it."""

    practitioner_id: UUID | None
    key: str
    request: x509.CertificateSigningRequest


@dataclass(frozen=True)
class KeptKeys:
    """A Signer whose keys lie in the clinic's own database, encrypted. ``authority`` None: nothing can be signed."""

    authority: CertificateAuthority | None

    def certificate(self, session: Session, who: Practitioner, now: datetime) -> SigningCertificate:
        """The person's; where the authority answers at once, it is made when it is missing."""
        return self._of(session, who, now)

    def seal(self, session: Session, now: datetime) -> SigningCertificate:
        """The clinic's seal, likewise."""
        return self._of(session, None, now)

    def sign(self, certificate: SigningCertificate, data: bytes) -> bytes:
        """With the kept key."""
        if certificate.key is None:
            raise NoCertificate
        key = load_pem_private_key(certificate.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)  # noqa: S101 - none other is made here
        return key.sign(data, ec.ECDSA(hashes.SHA256()))

    def _of(self, session: Session, who: Practitioner | None, now: datetime) -> SigningCertificate:
        if self.authority is None:
            raise NoAuthority
        found = current(session, self.authority, who.id if who else None, now)
        if found is None and self.authority.at_once:
            wanted = request_for(who)
            keep(session, wanted, self.authority.issue(wanted.request, now), self.authority, now)
            found = current(session, self.authority, wanted.practitioner_id, now)
        if found is None:
            raise NoCertificate
        return found


def current(
    session: Session, authority: CertificateAuthority, practitioner_id: UUID | None, now: datetime
) -> SigningCertificate | None:
    """The certificate that is good now; a demo's is none where the authority is the hospital's."""
    return session.scalar(
        select(SigningCertificate).where(
            _whose(practitioner_id),
            SigningCertificate.ended_at.is_(None),
            SigningCertificate.demo == authority.demo,
            SigningCertificate.not_before <= now,
            SigningCertificate.not_after > now,
        )
    )


def _whose(practitioner_id: UUID | None) -> ColumnElement[bool]:
    column = SigningCertificate.practitioner_id
    return column.is_(None) if practitioner_id is None else column == practitioner_id


def request_for(who: Practitioner | None) -> Wanted:
    """A new key, and what is asked of the authority: name, licence and number of the person, or the clinic's seal."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN")]
    names.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, hospital().name[CHINESE][:64]))
    names.append(x509.NameAttribute(NameOID.COMMON_NAME, (who.name[CHINESE] if who else hospital().name[CHINESE])[:64]))
    if who:
        names.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, str(who.id)))
    built = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names)).sign(key, hashes.SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Wanted(who.id if who else None, pem, built)


def keep(session: Session, wanted: Wanted, chain: Chain, authority: CertificateAuthority, now: datetime) -> None:
    """Keep what the authority gave; the one before ends. Two at once keep one. Raises AuthorityUnavailable when the
    certificate is for another key or another person."""
    given = chain[0]
    if given.public_key() != wanted.request.public_key() or given.subject != wanted.request.subject:
        raise AuthorityUnavailable("another key or name than was asked for")
    session.execute(
        update(SigningCertificate)
        .where(_whose(wanted.practitioner_id), SigningCertificate.ended_at.is_(None))
        .where((SigningCertificate.not_after <= now + EARLY) | (SigningCertificate.demo != authority.demo))
        .values(ended_at=now)
        .execution_options(synchronize_session=False)
    )
    made = insert(SigningCertificate).values(
        id=new_id(),
        practitioner_id=wanted.practitioner_id,
        serial=f"{given.serial_number:x}",
        certificate=pem(chain),
        key=wanted.key,
        demo=authority.demo,
        not_before=given.not_valid_before_utc,
        not_after=given.not_valid_after_utc,
        created_at=now,
    )
    session.execute(made.on_conflict_do_nothing())


def missing(session: Session, authority: CertificateAuthority, now: datetime, limit: int = 20) -> list[Wanted]:
    """A new key and request for each of the staff who sign and whose certificate is missing or runs out soon, and for
    the seal."""
    good = select(SigningCertificate.practitioner_id).where(
        SigningCertificate.ended_at.is_(None),
        SigningCertificate.demo == authority.demo,
        SigningCertificate.not_after > now + EARLY,
    )
    seal = session.scalar(good.where(SigningCertificate.practitioner_id.is_(None)).limit(1).with_only_columns(1))
    people = session.scalars(
        select(Practitioner)
        .join(PractitionerRole, PractitionerRole.practitioner_id == Practitioner.id)
        .where(PractitionerRole.role.in_(SIGNS), Practitioner.active, Practitioner.account_id.is_not(None))
        .where(Practitioner.id.not_in(good.where(SigningCertificate.practitioner_id.is_not(None))))
        .order_by(Practitioner.id)
        .limit(limit)
        .distinct()
    )
    wanted: Sequence[Practitioner | None] = [*([] if seal else [None]), *people]
    return [request_for(who) for who in wanted]


def pem(chain: Chain) -> str:
    """A chain as it is kept."""
    return "".join(one.public_bytes(Encoding.PEM).decode() for one in chain)


def chain_of(kept: SigningCertificate) -> Chain:
    """A kept chain. Raises ValueError when it is none."""
    return x509.load_pem_x509_certificates(kept.certificate.encode())
