"""Who else sits in a room: another guardian of the child, invited by the one who is there; another doctor, asked for by
the treating one and let in by the guardian. Each under their own name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config.database import Json
from config.errors import NotFound
from config.text import N_
from consultation.encounters.models import Encounter, Participant, SeatRole
from consultation.encounters.rooms import OVER, Seat, happened, known
from consultation.talk.refusals import RoomClosed
from people import tasks
from people.access import Viewer
from people.audit import record as audit
from people.models import GuardianStatus, Practitioner, PractitionerRole, RelatedPerson, Role

JOIN = tasks.kind("visit-join", title=N_("Join a visit of %(about)s"), path="/desk/visits/{id}")
JOIN_WITHIN = timedelta(minutes=30)


@dataclass(frozen=True)
class Guest:
    """Somebody who was invited: as what, by their own name, and whether they are in the room already."""

    id: UUID
    account_id: UUID
    role: SeatRole
    name: str | Json
    there: bool


def guests(session: Session, encounter: Encounter) -> list[Guest]:
    """Those invited who have not left, in order."""
    rows = session.scalars(_present(encounter).order_by(Participant.invited_at, Participant.id)).all()
    return [
        Guest(row.id, row.account_id, row.role, _name(session, encounter, row), row.agreed_at is not None)
        for row in rows
    ]


def _present(encounter: Encounter) -> Select[Participant]:
    return select(Participant).where(Participant.encounter_id == encounter.id, Participant.left_at.is_(None))


def _name(session: Session, encounter: Encounter, row: Participant) -> str | Json:
    if row.practitioner_id:
        return session.get_one(Practitioner, row.practitioner_id).name
    bound = RelatedPerson.patient_id == encounter.patient_id
    wanted = select(RelatedPerson.name).where(RelatedPerson.account_id == row.account_id, bound)
    return session.scalar(wanted.order_by(RelatedPerson.bound_at.desc()).limit(1)) or ""


def other_guardians(session: Session, encounter: Encounter) -> Sequence[RelatedPerson]:
    """The child's other active guardians who are not invited yet."""
    invited = _present(encounter).with_only_columns(Participant.account_id)
    return session.scalars(
        select(RelatedPerson)
        .where(RelatedPerson.patient_id == encounter.patient_id, RelatedPerson.status == GuardianStatus.ACTIVE)
        .where(RelatedPerson.account_id != encounter.account_id, RelatedPerson.account_id.not_in(invited))
        .order_by(RelatedPerson.bound_at)
    ).all()


def other_doctors(session: Session, encounter: Encounter) -> Sequence[Practitioner]:
    """The department's other doctors who could be asked: they work here and have a WeChat account."""
    invited = _present(encounter).with_only_columns(Participant.account_id)
    doctor = select(PractitionerRole.practitioner_id).where(PractitionerRole.role == Role.DOCTOR)
    return session.scalars(
        select(Practitioner)
        .where(Practitioner.department_id == encounter.department_id, Practitioner.active, Practitioner.id.in_(doctor))
        .where(Practitioner.id != encounter.practitioner_id, Practitioner.account_id.is_not(None))
        .where(Practitioner.account_id.not_in(invited), Practitioner.account_id != encounter.account_id)
        .order_by(Practitioner.code)
    ).all()


def invite_guardian(session: Session, here: Seat, account_id: UUID, now: datetime) -> None:
    """The guardian with the child invites another one. Raises NotFound for anybody else, RoomClosed."""
    if here.role is not SeatRole.GUARDIAN:
        raise NotFound
    if account_id not in {person.account_id for person in other_guardians(session, _open(here))}:
        raise NotFound
    _invite(session, here, account_id, SeatRole.SECOND_GUARDIAN, None, now)


def ask_doctor(session: Session, here: Seat, practitioner_id: UUID, now: datetime) -> None:
    """The treating doctor asks for another one; the guardian decides. Raises NotFound, RoomClosed."""
    if here.role is not SeatRole.PRACTITIONER:
        raise NotFound
    found = {person.id: person for person in other_doctors(session, _open(here))}.get(practitioner_id)
    if found is None or found.account_id is None:
        raise NotFound
    _invite(session, here, found.account_id, SeatRole.SECOND_PRACTITIONER, found.id, now)


def _open(here: Seat) -> Encounter:
    if here.encounter.status in OVER:
        raise RoomClosed
    return here.encounter


def _invite(
    session: Session, here: Seat, account_id: UUID, role: SeatRole, practitioner_id: UUID | None, now: datetime
) -> None:
    made = Participant(
        encounter_id=here.encounter.id,
        account_id=account_id,
        practitioner_id=practitioner_id,
        role=role,
        invited_by_id=here.account_id,
        invited_at=now,
    )
    session.add(made)
    session.flush()
    _noted(session, here.encounter, "visit-invite", made, here.account_id, now)


def invitation(session: Session, viewer: Viewer, appointment_id: UUID) -> Participant | None:
    """The viewer's own invitation as another guardian, while it waits for them and they are one."""
    encounter = known(session, appointment_id)
    if encounter is None or encounter.status in OVER:
        return None
    active = select(RelatedPerson.id).where(
        RelatedPerson.account_id == viewer.account_id,
        RelatedPerson.patient_id == encounter.patient_id,
        RelatedPerson.status == GuardianStatus.ACTIVE,
    )
    found: Participant | None = session.scalar(
        _present(encounter).where(
            Participant.account_id == viewer.account_id,
            Participant.role == SeatRole.SECOND_GUARDIAN,
            Participant.agreed_at.is_(None),
            active.exists(),
        )
    )
    return found


def join(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime) -> None:
    """Another guardian joins, having been invited. Raises NotFound."""
    found, encounter = invitation(session, viewer, appointment_id), known(session, appointment_id)
    if found is None or encounter is None:
        raise NotFound
    found.agreed_at = now
    _noted(session, encounter, "visit-join", found, viewer.account_id, now)


def decide(session: Session, here: Seat, guest_id: UUID, agreed: bool, now: datetime) -> None:
    """The guardian with the child lets another doctor in, who then gets a task; or refuses, or ends, an invitation.

    Raises NotFound, RoomClosed.
    """
    found: Participant | None = session.scalar(_present(_open(here)).where(Participant.id == guest_id))
    if found is None or here.role is not SeatRole.GUARDIAN or (agreed and found.practitioner_id is None):
        raise NotFound
    if not agreed:
        return _left(session, here, found, now)
    if found.agreed_at is None:
        found.agreed_at = now
        treating = session.get_one(Practitioner, here.encounter.practitioner_id)
        tasks.open(
            session,
            kind=JOIN,
            subject_id=here.encounter.appointment_id,
            about=treating.name,
            deadline=now + JOIN_WITHIN,
            now=now,
            practitioner_id=found.practitioner_id,
        )
        _noted(session, here.encounter, "visit-admit", found, here.account_id, now)
    return None


def leave(session: Session, here: Seat, now: datetime) -> None:
    """Who was invited leaves for good. Raises NotFound for the two sides themselves."""
    found: Participant | None = session.scalar(
        _present(here.encounter).where(Participant.account_id == here.account_id, Participant.agreed_at.is_not(None))
    )
    if found is None or here.role not in {SeatRole.SECOND_GUARDIAN, SeatRole.SECOND_PRACTITIONER}:
        raise NotFound
    _left(session, here, found, now)


def _left(session: Session, here: Seat, guest: Participant, now: datetime) -> None:
    guest.left_at = now
    _noted(session, here.encounter, "visit-leave", guest, here.account_id, now)


def _noted(session: Session, encounter: Encounter, action: str, guest: Participant, by: UUID, now: datetime) -> None:
    session.flush()
    guest_id = str(guest.account_id)
    audit(session, action, at=now, entity="encounter", entity_id=encounter.id, account_id=by, guest=guest_id)
    happened(session, encounter, "guest", now, by=by, guest=guest_id)
