"""What doctors are told: their new and cancelled numbers, gathered and not at night, and the next day's list."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.events import AppointmentBooked, AppointmentCancelled
from booking.models import AppointmentStatus, Why
from booking.queries import DayList, Visit, day_lists, visit
from config.clock import local, today
from config.policy import Policy, current
from config.states import advance
from config.text import known
from notifications import rules
from notifications.models import Notification, NotificationStatus
from notifications.writing import put, visit_values
from people.models import Account

BOOKED, CANCELLED, TOMORROW = "practitioner-booked", "practitioner-cancelled", "practitioner-tomorrow"

BY_THE_DOCTOR = frozenset(
    {Why.NOT_FOLLOWUP, Why.TRIAGE, Why.IDENTITY, Why.GUARDIAN_ABSENT, Why.TECHNICAL}
)  # in the room


def tell_practitioner_booked(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """The doctor learns of a new number on the list, together with others that follow it closely."""
    _tell(session, BOOKED, visit(session, fact.appointment_id), now, gather=True)


def tell_practitioner_cancelled(session: Session, fact: AppointmentCancelled, now: datetime) -> None:
    """The doctor learns that a number has left the list; one they never heard of leaves without a word."""
    if fact.was == AppointmentStatus.PENDING:
        return
    about = visit(session, fact.appointment_id)
    if about.appointment.cancel_reason is Why.SUSPENDED:
        return  # told of the whole clinic (notifications/clinics.py)
    if about.appointment.cancel_reason in BY_THE_DOCTOR:
        return
    untold = session.scalars(
        select(Notification)
        .where(Notification.message == BOOKED, Notification.source_id == about.appointment.id)
        .where(Notification.status == NotificationStatus.QUEUED, Notification.attempts == 0)
        .with_for_update()
    ).all()
    for row in untold:
        advance(row, NotificationStatus.DROPPED, by="worker", why="overtaken", now=now)
        row.error = "overtaken"
    if not untold and not _overtaken(session, about):
        _tell(session, CANCELLED, about, now, gather=False)


def _overtaken(session: Session, about: Visit) -> bool:
    """Whether this has been settled before: the same fact may come twice."""
    found = select(Notification.id).where(
        Notification.message == BOOKED,
        Notification.source_id == about.appointment.id,
        Notification.error == "overtaken",
    )
    return session.scalar(found) is not None


def _tell(session: Session, message: str, about: Visit, now: datetime, *, gather: bool) -> None:
    if about.practitioner.account_id is None:
        return
    account = session.get_one(Account, about.practitioner.account_id)
    policy = current(session, now, about.department.code)
    due_at = rules.tell_doctor_at(about.appointment.starts_at, now, policy, gather=gather)
    source = about.appointment.id
    put(session, message, account, source, visit_values(about, known(account.locale)), now, link=source, due_at=due_at)


def tell_lists(session: Session, now: datetime) -> int:
    """From the hour of the policy until midnight: tell each doctor once how many children the next day brings.

    Returns how many doctors were told. A doctor with nobody booked is left in peace.
    """
    policy = current(session, now)
    if local(now).time() < policy.doctor_list_at:
        return 0
    day = today(now) + timedelta(days=1)
    told = select(Notification.source_id).where(
        Notification.message == TOMORROW, Notification.occasion == day.isoformat()
    )
    already = set(session.scalars(told))
    coming = [found for found in day_lists(session, day) if found.practitioner.id not in already]
    for found in coming:
        _tell_list(session, found, now, policy)
    return len(coming)


def _tell_list(session: Session, found: DayList, now: datetime, policy: Policy) -> None:
    account = session.get_one(Account, found.practitioner.account_id)
    put(
        session,
        TOMORROW,
        account,
        found.practitioner.id,
        {
            "department": found.department.name[known(account.locale)],
            "time": found.first_at,
            "count": found.children,
        },
        now,
        occasion=found.day.isoformat(),
        due_at=rules.not_before(now, policy),
        expires_at=found.first_at,
    )
