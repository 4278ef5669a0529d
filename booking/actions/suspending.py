"""A miss counts: booking closes for a child or an account; they appeal; somebody decides."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from booking import suspension as ladder
from booking.events import AppealDecided, BookingSuspended
from booking.fair_models import APPEAL, Suspension, SuspensionStatus
from booking.models import Appointment
from booking.refusals import AlreadyDecided, NotAppealable
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy, current
from config.states import advance
from config.text import N_
from people import tasks
from people.access import Member, Viewer
from people.audit import record as audit
from people.audit import refusals
from people.models import Account, Department, Patient, Role

TASK = tasks.kind(
    "suspension-appeal", title=N_("An appeal against a closed booking: %(about)s"), path="/desk/suspensions/{id}"
)


def judge(session: Session, miss: Appointment, now: datetime) -> None:
    """A miss (no longer to be taken back) counts for its child and for the account that booked (both locked, so that
    two misses at once don't overlook each other)."""
    policy = current(session, now, session.get_one(Department, miss.department_id).code)
    _count(session, miss, now, policy, patient_id=miss.patient_id)
    _count(session, miss, now, policy, account_id=miss.account_id)


def lock_subjects(session: Session, misses: Sequence[Appointment]) -> None:
    """The children and accounts that misses count for, before the appointments themselves are locked."""
    for subject, of in (
        (Patient, {miss.patient_id for miss in misses}),
        (Account, {miss.account_id for miss in misses}),
    ):
        session.execute(
            select(subject.id).where(subject.id.in_(of)).order_by(subject.id).with_for_update(key_share=True)
        ).all()


def _count(
    session: Session,
    miss: Appointment,
    now: datetime,
    policy: Policy,
    *,
    patient_id: UUID | None = None,
    account_id: UUID | None = None,
) -> None:
    of = Appointment.patient_id == patient_id if patient_id else Appointment.account_id == account_id
    counted = ladder.counted(of, now - ladder.YEAR, now)
    missed = session.scalar(select(func.count()).select_from(Appointment).where(counted)) or 0
    days = ladder.days_closed(missed, policy)
    if days is None:
        return
    made = Suspension(
        patient_id=patient_id,
        account_id=account_id,
        appointment_id=miss.id,
        missed=missed,
        since=now,
        until=ladder.closed_until(now, days),
    )
    session.add(made)
    session.flush()
    audit(session, "suspend", at=now, entity="suspension", entity_id=made.id, missed=missed, days=days)
    emit(session, BookingSuspended(suspension_id=made.id))


def appeal(session: Session, viewer: Viewer, suspension_id: UUID, text: str, now: datetime) -> None:
    """The parent objects; an administrator is asked to decide within policy's days. Raises NotFound, NotAppealable."""
    suspension = ladder.mine_one(session, viewer, suspension_id).suspension
    _locked(session, suspension.id)
    with refusals("appeal", at=now, entity="suspension", entity_id=suspension.id, account_id=viewer.account_id):
        if suspension.status is not SuspensionStatus.ACTIVE or suspension.until <= now:
            raise NotAppealable
    by = f"account:{viewer.account_id}"
    advance(suspension, SuspensionStatus.APPEALED, by=by, why="appeal", now=now)
    suspension.appeal, suspension.appealed_by_id, suspension.appealed_at = text[:APPEAL], viewer.account_id, now
    count = str(suspension.missed)
    tasks.open(
        session,
        kind=TASK,
        subject_id=suspension.id,
        about={"zh_CN": f"{count} 次爽约", "en": f"{count} missed visits"},
        role=Role.ADMINISTRATOR,
        deadline=now + timedelta(days=current(session, now).appeal_days),
        now=now,
    )
    audit(session, "appeal", at=now, entity="suspension", entity_id=suspension.id, account_id=viewer.account_id)


def decide(session: Session, member: Member, suspension_id: UUID, *, lift: bool, answer: str, now: datetime) -> None:
    """An appeal is answered with a reason. Lifted, the misses behind it count no more, and what else the same miss had
    closed (the child's with the account's) is lifted, too. Raises NotFound, AlreadyDecided."""
    suspension = _locked(session, suspension_id)
    account_id = member.practitioner.account_id
    with refusals("decide-appeal", at=now, entity="suspension", entity_id=suspension_id, account_id=account_id):
        if suspension.status is not SuspensionStatus.APPEALED:
            raise AlreadyDecided
    if lift:
        for other in (suspension, *_twins(session, suspension)):
            _decided(session, member, other, SuspensionStatus.LIFTED, answer, now)
        _excuse(session, suspension, now)
    else:
        _decided(session, member, suspension, SuspensionStatus.UPHELD, answer, now)


def _decided(
    session: Session, member: Member, suspension: Suspension, to: SuspensionStatus, answer: str, now: datetime
) -> None:
    advance(suspension, to, by=f"practitioner:{member.practitioner.id}", why="appeal", now=now)
    suspension.answer, suspension.decided_by_id, suspension.decided_at = answer[:APPEAL], member.practitioner.id, now
    tasks.settle(session, TASK, suspension.id, why=str(to), now=now)
    audit(
        session,
        "decide-appeal",
        at=now,
        entity="suspension",
        entity_id=suspension.id,
        account_id=member.practitioner.account_id,
        decision=str(to),
    )
    emit(session, AppealDecided(suspension_id=suspension.id))


def _twins(session: Session, suspension: Suspension) -> Sequence[Suspension]:
    """What else the same miss closed and nobody has upheld."""
    return session.scalars(
        select(Suspension)
        .where(Suspension.appointment_id == suspension.appointment_id, Suspension.id != suspension.id)
        .where(Suspension.status.in_((SuspensionStatus.ACTIVE, SuspensionStatus.APPEALED)))
        .with_for_update()
    ).all()


def _excuse(session: Session, suspension: Suspension, now: datetime) -> None:
    of = (
        Appointment.patient_id == suspension.patient_id
        if suspension.patient_id
        else Appointment.account_id == suspension.account_id
    )
    counted = ladder.counted(of, suspension.since - ladder.YEAR, suspension.since)
    session.execute(update(Appointment).where(counted).values(excused_at=now))


def _locked(session: Session, suspension_id: UUID) -> Suspension:
    chosen = select(Suspension).where(Suspension.id == suspension_id).with_for_update()
    found = session.scalar(chosen.execution_options(populate_existing=True))
    if found is None:
        raise NotFound
    return found
