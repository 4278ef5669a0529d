"""Numbers that change hands too quickly: given back in a full period and taken within seconds by a stranger."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from booking import fairness
from booking.fair_models import Suspicion
from booking.models import Appointment, AppointmentStatus, Slot, SlotStatus
from config.ids import new_id
from config.policy import Policy, current
from config.states import StatusChange
from config.text import N_
from people import tasks
from people.audit import record as audit
from people.models import Department, RelatedPerson, Role

TASK = tasks.kind(
    "numbers-passed-on", title=N_("Numbers may be passed on: account %(about)s"), path="/desk/passed-on/{id}"
)
DEADLINE = timedelta(days=2)


def watch(session: Session, appointment_id: UUID, now: datetime) -> None:
    """Look at how a booked number was come by (told by the worker, after the booking). Twice notes it once."""
    taken = session.get_one(Appointment, appointment_id)
    policy = current(session, now, session.get_one(Department, taken.department_id).code)
    found = _before(session, taken) if policy.rebook_seconds else None
    if found is None:
        return
    given, given_at = found
    if given.account_id == taken.account_id or _related(session, given.account_id, taken.account_id):
        return
    free = select(func.count()).where(Slot.schedule_id == taken.schedule_id, Slot.status == SlotStatus.FREE)
    if fairness.passed_on(given.cancel_reason, given_at, taken.booked_at, session.scalar(free) or 0, policy):
        _note(session, given, taken, given_at, now, policy)


def _before(session: Session, taken: Appointment) -> tuple[Appointment, datetime] | None:
    """Who had the number last before, and when it was given back."""
    row = session.execute(
        select(Appointment, StatusChange.at)
        .join(StatusChange, StatusChange.thing_id == Appointment.id)
        .where(Appointment.slot_id == taken.slot_id, Appointment.id != taken.id)
        .where(StatusChange.to_status == AppointmentStatus.CANCELLED, StatusChange.at <= taken.booked_at)
        .order_by(StatusChange.at.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def _related(session: Session, one: UUID, other: UUID) -> bool:
    """Whether both accounts are, or were, guardians of one child."""
    first, second = aliased(RelatedPerson), aliased(RelatedPerson)
    shared = (
        select(first.id)
        .join(second, second.patient_id == first.patient_id)
        .where(first.account_id == one, second.account_id == other)
    )
    return session.scalar(select(shared.exists())) or False


def _note(
    session: Session, given: Appointment, taken: Appointment, given_at: datetime, now: datetime, policy: Policy
) -> None:
    row = insert(Suspicion).values(
        id=new_id(),
        at=taken.booked_at,
        giver_id=given.account_id,
        taker_id=taken.account_id,
        given_id=given.id,
        taken_id=taken.id,
        why=given.cancel_reason,
        seconds=int((taken.booked_at - given_at).total_seconds()),
    )
    new = session.scalar(row.on_conflict_do_nothing(index_elements=["taken_id"]).returning(Suspicion.id))
    if new is None:
        return
    audit(session, "number-passed-on", at=now, entity="suspicion", entity_id=new)
    for account_id in (given.account_id, taken.account_id):
        if _times(session, account_id, now) >= policy.rebook_times:
            mark = f"…{account_id.hex[-8:]}"
            tasks.open(
                session,
                kind=TASK,
                subject_id=account_id,
                about={"zh_CN": mark, "en": mark},
                role=Role.ADMINISTRATOR,
                deadline=now + DEADLINE,
                now=now,
            )


def _times(session: Session, account_id: UUID, now: datetime) -> int:
    of = or_(Suspicion.giver_id == account_id, Suspicion.taker_id == account_id)
    return (
        session.scalar(select(func.count()).select_from(Suspicion).where(of, Suspicion.at > now - fairness.WEEK)) or 0
    )
