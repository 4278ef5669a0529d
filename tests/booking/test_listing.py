"""The administration's list of appointments: page by page it is what sorting all of them would give."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import cycle, product
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking import actions
from booking.listing import Wanted, around, listed
from booking.models import Appointment, AppointmentStatus, Schedule
from booking.rosters import cut_schedules
from config.clock import today
from config.policy import Policy
from people.models import Practitioner
from tests.product import Hospital, patient, practitioner, roster

POLICY = Policy()
DAYS = (2, 3, 4)


@pytest.fixture
def dermatologist(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    made = practitioner(session, "D003", hospital.skin)
    roster(session, made)
    cut_schedules(session, [today(now) + timedelta(days=ahead) for ahead in DAYS], now)
    return made


@pytest.fixture
def everything(session: Session, hospital: Hospital, dermatologist: Practitioner, now: datetime) -> list[Appointment]:
    """Two children with each of three doctors on three mornings, in every state; numbers at the same moment, too."""
    statuses = cycle(AppointmentStatus)
    made = []
    for n, (doctor, ahead, _) in enumerate(
        product((hospital.doctor, hospital.colleague, dermatologist), DAYS, range(2))
    ):
        day = today(now) + timedelta(days=ahead)
        of = select(Schedule.id).where(Schedule.practitioner_id == doctor.id, Schedule.day == day)
        child = patient(session, f"L{n}", "周小", date(2021, 1, 1), now)
        schedule = session.scalars(of.order_by(Schedule.starts_at).limit(1)).one()
        one = actions.book(session, schedule, child, hospital.mother.id, now, POLICY)
        status = next(statuses)
        hold = now if status is AppointmentStatus.PENDING else None
        session.execute(update(Appointment).where(Appointment.id == one.id).values(status=status, hold_until=hold))
        made.append(one)
    session.flush()
    session.expire_all()
    return sorted(made, key=lambda one: (one.starts_at, one.id), reverse=True)


def pages(session: Session, wanted: Wanted, limit: int = 4) -> list[UUID]:
    """All of the list, one page after the other."""
    found, after = [], None
    while True:
        page = listed(session, wanted, after, limit)
        assert len(page.visits) <= limit
        found += [visit.appointment.id for visit in page.visits]
        if page.next is None:
            return found
        assert len(page.visits) == limit
        after = page.next


def test_every_choice_page_by_page(
    session: Session, hospital: Hospital, dermatologist: Practitioner, everything: list[Appointment], now: datetime
) -> None:
    doctor_of = {row.id: row.practitioner_id for row in session.scalars(select(Schedule))}
    days = [None, *(today(now) + timedelta(days=ahead) for ahead in DAYS[:2])]
    departments = [None, hospital.medicine.id, hospital.skin.id]
    doctors = [None, hospital.doctor.id, dermatologist.id]
    states = [None, AppointmentStatus.PENDING, AppointmentStatus.BOOKED]
    for day, department, doctor, status in product(days, departments, doctors, states):
        expected = [
            one.id
            for one in everything
            if day in {None, one.day}
            and department in {None, one.department_id}
            and doctor in {None, doctor_of[one.schedule_id]}
            and status in {None, one.status}
        ]
        assert pages(session, Wanted(day, department, doctor, None, status)) == expected, (day, department, doctor)
    child = everything[0].patient_id
    assert pages(session, Wanted(patient_id=child)) == [everything[0].id]
    other = next(status for status in AppointmentStatus if status is not everything[0].status)
    assert pages(session, Wanted(patient_id=child, status=other)) == []


def test_a_childs_next_and_last_visit(session: Session, hospital: Hospital, now: datetime) -> None:
    mornings = select(Schedule.id).where(Schedule.practitioner_id == hospital.doctor.id)
    ids = session.scalars(mornings.where(Schedule.day > today(now) + timedelta(days=1)).order_by(Schedule.day)).all()
    child, other = hospital.child, hospital.other_child
    first, second, third = (actions.book(session, ids[n], child, hospital.mother.id, now, POLICY) for n in (0, 2, 4))
    session.flush()
    found = around(session, [child.id, other.id], now)
    before = found[child.id]
    assert before.next is not None
    assert before.next.appointment.id == first.id
    assert before.last is None
    assert (found[other.id].next, found[other.id].last) == (None, None)
    actions.cancel(session, first.id, hospital.mother.id, now, POLICY)
    after = around(session, [child.id], second.starts_at + timedelta(days=1))[child.id]
    assert after.next is not None
    assert after.next.appointment.id == third.id
    assert after.last is not None
    assert after.last.appointment.id == second.id
