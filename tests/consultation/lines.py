"""A doctor's morning with children in its line, for the tests of the line."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.models import Period, Schedule
from booking.queries import Visit
from booking.queries import visit as whole
from config.clock import today
from config.jobs import Fact
from config.policy import Policy
from consultation.encounters.models import Encounter
from consultation.line.actions import check_in
from consultation.line.models import CheckedDoctor
from notifications.handlers import handle
from people.access import Viewer
from people.models import Patient, Practitioner
from tests.product import Hospital, guardian, patient

POLICY = Policy()


def morning(session: Session, doctor: Practitioner, now: datetime, *, ahead: int = 2) -> Schedule:
    """The doctor's morning so many days ahead."""
    chosen = select(Schedule).where(Schedule.practitioner_id == doctor.id, Schedule.period == Period.MORNING)
    return session.scalars(chosen.where(Schedule.day == today(now) + timedelta(days=ahead))).one()


def checked(session: Session, schedule: Schedule, doctor: Practitioner, now: datetime) -> None:
    """The doctor's identity was checked for the period."""
    session.add(CheckedDoctor(practitioner_id=doctor.id, schedule_id=schedule.id, method="test", at=now))
    session.flush()


def viewer(doctor: Practitioner) -> Viewer:
    assert doctor.account_id
    return Viewer(doctor.account_id, "zh_CN")


def child(session: Session, hospital: Hospital, n: int, now: datetime) -> Patient:
    """Another child of the mother's."""
    made = patient(session, f"L{n}", f"周小{n}", date(2023, 1, 1 + n), now)
    guardian(session, hospital.mother, made, now)
    return made


def booked(
    session: Session, hospital: Hospital, schedule: Schedule, children: list[Patient], now: datetime
) -> list[Visit]:
    """Each child's number in the period, in this order."""
    made = [booking.book(session, schedule.id, one, hospital.mother.id, now, POLICY) for one in children]
    return [whole(session, one.id) for one in made]


def arrive(session: Session, hospital: Hospital, visit: Visit, at: datetime) -> Encounter:
    """The mother checks in with the child."""
    return check_in(session, visit, hospital.mother.id, "朝阳区望京街1号", "13800001234", at, POLICY)


def told(session: Session, now: datetime, after: int = 0) -> int:
    """What happened is handed to those who listen, as the worker would. Returns the last fact's number."""
    jobs = text("select id, args from procrastinate_jobs where id > :after and args ? 'kind' order by id")
    for job, args in session.execute(jobs, {"after": after}).all():
        handle(session, Fact.from_json(args["kind"], args["data"]), now)
        after = job
    return after
