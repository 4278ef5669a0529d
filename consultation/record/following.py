"""What follows from a signed record: tasks for the clinic, an invitation to the follow-up, nothing forgotten."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from booking import rights
from booking.queries import Visit, visit
from config import formats
from config.clock import at, today
from config.policy import Policy, current
from config.text import CHINESE, ENGLISH, N_
from consultation.encounters.models import Encounter
from consultation.record import queries
from consultation.record.content import Content, Outcome
from people import tasks
from people.models import Practitioner, Role

UNSIGNED = tasks.kind("record-unsigned", title=N_("Sign the record of %(about)s."), path="/desk/visits/{id}")
ARRIVAL = tasks.kind(
    "arrival-check", title=N_("%(about)s was to come to the hospital: did the child arrive? Else call."),
    path="/desk/arrivals/{id}",
)  # fmt: skip
FOLLOWUP = tasks.kind("followup-due", title=N_("The follow-up of %(about)s is due."), path="/desk/visits/{id}")
NOON, EVENING = time(12), time(18)


def follow(
    session: Session, about: Visit, encounter: Encounter, content: Content, now: datetime, policy: Policy
) -> None:
    """Set going what the outcome asks for, and take back what an earlier version had asked for."""
    subject = about.appointment.id
    tasks.settle(session, UNSIGNED, subject, why="signed", now=now)
    if content.outcome is Outcome.HOSPITAL:
        _ask_for_arrival(session, about, now)
    else:
        tasks.settle(session, ARRIVAL, subject, why="another outcome", now=now)
    tasks.settle(session, FOLLOWUP, subject, why="signed anew", now=now)
    if content.outcome is Outcome.FOLLOWUP and content.days:
        _invite(session, about, encounter, content.days, now, policy)


def _ask_for_arrival(session: Session, about: Visit, now: datetime) -> None:
    """Somebody asks by noon of the next day whether the child came."""
    role, department = tasks.owner(session, about.department.id, (Role.TEAM_LEAD, Role.DEPARTMENT_HEAD))
    tasks.open(
        session,
        kind=ARRIVAL,
        subject_id=about.appointment.id,
        about=_about(about),
        role=role,
        department_id=department,
        deadline=at(today(now) + timedelta(days=1), NOON),
        now=now,
    )


def _invite(session: Session, about: Visit, encounter: Encounter, days: int, now: datetime, policy: Policy) -> None:
    doctor = session.get_one(Practitioner, encounter.practitioner_id)
    rights.give(session, doctor, encounter.patient_id, encounter.department_id, now, policy, at_least=days + 7)
    tasks.open(
        session,
        kind=FOLLOWUP,
        subject_id=about.appointment.id,
        about=_about(about),
        practitioner_id=doctor.id,
        deadline=at(today(now) + timedelta(days=days), EVENING),
        now=now,
    )


def remind_unsigned(session: Session, now: datetime) -> int:
    """A task for each visit that is over and whose record nobody signed, due as Policy record_hours says.

    Returns how many there are.
    """
    found = queries.overdue(session, now)
    for encounter in found:
        about = visit(session, encounter.appointment_id)
        policy = current(session, now, about.department.code)
        ended = encounter.ended_at or now
        tasks.open(
            session,
            kind=UNSIGNED,
            subject_id=encounter.appointment_id,
            about=_about(about),
            practitioner_id=encounter.practitioner_id,
            deadline=ended + timedelta(hours=policy.record_hours),
            now=now,
        )
    return len(found)


def _about(about: Visit) -> dict[str, str]:
    """A masked name and the day, for the list of tasks."""
    name, day = formats.masked(about.patient.name), about.appointment.day
    return {
        CHINESE: f"{name}（{formats.short_day(day, CHINESE)}）",
        ENGLISH: f"{name} ({formats.short_day(day, ENGLISH)})",
    }
