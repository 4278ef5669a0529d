"""Signatures: whatever byte of a signed prescription is changed, it is found; and whose certificates count."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from config.encryption import ring
from people.models import Practitioner
from prescriptions.signing import authority, keys
from prescriptions.signing.actions import sign, verify
from prescriptions.signing.authority import AuthorityUnavailable, SetupAuthority
from prescriptions.signing.keys import KeptKeys
from prescriptions.signing.models import Signature, SignatureRole, SigningCertificate
from prescriptions.signing.refusals import Damaged, NoAuthority, NoCertificate
from prescriptions.writing import queries
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus
from tests.prescriptions.made import SECRET, SIGNER, signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital


@pytest.fixture
def made(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    return signed(session, hospital, now, FEVER, IBUPROFEN)


def test_what_was_signed_is_read_again(session: Session, made: Prescription) -> None:
    found = verify(session, made)
    assert [line["code"] for line in found.content["lines"]] == [FEVER, IBUPROFEN]
    assert set(found.signatures) == {SignatureRole.PRESCRIBER, SignatureRole.REVIEWER}
    assert found.signatures[SignatureRole.PRESCRIBER].name == "赵医生"
    assert [one.product.code for one in queries.medicines(session, made.id)] == [FEVER, IBUPROFEN]


Change = Callable[[Session, Prescription], object]


def _row(**values: object) -> Change:
    return lambda session, made: session.execute(
        update(Prescription).where(Prescription.id == made.id).values(**values)
    )


def _line(**values: object) -> Change:
    return lambda session, made: session.execute(
        update(PrescriptionLine)
        .where(PrescriptionLine.prescription_id == made.id, PrescriptionLine.n == 1)
        .values(values)
    )


def _signature(role: SignatureRole, **values: object) -> Change:
    return lambda session, made: session.execute(
        update(Signature).where(Signature.prescription_id == made.id, Signature.role == role).values(**values)
    )


def _certificate(**values: object) -> Change:
    return lambda session, made: session.execute(
        update(SigningCertificate).where(SigningCertificate.practitioner_id == made.practitioner_id).values(**values)
    )


def _flipped_content(session: Session, made: Prescription) -> None:
    text = made.content or ""
    at = text.index('"dose":') + 7
    session.execute(
        update(Prescription)
        .where(Prescription.id == made.id)
        .values(content=text[:at] + ("9" if text[at] != "9" else "8") + text[at + 1 :])
    )


def _flipped_cipher(session: Session, made: Prescription) -> None:
    sealed = bytearray(ring().encrypt(made.content or "", "prescriptions.content"))
    sealed[-1] ^= 1
    session.connection().exec_driver_sql(
        "update prescriptions set content = %s where id = %s", (bytes(sealed), made.id)
    )


def _flipped_value(session: Session, made: Prescription) -> None:
    kept = session.scalars(select(Signature).where(Signature.role == SignatureRole.PRESCRIBER)).one()
    value = bytearray(kept.value)
    value[-1] ^= 1
    session.execute(update(Signature).where(Signature.id == kept.id).values(value=bytes(value)))


def _flipped_over(session: Session, made: Prescription) -> None:
    kept = session.scalars(select(Signature).where(Signature.role == SignatureRole.REVIEWER)).one()
    session.execute(
        update(Signature).where(Signature.id == kept.id).values(over=kept.over.replace('"more":{', '"more":{"x":1,'))
    )


def _from_elsewhere(session: Session, made: Prescription) -> None:
    """A certificate with the right name and key, from an authority of one's own."""
    kept = session.scalars(
        select(SigningCertificate).where(SigningCertificate.practitioner_id == made.practitioner_id)
    ).one()
    wanted = keys.request_for(session.get_one(Practitioner, made.practitioner_id))
    chain = SetupAuthority(b"another").issue(wanted.request, made.created_at)
    serial = f"{chain[0].serial_number:x}"
    session.execute(
        update(SigningCertificate)
        .where(SigningCertificate.id == kept.id)
        .values(certificate=keys.pem(chain), key=wanted.key, serial=serial)
    )
    session.expire_all()
    session.execute(Signature.__table__.delete().where(Signature.role == SignatureRole.PRESCRIBER))  # type: ignore[attr-defined]
    doctor = session.get_one(Practitioner, made.practitioner_id)
    sign(session, made, SignatureRole.PRESCRIBER, doctor, {}, SIGNER, made.created_at)


CHANGES: dict[str, Change] = {
    "content": _flipped_content,
    "cipher": _flipped_cipher,
    "digest": _row(digest=b"\0" * 32),
    "number": _row(number="R1"),
    "validity": lambda session, made: _row(valid_until=made.valid_until + timedelta(days=1))(session, made),  # type: ignore[operator]
    "emergency": _row(emergency=True),
    "status": _row(status=PrescriptionStatus.REJECTED),
    "review": _row(codes=["1-1"]),
    "review-text": _row(review_text="fine"),
    "dose": _line(dose=10_000),
    "days": _line(days=9),
    "rule": _line(rule="x"),
    "value": _flipped_value,
    "over": _flipped_over,
    "at": lambda session, made: _signature(SignatureRole.REVIEWER, at=made.created_at - timedelta(seconds=1))(
        session, made
    ),
    "certificate": _certificate(certificate="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    "serial": _certificate(serial="1"),
    "authority": _from_elsewhere,
    "gone": lambda session, made: session.execute(
        Signature.__table__.delete().where(Signature.role == SignatureRole.PRESCRIBER)  # type: ignore[attr-defined]
    ),
    "line gone": lambda session, made: session.execute(
        PrescriptionLine.__table__.delete().where(PrescriptionLine.n == 2)  # type: ignore[attr-defined]
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_byte_is_found(session: Session, made: Prescription, what: str) -> None:
    CHANGES[what](session, made)
    session.expire_all()
    with pytest.raises(Damaged):
        verify(session, made)
    with pytest.raises(Damaged):
        queries.medicines(session, made.id)


def test_unchanged_it_holds_whoever_reads_it(session: Session, made: Prescription) -> None:
    """The negative of the above: reading anew alone damages nothing."""
    session.expire_all()
    assert verify(session, made).digest == (made.digest or b"").hex()


@pytest.fixture
def other_roots() -> Iterator[None]:
    before = SIGNER.authority
    assert before
    authority.trust(SetupAuthority(b"the hospital's").roots)
    yield
    authority.trust(before.roots)


def test_what_the_demo_signed_is_worth_nothing_where_another_is_trusted(
    session: Session, made: Prescription, other_roots: None
) -> None:
    with pytest.raises(Damaged):
        verify(session, made)


class Slow(SetupAuthority):
    """An authority that has to be asked over the network."""

    demo = False
    at_once = False


def test_without_an_authority_nothing_is_signed(session: Session, hospital: Hospital, now: datetime) -> None:
    with pytest.raises(NoAuthority):
        KeptKeys(None).certificate(session, hospital.doctor, now)


def test_a_demo_certificate_is_none_where_the_authority_is_the_hospitals(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    SIGNER.certificate(session, hospital.doctor, now)
    slow = Slow(SECRET)
    with pytest.raises(NoCertificate):
        KeptKeys(slow).certificate(session, hospital.doctor, now)
    wanted = next(one for one in keys.missing(session, slow, now) if one.practitioner_id == hospital.doctor.id)
    keys.keep(session, wanted, slow.issue(wanted.request, now), slow, now)
    assert not KeptKeys(slow).certificate(session, hospital.doctor, now).demo
    assert hospital.doctor.id not in {one.practitioner_id for one in keys.missing(session, slow, now)}
    later = now + authority.SPAN - timedelta(days=1)
    assert hospital.doctor.id in {one.practitioner_id for one in keys.missing(session, slow, later)}


def test_a_certificate_for_another_key_is_not_kept(session: Session, hospital: Hospital, now: datetime) -> None:
    setup = SetupAuthority(SECRET)
    mine, others = keys.request_for(hospital.doctor), keys.request_for(hospital.doctor)
    with pytest.raises(AuthorityUnavailable):
        keys.keep(session, mine, setup.issue(others.request, now), setup, now)


def test_everybody_has_a_key_of_their_own(session: Session, hospital: Hospital, now: datetime) -> None:
    one, other = (SIGNER.certificate(session, who, now) for who in (hospital.doctor, hospital.colleague))
    seal = SIGNER.seal(session, now)
    assert len({one.key, other.key, seal.key}) == 3
    assert one is SIGNER.certificate(session, hospital.doctor, now)
    stored = session.connection().exec_driver_sql("select key from signing_certificates").scalars().all()
    assert not any(b"PRIVATE" in bytes(key) for key in stored)
