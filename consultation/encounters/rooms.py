"""Who sits in the room of a visit, and what happens there. The only way into it for a viewer is ``seat``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Uuid, and_, bindparam, case, exists, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased
from sqlalchemy.orm.attributes import set_committed_value

from booking.queries import Visit
from config.errors import NotFound
from config.hot import Hot
from config.ids import new_id
from config.nudges import nudge
from config.states import advance
from consultation.encounters.models import (
    Encounter,
    EncounterStatus,
    Ending,
    Kind,
    Participant,
    RoomEvent,
    SeatRole,
)
from people import consents
from people.access import Viewer
from people.models import Decision, GuardianStatus, Practitioner, RelatedPerson

DOCTORS = (SeatRole.PRACTITIONER, SeatRole.SECOND_PRACTITIONER)
GUARDIANS = (SeatRole.GUARDIAN, SeatRole.SECOND_GUARDIAN)
OVER = (EncounterStatus.FINISHED, EncounterStatus.CANCELLED)
STEP = 1000  # between two places in a line: a missed call fits between


@dataclass(frozen=True)
class Seat:
    """A viewer's place in a room: as what they sit there."""

    encounter: Encounter
    account_id: UUID
    role: SeatRole

    @property
    def is_doctor(self) -> bool:
        """Whether a doctor sits here."""
        return self.role in DOCTORS

    @property
    def place(self) -> Place:
        """The same without the row."""
        return Place(self.encounter.id, self.account_id, self.role, self.encounter.status)


@dataclass(frozen=True)
class Place:
    """A seat as it is looked up many times a second: without the encounter's row."""

    encounter_id: UUID
    account_id: UUID
    role: SeatRole
    status: EncounterStatus

    @property
    def is_doctor(self) -> bool:
        """Whether a doctor sits here."""
        return self.role in DOCTORS


def encounter_of(session: Session, visit: Visit, now: datetime) -> Encounter:
    """The encounter of a visit that the caller was let to, made when there is none yet; two at once make one. Takes no
    lock for which an action could wait: the encounter's comes before the appointment's.

    By video, or in writing where who booked has refused to be recorded.
    """
    appointment = visit.appointment
    if found := known(session, appointment.id):
        return found
    made = insert(Encounter).values(
        id=new_id(),
        appointment_id=appointment.id,
        patient_id=appointment.patient_id,
        account_id=appointment.account_id,
        practitioner_id=visit.practitioner.id,
        department_id=appointment.department_id,
        schedule_id=appointment.schedule_id,
        kind=kind_for(session, appointment.account_id),
        status=EncounterStatus.PLANNED,
        turn=appointment.number * STEP,
        created_at=now,
    )
    session.execute(made.on_conflict_do_nothing(index_elements=["appointment_id"]))
    return session.scalars(select(Encounter).where(Encounter.appointment_id == appointment.id)).one()


def kind_for(session: Session, account_id: UUID) -> Kind:
    """How a visit with this guardian can be held: video visits are recorded, so who refuses that is seen in writing."""
    return Kind.TEXT if consents.recording(session, account_id) is Decision.DENY else Kind.VIDEO


def known(session: Session, appointment_id: UUID) -> Encounter | None:
    """The encounter of an appointment, for the clinic's own work: no viewer, never for a page."""
    return session.scalar(select(Encounter).where(Encounter.appointment_id == appointment_id))


def seat(session: Session, viewer: Viewer, appointment_id: UUID, *, lock: bool = False) -> Seat:
    """The viewer's place in the room of a visit: the guardian with the child, the treating doctor, and those invited
    who agreed. ``lock`` locks the encounter's row. Raises NotFound for everybody else, and while there is no room."""
    wanted = select(Encounter).where(Encounter.appointment_id == appointment_id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    encounter = session.scalar(wanted)
    if encounter is None:
        raise NotFound
    role = _role(session, encounter, viewer.account_id)
    if role is None:
        raise NotFound
    return Seat(encounter, viewer.account_id, role)


def has_seat(session: Session, encounter: Encounter, account_id: UUID) -> bool:
    """Whether an account sits in the room, for the clinic's own work: no viewer, never for a page."""
    return _role(session, encounter, account_id) is not None


def place_of(session: Session, viewer: Viewer, appointment_id: UUID) -> Place:
    """``seat`` in one statement, for streams. Raises NotFound."""
    for encounter_id, status, role in _SITS(session, {"account": viewer.account_id, "appointment": appointment_id}):
        if role:
            return Place(encounter_id, viewer.account_id, SeatRole(role), EncounterStatus(status))
    raise NotFound


def _role(session: Session, encounter: Encounter, account_id: UUID) -> SeatRole | None:
    rows = _SITS(session, {"account": account_id, "appointment": encounter.appointment_id})
    return next((SeatRole(role) for _, _, role in rows if role), None)


def _sits() -> Select[Any]:
    """The encounter of an appointment, where it stands, and as what an account sits there: who was invited has to be
    still what they were invited as."""
    account, treating, guest = bindparam("account", type_=Uuid()), aliased(Practitioner), aliased(Practitioner)
    guards = exists().where(
        RelatedPerson.account_id == account,
        RelatedPerson.patient_id == Encounter.patient_id,
        RelatedPerson.status == GuardianStatus.ACTIVE,
    )
    role = case(
        (and_(treating.active, treating.account_id == account), SeatRole.PRACTITIONER.value),
        (and_(Encounter.account_id == account, guards), SeatRole.GUARDIAN.value),
        (and_(Participant.role == SeatRole.SECOND_GUARDIAN, guards), SeatRole.SECOND_GUARDIAN.value),
        (
            and_(Participant.role == SeatRole.SECOND_PRACTITIONER, guest.active, guest.account_id == account),
            SeatRole.SECOND_PRACTITIONER.value,
        ),
        else_=null(),
    )
    there = and_(
        Participant.encounter_id == Encounter.id,
        Participant.account_id == account,
        Participant.agreed_at.is_not(None),
        Participant.left_at.is_(None),
    )
    return (
        select(Encounter.id, Encounter.status, role)
        .join(treating, treating.id == Encounter.practitioner_id)
        .outerjoin(Participant, there)
        .outerjoin(guest, guest.id == Participant.practitioner_id)
        .where(Encounter.appointment_id == bindparam("appointment", type_=Uuid()))
    )


_SITS = Hot(_sits())


def happened(
    session: Session,
    encounter: Encounter,
    kind: str,
    now: datetime,
    *,
    by: UUID | None = None,
    to: UUID | None = None,
    **data: Any,
) -> RoomEvent:
    """Write an event of the room, and nudge who looks at it once this commits. ``data`` holds ids, codes and plain
    values only, no personal data. Numbers have no gaps: the counter's row is locked until the commit."""
    session.flush()
    n = session.scalar(
        update(Encounter)
        .where(Encounter.id == encounter.id)
        .values(events=Encounter.events + 1)
        .returning(Encounter.events)
        .execution_options(synchronize_session=False)
    )
    event = RoomEvent(encounter_id=encounter.id, n=n, at=now, kind=kind, by_id=by, to_id=to, data=data)
    session.add(event)
    session.flush()
    set_committed_value(encounter, "events", n)
    nudge(session, topic(encounter.id))
    return event


def topic(encounter_id: UUID) -> str:
    """Under which topic a room is nudged (config/nudges.py)."""
    return f"encounter:{encounter_id}"


def line_topic(practitioner_id: UUID) -> str:
    """Under which topic a doctor's line is nudged."""
    return f"line:{practitioner_id}"


def move(
    session: Session,
    encounter: Encounter,
    to: EncounterStatus,
    now: datetime,
    *,
    by: str,
    why: str,
    ending: Ending | None = None,
) -> None:
    """Move the encounter to another state, tell its room and the doctor's line. ``ending`` goes with the two that end.

    Raises config.states.WrongState.
    """
    advance(encounter, to, by=by, why=why, now=now)
    if to is EncounterStatus.ARRIVED and encounter.arrived_at is None:
        encounter.arrived_at = now
    if to is EncounterStatus.IN_PROGRESS and encounter.started_at is None:
        encounter.started_at = now
    if to in OVER:
        encounter.ended_at, encounter.ending = now, ending
    happened(session, encounter, "status", now, status=str(to))
    nudge(session, line_topic(encounter.practitioner_id))
