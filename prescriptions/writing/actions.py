"""What a doctor does with a prescription before it is signed. The caller locked the seat's encounter (rooms.seat); all
of it is the treating doctor's alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.clock import today
from config.errors import NotFound
from config.ids import new_id
from config.policy import Policy
from config.states import advance
from consultation.encounters.models import SeatRole
from consultation.encounters.rooms import Seat
from people.models import Practitioner
from prescriptions.formulary.knowledge import knowledge
from prescriptions.review import asking
from prescriptions.writing import queries
from prescriptions.writing.case import Judged, draft_of, may_write
from prescriptions.writing.draft import Draft, DraftLine, with_medicine
from prescriptions.writing.models import Prescription, PrescriptionStatus, PrescriptionTemplate
from prescriptions.writing.refusals import (
    BadTemplate,
    NoDose,
    NoSuchMedicine,
    NothingBefore,
    NotNow,
    NotStanding,
    OldVersion,
)

TEMPLATES = 20  # a doctor's own
NAME = 40  # characters


def treating(seat: Seat) -> None:
    """A prescription is written by the treating doctor alone, in person (rules 2018, art. 19; 2022: no AI)."""
    if seat.role is not SeatRole.PRACTITIONER:
        raise NotFound


def save(session: Session, seat: Seat, version: int, draft: Draft, now: datetime, policy: Policy) -> Prescription:
    """Keep a draft; ``version`` is the one that the page was showing (queries.version): what was signed or given up
    meanwhile is not begun again. Raises OldVersion, NotNow, NotFound."""
    treating(seat)
    if not may_write(seat.encounter, now, policy):
        raise NotNow(hours=policy.prescribe_hours)
    row, before = queries.draft_row(session, seat.encounter.id), queries.version(session, seat.encounter.id)
    if row and draft_of(row) == draft:
        return row
    if before != version:
        raise OldVersion
    if row is None:
        row = _blank(seat, now)
        session.add(row)
    row.draft, row.emergency, row.version = draft.model_dump_json(), draft.emergency, before + 1
    session.flush()
    return row


def _blank(seat: Seat, now: datetime, replaces: UUID | None = None) -> Prescription:
    made, encounter = new_id(), seat.encounter
    return Prescription(
        id=made,
        number=f"R{today(now):%Y%m%d}{made.int % 10**8:08}",  # the day, and eight figures that can be read out
        encounter_id=encounter.id,
        patient_id=encounter.patient_id,
        practitioner_id=encounter.practitioner_id,
        department_id=encounter.department_id,
        replaces_id=replaces,
        status=PrescriptionStatus.DRAFT,
        version=0,
        emergency=False,
        created_at=now,
        codes=[],
    )


def correct(session: Session, seat: Seat, prescription_id: UUID, now: datetime, policy: Policy) -> Prescription:
    """Begin a new version of a rejected prescription, filled with what stood there. What is being written
    already stays.

    Raises NotStanding, NotNow, Damaged, NotFound.
    """
    treating(seat)
    if not may_write(seat.encounter, now, policy):
        raise NotNow(hours=policy.prescribe_hours)
    rejected = queries.found(session, prescription_id)
    if rejected.encounter_id != seat.encounter.id:
        raise NotFound
    if found := queries.draft_row(session, seat.encounter.id):
        return found
    if rejected.status is not PrescriptionStatus.REJECTED or queries.replaced(session, rejected.id):
        raise NotStanding
    row = _blank(seat, now, rejected.id)
    row.draft, row.emergency = _again(session, rejected).model_dump_json(), rejected.emergency
    row.version = queries.version(session, seat.encounter.id) + 1
    session.add(row)
    session.flush()
    return row


def _again(session: Session, before: Prescription) -> Draft:
    lines = [
        DraftLine(
            code=one.product.code,
            dose=one.line.dose,
            times=one.line.times,
            interval=one.line.interval,
            days=one.line.days,
            rule=one.line.rule,
        )
        for one in queries.medicines(session, before.id)
    ]
    return Draft(lines=tuple(lines), emergency=before.emergency)


def repeat(session: Session, seat: Seat, draft: Draft, seen: Judged) -> Draft:
    """The medicines of the child's last prescription, each in the dose that is proposed today. Raises NothingBefore."""
    treating(seat)
    last = queries.last_approved(session, seat.encounter.patient_id)
    if last is None:
        raise NothingBefore
    return filled(draft, [one.product.code for one in queries.medicines(session, last.id)], seen)


def filled(draft: Draft, codes: list[str], seen: Judged) -> Draft:
    """A draft with these medicines, as far as they are in use and a dose can be proposed. Raises NoDose when that holds
    for none of them."""
    refused = 0
    for code in codes:
        try:
            draft = with_medicine(draft, seen.entries[code], seen.context, knowledge())
        except (KeyError, NoDose):
            refused += 1
    if codes and refused == len(codes):
        raise NoDose
    return draft


def added(draft: Draft, code: str, seen: Judged) -> Draft:
    """A draft with one more medicine. Raises NoSuchMedicine, NoDose, TooManyLines."""
    if code not in seen.entries:
        raise NoSuchMedicine
    return with_medicine(draft, seen.entries[code], seen.context, knowledge())


def drop(session: Session, seat: Seat, now: datetime) -> None:
    """Give up what is being written; nothing, if nothing is. Raises NotFound."""
    treating(seat)
    row = queries.draft_row(session, seat.encounter.id)
    if row is None:
        return
    advance(row, PrescriptionStatus.CANCELLED, by=f"practitioner:{row.practitioner_id}", why="given up", now=now)
    row.draft, row.version = None, row.version + 1
    if row.replaces_id:
        asking.settle_rejected(session, seat.encounter.appointment_id, "given up", now)


def keep_template(session: Session, doctor: Practitioner, name: str, draft: Draft) -> None:
    """The draft's medicines under a name of the doctor's own; the same name again is overwritten. Raises
    BadTemplate."""
    name, codes = name.strip(), [line.code for line in draft.lines]
    mine = PrescriptionTemplate.practitioner_id == doctor.id
    found = session.scalar(select(PrescriptionTemplate).where(mine, PrescriptionTemplate.name == name))
    count = session.scalar(select(func.count()).where(mine)) or 0
    if not 0 < len(name) <= NAME or not codes or (found is None and count >= TEMPLATES):
        raise BadTemplate(field="template", limit=TEMPLATES)
    if found:
        found.codes = codes
    else:
        session.add(PrescriptionTemplate(practitioner_id=doctor.id, name=name, codes=codes))


def template_codes(session: Session, doctor: Practitioner, template_id: UUID) -> list[str]:
    """The medicines of the doctor's own template. Raises NotFound for anybody else's."""
    return [str(code) for code in _template(session, doctor, template_id).codes]


def forget_template(session: Session, doctor: Practitioner, template_id: UUID) -> None:
    """The doctor's own template goes. Raises NotFound for anybody else's."""
    session.delete(_template(session, doctor, template_id))


def _template(session: Session, doctor: Practitioner, template_id: UUID) -> PrescriptionTemplate:
    found = session.get(PrescriptionTemplate, template_id)
    if found is None or found.practitioner_id != doctor.id:
        raise NotFound
    return found
