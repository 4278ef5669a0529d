"""Reads of what came after a visit. Each takes who looks, or is for somebody who was let to the visit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from booking.screen_models import ScreenResult
from config.errors import NotFound
from config.policy import Policy
from consultation.after import rules
from consultation.after.models import AdviceQuestion, Complaint, ComplaintStatus, Rating, Worsening
from consultation.encounters.models import Encounter
from consultation.encounters.rooms import known
from people import tasks
from people.access import Member, Viewer, leads, led
from people.models import Practitioner, Role

OPEN = (ComplaintStatus.NEW, ComplaintStatus.IN_PROGRESS)
TEAM = "child-worse-team"


@dataclass(frozen=True)
class After:
    """What the family's page says after a visit. ``doctor``: who saw the child; ``over``: when it ended (None: it did
    not take place); the others with until when something can still be done."""

    doctor: Practitioner
    over: datetime | None
    rating: Rating | None
    rating_until: datetime | None
    question: AdviceQuestion | None
    question_until: datetime | None
    worsening: Worsening | None
    worse_until: datetime | None
    complaints: Sequence[Complaint]


def after(session: Session, visit: Visit, policy: Policy) -> After:
    """Of a visit to which the caller was let."""
    appointment_id, encounter = visit.appointment.id, known(session, visit.appointment.id)
    rated = rating(session, appointment_id)
    return After(
        doctor=session.get_one(Practitioner, encounter.practitioner_id) if encounter else visit.practitioner,
        over=rules.ended(encounter),
        rating=rated,
        rating_until=rules.rating_until(rated, policy) if rated else None,
        question=question(session, appointment_id),
        question_until=rules.question_until(encounter, policy),
        worsening=worsening(session, appointment_id),
        worse_until=rules.worse_until(encounter, policy),
        complaints=complaints(session, appointment_id),
    )


def rating(session: Session, appointment_id: UUID) -> Rating | None:
    """How the visit was."""
    return session.scalar(select(Rating).where(Rating.appointment_id == appointment_id))


def question(session: Session, appointment_id: UUID) -> AdviceQuestion | None:
    """The question about its advice."""
    return session.scalar(select(AdviceQuestion).where(AdviceQuestion.appointment_id == appointment_id))


def worsenings(session: Session, appointment_id: UUID) -> Sequence[Worsening]:
    """Each time that the child got worse, the latest first."""
    found = select(Worsening).where(Worsening.appointment_id == appointment_id).order_by(Worsening.id.desc())
    return session.scalars(found).all()


def worsening(session: Session, appointment_id: UUID) -> Worsening | None:
    """The latest."""
    return next(iter(worsenings(session, appointment_id)), None)


def screen_of(session: Session, found: Worsening) -> ScreenResult | None:
    """What the family answered about warning signs; None while it has not."""
    return session.get(ScreenResult, found.screen_id) if found.screen_id else None


def worse_for(session: Session, member: Member, appointment_id: UUID) -> Encounter:
    """The encounter of a child that got worse, for the treating doctor, and for who leads the team while the task is
    open. Raises NotFound for everybody else."""
    encounter = known(session, appointment_id)
    if encounter is None or worsening(session, appointment_id) is None:
        raise NotFound
    if encounter.practitioner_id != member.practitioner.id:
        tasks.about(session, member, TEAM, appointment_id)
    return encounter


def complaints(session: Session, appointment_id: UUID) -> Sequence[Complaint]:
    """Those about a visit to which the caller was let, the latest first."""
    found = select(Complaint).where(Complaint.appointment_id == appointment_id).order_by(Complaint.id.desc())
    return session.scalars(found).all()


def open_complaint(session: Session, appointment_id: UUID) -> Complaint | None:
    """The one about the visit that has no answer yet."""
    wanted = Complaint.appointment_id == appointment_id, Complaint.status.in_(OPEN)
    return session.scalar(select(Complaint).where(*wanted))


def complaint_of(
    session: Session, viewer: Viewer, complaint_id: UUID, *, lock: bool = False
) -> tuple[Complaint, Visit]:
    """A complaint about a visit of one of the viewer's children. Raises NotFound for anybody else's."""
    found = _complaint(session, complaint_id, lock)
    return found, bookings.visit_of(session, viewer, found.appointment_id)


def complaint_for(session: Session, member: Member, complaint_id: UUID, *, lock: bool = False) -> Complaint:
    """A complaint, for the head of the department and the administrators, but never for the doctor it is about.

    Raises NotFound for everybody else.
    """
    found = _complaint(session, complaint_id, lock)
    if not leads(member, found.department_id) or found.practitioner_id == member.practitioner.id:
        raise NotFound
    return found


def _complaint(session: Session, complaint_id: UUID, lock: bool) -> Complaint:
    found = session.get(Complaint, complaint_id, with_for_update=lock or None, populate_existing=lock)
    if found is None:
        raise NotFound
    return found


def complaints_for(
    session: Session, member: Member, limit: int = 50
) -> tuple[Sequence[Complaint], Sequence[Complaint]]:
    """What the member may read: those without an answer, the most urgent first, and the latest answered ones."""
    theirs = [Complaint.practitioner_id != member.practitioner.id]
    if Role.ADMINISTRATOR not in member.roles:
        theirs.append(Complaint.department_id.in_(led(member)))
    waiting = select(Complaint).where(Complaint.status.in_(OPEN), *theirs).order_by(Complaint.deadline, Complaint.id)
    past = select(Complaint).where(Complaint.status.not_in(OPEN), *theirs).order_by(Complaint.id.desc()).limit(limit)
    return session.scalars(waiting).all(), session.scalars(past).all()


@dataclass(frozen=True)
class Satisfaction:
    """How the visits of a department in a span of days were: answers by score, and how often each reason was given.

    Nothing is in it while there are fewer than FEWEST answers (``shown``).
    """

    scores: Mapping[int, int] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)

    @property
    def shown(self) -> bool:
        """Whether there are enough answers."""
        return bool(self.scores)

    @property
    def answers(self) -> int:
        """How many."""
        return sum(self.scores.values())

    @property
    def mean(self) -> float:
        """The mean score."""
        return sum(score * count for score, count in self.scores.items()) / self.answers


def satisfaction(
    session: Session, department_ids: Collection[UUID], first: date, last: date
) -> dict[UUID, Satisfaction]:
    """By department, for the visits of these days. No account, child or doctor is named or told apart."""
    rows = session.execute(
        select(Rating.department_id, Rating.score, func.count())
        .where(Rating.department_id.in_(department_ids), Rating.day.between(first, last))
        .group_by(Rating.department_id, Rating.score)
    )
    scores: dict[UUID, dict[int, int]] = {id_: {} for id_ in department_ids}
    for department_id, score, count in rows:
        scores[department_id][score] = count
    enough = {id_: found for id_, found in scores.items() if sum(found.values()) >= rules.FEWEST}
    given = _reasons(session, list(enough), first, last)
    return {id_: Satisfaction(enough[id_], given[id_]) if id_ in enough else Satisfaction() for id_ in scores}


def _reasons(session: Session, department_ids: list[UUID], first: date, last: date) -> dict[UUID, Counter[str]]:
    wanted = Rating.department_id.in_(department_ids), Rating.day.between(first, last)
    found: dict[UUID, Counter[str]] = {id_: Counter() for id_ in department_ids}
    for department_id, reasons in session.execute(select(Rating.department_id, Rating.reasons).where(*wanted)):
        found[department_id].update(reasons)
    return found
