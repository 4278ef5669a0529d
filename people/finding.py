"""Finding a family for the administration: by a guardian's phone, the child's name, the QR code or the patient number.

All are exact and compared as keyed hashes, so the database holds nothing to read. Every look-up is in the audit record,
which also counts them: nobody can try numbers one after the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.database import Json, transaction
from config.encryption import blind
from config.errors import NotFound
from config.ids import new_id
from people.audit import record as audit
from people.index import IndexRecord, PatientIndex, code_blind, number_blind
from people.models import AuditEvent, Patient, PatientPhone
from people.refusals import IndexUnavailable, NothingToFind, PhoneMalformed, TooManyLookUps
from people.rules import plain_name

log = structlog.get_logger()

NAME_CONTEXT, PHONE_CONTEXT = "patients.name", "patients.phone"
LOOK_UP = "look-up"  # an index of the audit record has only these: people/models.py
PER_HOUR = 60  # by one member of staff
SHOWN = 20  # children at once
GOOD_FOR = timedelta(hours=1)  # a look-up's page
BATCH = 200
_MARKS = re.compile(r"[\s().\-]")
_MAINLAND = re.compile(r"(?:\+?86|0086)(1\d{10})")


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for: all that is given must fit; the birth date alone finds nobody."""

    phone: str = ""
    name: str = ""
    born: date | None = None
    code: str = ""


@dataclass(frozen=True)
class Found:
    """The children that a look-up found (``by``: phone, name, code or several); ``more``: too many to show all."""

    by: str
    children: Sequence[Patient]
    more: bool


def plain_phone(text: str) -> str:
    """A phone number as it is compared: digits only, a mobile number without the country's 86."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKC", text))
    match = _MAINLAND.fullmatch(plain)
    return match[1] if match else plain


def phone_blind(phone: str) -> bytes:
    """The blind index of a guardian's phone."""
    return blind(plain_phone(phone), PHONE_CONTEXT)


def name_blind(name: str) -> bytes:
    """The blind index of a child's name, as people/rules.py compares names."""
    return blind(plain_name(name), NAME_CONTEXT)


def keep_phones(session: Session, patient_id: UUID, phones: Iterable[str]) -> None:
    """The child is found by these phones from now on, and by no others."""
    keys = {phone_blind(phone) for phone in phones}
    mine = PatientPhone.patient_id == patient_id
    session.execute(delete(PatientPhone).where(mine, PatientPhone.phone_blind.not_in(keys)))
    if keys:
        rows = [{"phone_blind": key, "patient_id": patient_id} for key in sorted(keys)]
        session.execute(insert(PatientPhone).values(rows).on_conflict_do_nothing())


def look_up(session: Session, account_id: UUID, wanted: Wanted, now: datetime) -> UUID:
    """Find children, for a member of staff who may. Returns the look-up's id, under which `found` shows them.

    Raises NothingToFind, PhoneMalformed (by field) and TooManyLookUps (by member of staff and hour); all but the first
    two are recorded.
    """
    by, condition = _condition(wanted)
    _count(session, account_id, now)
    query = select(Patient.id).where(condition).order_by(Patient.birth_date.desc(), Patient.id).limit(SHOWN + 1)
    ids = [str(found) for found in session.scalars(query)]
    look_up_id = new_id()
    detail: Json = {"by": by, "children": ids[:SHOWN], "more": len(ids) > SHOWN}
    audit(session, LOOK_UP, at=now, entity=LOOK_UP, entity_id=look_up_id, account_id=account_id, **detail)
    return look_up_id


def _condition(wanted: Wanted) -> tuple[str, ColumnElement[bool]]:
    """What was asked for, in words of the record, and how to ask the database."""
    asked: dict[str, ColumnElement[bool]] = {}
    if wanted.phone:
        plain = plain_phone(wanted.phone)
        if not re.fullmatch(r"\d{7,15}", plain, re.ASCII):
            raise PhoneMalformed(field="phone")
        children = select(PatientPhone.patient_id).where(PatientPhone.phone_blind == phone_blind(plain))
        asked["phone"] = Patient.id.in_(children)
    if plain_name(wanted.name):
        asked["name"] = Patient.name_blind == name_blind(wanted.name)
    if wanted.code:
        keys = (Patient.code_blind == code_blind(wanted.code), Patient.number_blind == number_blind(wanted.code))
        asked["code"] = or_(*keys)
    if not asked:
        raise NothingToFind(field="phone")
    born = [Patient.birth_date == wanted.born] if wanted.born else []
    return " ".join(asked), and_(*asked.values(), *born)


def _count(session: Session, account_id: UUID, now: datetime) -> None:
    """One look-up more within the hour; those of one member of staff queue, so that none slips past the limit."""
    session.execute(select(func.pg_advisory_xact_lock(account_id.int & (2**62 - 1))))
    lately = select(AuditEvent.id).where(
        AuditEvent.account_id == account_id,
        AuditEvent.action == LOOK_UP,
        AuditEvent.at > now - timedelta(hours=1),
        AuditEvent.outcome == "done",
    )
    if len(session.scalars(lately.limit(PER_HOUR)).all()) == PER_HOUR:
        code = TooManyLookUps.code
        raise TooManyLookUps(
            most=PER_HOUR,
            afterwards=lambda later: audit(later, LOOK_UP, at=now, entity=LOOK_UP, account_id=account_id, outcome=code),
        )


def found(session: Session, account_id: UUID, look_up_id: UUID, now: datetime) -> Found:
    """What a look-up found, for whoever made it, within the hour; each child seen is recorded. Raises NotFound."""
    event = session.scalar(select(AuditEvent).where(AuditEvent.entity_id == look_up_id, AuditEvent.action == LOOK_UP))
    if event is None or event.account_id != account_id or now - event.at > GOOD_FOR:
        raise NotFound
    ids = [UUID(child) for child in event.detail["children"]]
    children = session.scalars(select(Patient).where(Patient.id.in_(ids))).all()
    for child in children:
        audit(session, "see-child", at=now, entity="patient", entity_id=child.id, account_id=account_id)
    ordered = sorted(children, key=lambda child: (child.name, child.birth_date, child.id))
    return Found(event.detail["by"], ordered, event.detail["more"])


def complete(index: PatientIndex) -> int:
    """Make the children known who were bound before they could be found. Returns how many. No transaction is open.

    Their phones are asked of the index; while it does not answer, the next booking asks (people/looking.py).
    """
    done, away = 0, False
    while batch := _unkeyed():
        records: dict[UUID, IndexRecord | None] = {}
        for child in batch:
            try:
                records[child.id] = None if away else index.find_number(child.number)
            except IndexUnavailable as error:
                log.warning("index-unavailable", code=error.code)
                away = True
        with transaction() as session:
            for child in batch:
                session.execute(update(Patient).where(Patient.id == child.id).values(name_blind=name_blind(child.name)))
                if record := records.get(child.id):
                    keep_phones(session, child.id, record.phones)
        done += len(batch)
    return done


def _unkeyed() -> Sequence[Patient]:
    with transaction() as session:
        return session.scalars(
            select(Patient).where(Patient.name_blind.is_(None)).order_by(Patient.id).limit(BATCH)
        ).all()
