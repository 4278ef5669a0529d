"""What is said when a clinic is stopped, takes place after all, is late, or is another doctor's.

A whole period is said in one statement: a department that stops has thousands of parents.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.events import (
    ClinicResumed,
    ClinicStopped,
    DoctorDelayed,
    DoctorReplaced,
    ScheduleResumed,
    ScheduleStopped,
)
from booking.models import Schedule
from booking.queries import Visit
from booking.stop_models import REASON_TEXTS
from booking.stop_queries import DoctorsPart, doctors_parts, stopped_visits, waiting_visits
from config.text import N_, known, translate
from notifications.writing import Values, put, put_all, row, visit_values
from people.models import Account, Department, Practitioner

# At most 20 characters each, in both languages (``thing``).
STOPPED_HINT = N_("Tap for other times")
RESUMED_HINT = N_("Clinic is on: rebook")
LATER_HINT = N_("Later than planned")
ON_TIME_HINT = N_("On time after all")
REPLACED_HINT = N_("Other doctor: choose")
YOU_WORK_HINT = N_("As in your roster")
YOU_STAND_IN_HINT = N_("You stand in")
OTHER_STANDS_IN_HINT = N_("Colleague stands in")


def tell_stopped(session: Session, fact: ScheduleStopped, now: datetime) -> None:
    """Every parent whose appointment ended with the period."""
    _tell(session, "clinic-stopped", stopped_visits(session, fact.schedule_id), STOPPED_HINT, now)


def tell_resumed(session: Session, fact: ScheduleResumed, now: datetime) -> None:
    """The parents who lost their number and whose child has no other in the department yet."""
    lost = stopped_visits(session, fact.schedule_id, now, without_another=True)
    _tell(session, "clinic-resumed", lost, RESUMED_HINT, now, occasion=fact.stop_id.hex)


def tell_delayed(session: Session, fact: DoctorDelayed, now: datetime) -> None:
    """Everybody still coming learns the new time."""
    late = session.get_one(Schedule, fact.schedule_id).delay_minutes
    coming = waiting_visits(session, fact.schedule_id)
    hint = LATER_HINT if late else ON_TIME_HINT
    _tell(session, "doctor-delayed", coming, hint, now, occasion=fact.news_id.hex)


def tell_replaced(session: Session, fact: DoctorReplaced, now: datetime) -> None:
    """Everybody still coming learns who the doctor is, and both doctors whose the list is."""
    coming = waiting_visits(session, fact.schedule_id)
    _tell(session, "doctor-replaced", coming, REPLACED_HINT, now, occasion=fact.news_id.hex)
    for who, hint in ((fact.from_id, OTHER_STANDS_IN_HINT), (fact.to_id, YOU_STAND_IN_HINT)):
        _tell_stand_in(session, fact, who, hint, len(coming), now)


def _tell_stand_in(
    session: Session, fact: DoctorReplaced, practitioner_id: UUID, hint: str, count: int, now: datetime
) -> None:
    schedule = session.get_one(Schedule, fact.schedule_id)
    account = _account(session, practitioner_id)
    if account is None:
        return
    locale = known(account.locale)
    values: Values = {
        "department": session.get_one(Department, schedule.department_id).name[locale],
        "time": schedule.starts_at + schedule.delay,
        "count": count,
        "hint": translate(locale, hint),
    }
    put(session, "practitioner-stand-in", account, schedule.id, values, now, occasion=fact.news_id.hex)


def tell_doctors_stopped(session: Session, fact: ClinicStopped, now: datetime) -> None:
    """Each doctor of the stop, once: from when until when, and how many children were booked."""
    for part in doctors_parts(session, fact.stop_id, now):
        _tell_doctor(session, "practitioner-stopped", part, {"count": part.children}, now)


def tell_doctors_resumed(session: Session, fact: ClinicResumed, now: datetime) -> None:
    """Each doctor of the stop, once: they work after all."""
    for part in doctors_parts(session, fact.stop_id, now):
        _tell_doctor(session, "practitioner-resumed", part, {}, now)


def _tell_doctor(session: Session, message: str, part: DoctorsPart, values: Values, now: datetime) -> None:
    account = _account(session, part.practitioner_id)
    if account is None:
        return
    locale = known(account.locale)
    said: Values = {
        "department": part.department.name[locale],
        "from": part.first_at,
        "until": part.last_at,
        "reason": translate(locale, REASON_TEXTS[part.stop.reason]),
        "hint": translate(locale, YOU_WORK_HINT),
    }
    put(session, message, account, part.stop.id, said | values, now)


def _account(session: Session, practitioner_id: UUID) -> Account | None:
    account_id = session.get_one(Practitioner, practitioner_id).account_id
    return session.get_one(Account, account_id) if account_id else None


def _tell(
    session: Session, message: str, visits: Sequence[Visit], hint: str, now: datetime, *, occasion: str = ""
) -> None:
    ids = {about.appointment.account_id for about in visits}
    spoken = {a.id: known(a.locale) for a in session.scalars(select(Account).where(Account.id.in_(ids)))}
    rows = []
    for about in visits:
        source, to = about.appointment.id, about.appointment.account_id
        said = visit_values(about, spoken[to]) | {"hint": translate(spoken[to], hint)}
        rows.append(row(message, to, source, said, now, link=source, occasion=occasion))
    put_all(session, rows)
