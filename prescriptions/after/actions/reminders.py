"""A family is reminded of its medicines, at the times that it chose: never closer than the medicine's interval, never
after its last day, and of each moment once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import today
from config.jobs import emit
from people.access import Viewer
from prescriptions.after import queries
from prescriptions.after.events import MedicineDue
from prescriptions.after.models import CourseEnd, MedicineReminder
from prescriptions.after.refusals import NoReminders, TimesTooClose, TimeUnreadable, TooManyTimes
from prescriptions.after.rules import Plan, last_day, moments, next_due, read, too_close, turn, written
from prescriptions.writing.models import Prescription, PrescriptionLine, PrescriptionStatus
from prescriptions.writing.queries import for_family

SLOT = "%Y%m%d%H%M"


def choose(
    session: Session, viewer: Viewer, prescription_id: UUID, times: Mapping[int, Sequence[str]], now: datetime
) -> MedicineReminder:
    """Be reminded of each line at these times of the day (``08:00``), from the moment the medicine is with the child. A
    line without times is not reminded of.

    Raises NotFound, NoReminders; TimeUnreadable, TooManyTimes, TimesTooClose with the field ``times-<line>``.
    """
    prescription = for_family(session, viewer, prescription_id)
    _hold(session, prescription_id)
    course = queries.course(session, prescription_id)
    if prescription.status is not PrescriptionStatus.APPROVED or (course and today(now) > course.until):
        raise NoReminders
    chosen = {str(line.n): written(_checked(line, times.get(line.n, ()))) for line in lines(session, prescription_id)}
    found = queries.reminder(session, prescription_id, viewer.account_id, lock=True)
    if found is None:
        found = MedicineReminder(
            prescription_id=prescription_id,
            patient_id=prescription.patient_id,
            account_id=viewer.account_id,
            last={},
            created_at=now,
        )
        session.add(found)
    found.times = {n: clocks for n, clocks in chosen.items() if clocks}
    found.active = bool(found.times)
    start(session, found, course, now)
    session.flush()
    return found


def switch_off(session: Session, viewer: Viewer, prescription_id: UUID) -> None:
    """Not any more. Raises NotFound for a stranger's child; without reminders nothing happens."""
    for_family(session, viewer, prescription_id)
    if found := queries.reminder(session, prescription_id, viewer.account_id, lock=True):
        found.active, found.next_at = False, None


def start(session: Session, reminder: MedicineReminder, course: CourseEnd | None, now: datetime) -> None:
    """Count a reminder from the course's beginning, if the medicine is with the child."""
    reminder.next_at = None
    if course is None:
        return
    reminder.starts_on, reminder.until = today(course.began_at), course.until
    if reminder.active:
        reminder.next_at = next_due(plans(session, reminder), max(now, course.began_at))


def lines(session: Session, prescription_id: UUID) -> Sequence[PrescriptionLine]:
    """The lines of a signed prescription, in order."""
    wanted = select(PrescriptionLine).where(PrescriptionLine.prescription_id == prescription_id)
    return session.scalars(wanted.order_by(PrescriptionLine.n)).all()


def plans(session: Session, reminder: MedicineReminder) -> list[Plan]:
    """What a reminder that has begun is about."""
    assert reminder.starts_on  # noqa: S101 - it has begun
    return planned(lines(session, reminder.prescription_id), reminder, reminder.starts_on)


def planned(of: Iterable[PrescriptionLine], reminder: MedicineReminder, starts_on: date) -> list[Plan]:
    """The lines as they are given, each for its own days."""
    last = moments(reminder.last)
    return [
        Plan(line.n, read(clocks), line.interval, last_day(starts_on, line.days), last.get(str(line.n)))
        for line in of
        if (clocks := reminder.times.get(str(line.n)))
    ]


def remind_due(session: Session, now: datetime, limit: int = 200) -> int:
    """Emit what has fallen due and set the next moment; returns how many reminders were looked at.

    What is later than LATE is left out. A roll-back leaves everything as it was, so a moment is told once.
    """
    due = session.execute(
        select(MedicineReminder, Prescription.status)
        .join(Prescription, Prescription.id == MedicineReminder.prescription_id)
        .where(MedicineReminder.next_at <= now)
        .order_by(MedicineReminder.next_at)
        .limit(limit)
        .with_for_update(of=MedicineReminder, skip_locked=True)
    ).all()
    for reminder, status in due:
        if status is PrescriptionStatus.APPROVED:
            _remind(session, reminder, now)
        else:
            reminder.next_at = None
    session.flush()
    return len(due)


def _remind(session: Session, reminder: MedicineReminder, now: datetime) -> None:
    assert reminder.next_at  # noqa: S101 - it is due
    found = turn(plans(session, reminder), reminder.next_at, now)
    if found.slot:
        reminder.last = {**reminder.last, **{str(n): found.slot.isoformat() for n in found.lines}}
        emit(session, MedicineDue(reminder.id, found.slot.strftime(SLOT)))
    reminder.next_at = found.next_at


def _checked(line: PrescriptionLine, typed: Sequence[str]) -> tuple[time, ...]:
    field = f"times-{line.n}"
    try:
        times = read(one for one in typed if one.strip())
    except ValueError:
        raise TimeUnreadable(field=field) from None
    if len(times) > line.times:
        raise TooManyTimes(field=field, times=line.times)
    if too_close(times, line.interval):
        raise TimesTooClose(field=field, hours=line.interval)
    return times


def _hold(session: Session, prescription_id: UUID) -> None:
    """Who begins a course and who asks to be reminded of it wait for each other: neither may miss the other."""
    session.execute(select(Prescription.id).where(Prescription.id == prescription_id).with_for_update())
