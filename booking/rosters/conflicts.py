"""Where somebody is booked in a clinic that the roster wants otherwise: those who keep it are asked, once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.models import Schedule
from booking.rosters.compare import Step
from booking.rosters.plan import day_plan
from booking.rosters.words import PERIODS
from config.clock import today
from config.database import Json
from config.formats import short_day
from config.text import LOCALES, N_, translate
from people import tasks
from people.models import Department, Practitioner, PractitionerRole, Role
from people.tasks import Task, TaskStatus

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

BOOKED_TASK = tasks.kind(
    "roster-booked",
    title=N_("The roster has changed where children are booked: %(about)s. Stop that clinic, or leave it as it is."),
    path="/desk/rosters/clinics/{id}",
)


def settle_and_ask(session: Session, day: date, steps: Sequence[Step], now: datetime) -> None:
    """Ask about the day's clinics in which the roster can't be followed, and take back what is no longer so.

    Who has said "leave it" (the task is done) is not asked again, unless an exception was entered since.
    """
    conflicts = {step.schedule.id: step for step in steps if step.schedule}
    asked = _asked(session, day)
    for schedule_id, task in asked.items():
        if task.status is TaskStatus.OPEN and schedule_id not in conflicts:
            tasks.settle(session, BOOKED_TASK, schedule_id, why="agrees again", now=now)
    since = day_plan(session, day).touched if set(conflicts) - set(asked) or asked else {}
    for schedule_id, step in conflicts.items():
        earlier = asked.get(schedule_id)
        changed = since.get(step.cell, LONG_AGO) if step.cell else LONG_AGO
        if step.schedule and (earlier is None or (earlier.status is TaskStatus.DONE and earlier.created_at < changed)):
            _ask(session, step, step.schedule, now)


def _asked(session: Session, day: date) -> dict[UUID, Task]:
    """The last task about each of the day's clinics, open or done."""
    rows = session.scalars(
        select(Task)
        .join(Schedule, Schedule.id == Task.subject_id)
        .where(Task.kind == BOOKED_TASK, Task.status != TaskStatus.CANCELLED, Schedule.day == day)
        .order_by(Task.created_at)
    )
    return {task.subject_id: task for task in rows}


def _ask(session: Session, step: Step, schedule: Schedule, now: datetime) -> None:
    headed = select(PractitionerRole.id).where(
        PractitionerRole.role == Role.DEPARTMENT_HEAD, PractitionerRole.department_id == schedule.department_id
    )
    head = session.scalar(select(headed.exists()))
    tasks.open(
        session,
        kind=BOOKED_TASK,
        subject_id=schedule.id,
        about=_about(session, step, schedule),
        deadline=min(schedule.starts_at, now + timedelta(days=1)),
        now=now,
        role=Role.DEPARTMENT_HEAD if head else Role.ADMINISTRATOR,
        department_id=schedule.department_id if head else None,
    )


def _about(session: Session, step: Step, schedule: Schedule) -> Json:
    name = session.get_one(Practitioner, schedule.practitioner_id).name
    department = session.get_one(Department, schedule.department_id).name
    day = today(schedule.starts_at)
    return {
        locale: translate(
            locale,
            N_("%(doctor)s, %(department)s, %(day)s %(period)s, %(count)s booked"),
            doctor=name.get(locale, ""),
            department=department.get(locale, ""),
            day=short_day(day, locale),
            period=translate(locale, PERIODS[schedule.period]),
            count=step.booked,
        )
        for locale in LOCALES
    }
