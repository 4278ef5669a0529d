"""What the worker does when it is its time: each a function that opens its own short transactions, safe to repeat."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import structlog
from sqlalchemy import select

from booking.actions import (
    close_list,
    extend_stops,
    finish_stop,
    free_kept,
    lapse_offer,
    offer_free,
    open_pools,
    remind_due,
    settle_marks,
    suspend,
)
from booking.actions import mark_missed as mark_unmarked
from booking.models import Period
from booking.pool import Clinic, NumberPool, OursAlone, PoolUnavailable
from booking.rosters import cutting, pooling
from config.clock import now
from config.database import transaction
from config.jobs import Fact
from config.policy import current
from consultation.encounters.models import NOT_OVER, Encounter
from consultation.line.actions import watch
from consultation.record import following
from consultation.talk import actions as talk
from consultation.written import actions as written
from consultation.written.queries import OPEN
from consultation.written.queries import due as written_due
from notifications import doctors, handlers, records, results, sending, texting, unreached
from notifications.models import Notification
from people import invitations, sessions, staff
from people.index import PatientIndex
from people.models import Account, Department
from prescriptions.after import actions as after_medicines
from wechat.tags import Tags

log = structlog.get_logger()


class ResultOfUnknown(Exception):
    """The channel reports on a message that is not (yet) known as sent."""


def handle_fact(kind: str, data: dict[str, str | None]) -> None:
    """Tell everyone who listens to a fact. Raises KeyError for a kind that is not known."""
    with transaction() as session:
        handlers.handle(session, Fact.from_json(kind, data), now())


def note_result(channel_id: str, status: str, account_id: str | None = None) -> None:
    """Note a result that came before its message was known as sent. Raises ResultOfUnknown."""
    with transaction() as session:
        found = results.delivered_later(session, channel_id, status, now(), UUID(account_id) if account_id else None)
    if not found:
        raise ResultOfUnknown(channel_id)


def text_instead(notification_id: str, index: PatientIndex) -> None:
    """Send what must arrive, and failed in WeChat, to the phones that the hospital has on file."""
    failed = UUID(notification_id)
    with transaction() as session:
        number = texting.number_of_child(session, failed)
    record = index.find_number(number) if number else None
    phones = texting.mobiles(record.phones) if record else []
    if number and not phones:
        log.error("must-arrive-failed", notification=notification_id, why="no-phone")
    with transaction() as session:
        if number and not phones:
            unreached.family_missed(session, session.get_one(Notification, failed), now())
        texting.put_texts(session, failed, phones, now())


def call_instead(notification_id: str) -> None:
    """What must arrive failed in WeChat, and nobody sends text messages: the family has to be called."""
    log.error("must-arrive-failed", notification=notification_id, why="no-sms-provider")
    with transaction() as session:
        unreached.family_missed(session, session.get_one(Notification, UUID(notification_id)), now())


def tell_lists() -> None:
    """Tell the doctors of the next day's list, when it is time."""
    with transaction() as session:
        doctors.tell_lists(session, now())


def see_to_records() -> None:
    """Remind of records that nobody signed: a task each, and once a day a message."""
    with transaction() as session:
        following.remind_unsigned(session, now())
        records.tell_unsigned(session, now())


def tag(tags: Tags, account_id: str) -> None:
    """Give an account the staff's tag in WeChat, or take it away, as the bindings stand now.

    Raises WeChatError, WeChatUnavailable.
    """
    with transaction() as session:
        account = session.get_one(Account, UUID(account_id))
        openid, works_here = account.openid, staff.is_staff(session, account.id)
    if works_here:
        tags.tag(openid)
    else:
        tags.untag(openid)


def remind() -> None:
    """Let the reminders that have fallen due go out, some hundreds at a time."""
    done = -1
    while done:
        with transaction() as session:
            done = remind_due(session, now())


def open_numbers() -> None:
    """Open the kept-back numbers whose time has come: to those who wait first."""
    with transaction() as session:
        for schedule_id in open_pools(session, now()):
            offer_free(session, schedule_id, now())


def see_to_marks() -> None:
    """Let marks that can't be taken back any more have their consequences."""
    done = -1
    while done:
        with transaction() as session:
            done = settle_marks(session, now())


def mark_missed() -> None:
    """Mark what nobody marked on the days before, where policy says so."""
    done = -1
    while done:
        with transaction() as session:
            done = mark_unmarked(session, now())


def see_to_lines() -> None:
    """End the calls that nobody answered, and look after the children who wait too long; one department at a time."""
    with transaction() as session:
        busy = session.scalars(select(Encounter.department_id).where(Encounter.status.in_(NOT_OVER)).distinct()).all()
    for department_id in busy:
        with transaction() as session:
            watch(session, session.get_one(Department, department_id), now())


def see_to_written() -> None:
    """End the visits in writing whose time is over; each in a transaction of its own."""
    at = now()
    with transaction() as session:
        busy = select(Encounter.department_id).where(OPEN)
        policies = {
            one.id: current(session, at, one.code)
            for one in session.scalars(select(Department).where(Department.id.in_(busy)))
        }
        due = [(one, policy) for of, policy in policies.items() for one in written_due(session, of, at, policy)]
    for encounter_id, policy in due:
        with transaction() as session:
            written.see_to(session, encounter_id, at, policy)


def see_to_courses() -> None:
    """Remind of medicines, and ask the families whose course is over, some hundreds at a time."""
    for step in (after_medicines.remind_due, after_medicines.ask_due):
        done = -1
        while done:
            with transaction() as session:
                done = step(session, now())


def see_to_waiting() -> None:
    """Free the numbers that were kept a while, end the offers that nobody answered in time, which makes the next ones,
    and close the lists that are over."""
    for step in (free_kept, lapse_offer, close_list):
        more: int = 1
        while more:
            with transaction() as session:
                more = step(session, now())


def cut(pool: NumberPool | None = None) -> int:
    """Cut the rosters for the days that can be booked and the one after. Returns how many schedules are new."""
    with transaction() as session:
        days = cutting.cut_days(now(), current(session, now()))
    made = sum(cut_day(day, pool) for day in days)
    with transaction() as session:
        extend_stops(session, now())
    return made


def cut_day(day: date, pool: NumberPool | None = None) -> int:
    """Cut one day: see which numbers are wanted, ask the pool, write. Returns how many schedules are new.

    A pool that does not answer leaves the day as it is, for the next time; the administrators get a task.
    """
    pool = pool or OursAlone()
    with transaction() as session:
        wanted = cutting.wanted(session, day, now())
    try:
        ours = pool.reserve(wanted) if wanted else {}
    except PoolUnavailable as error:
        log.warning("pool-unavailable", day=day.isoformat(), why=str(error))
        with transaction() as session:
            pooling.unanswered(session, day, now())
        return 0
    with transaction() as session:
        made = cutting.cut_schedules(session, [day], now(), ours)
        pooling.answered(session, day, now())
        return made


def give_back(pool: NumberPool, clinic: Clinic, numbers: list[int]) -> None:
    """Hand numbers back to the pool, but for those that are in use again by now. Raises PoolUnavailable."""
    with transaction() as session:
        used = cutting.in_use(session, clinic.day).get(clinic, set())
    if unwanted := frozenset(numbers) - used:
        pool.give_back({clinic: unwanted})


def clinic(department: str, practitioner: str, day: str, period: str) -> Clinic:
    """A clinic, from the arguments of a job."""
    return Clinic(department, practitioner, date.fromisoformat(day), Period(period))


def suspend_schedule(stop_id: str, schedule_id: str) -> None:
    """Stop one period of a clinic that is stopped, and the stop with its last one."""
    with transaction() as session:
        suspend(session, UUID(stop_id), UUID(schedule_id), now())
    with transaction() as session:
        finish_stop(session, UUID(stop_id), now())


def see_to_staff() -> None:
    """End the invitations that nobody used in time, and forget sign-ins that ended long ago."""
    with transaction() as session:
        invitations.expire(session, now())
        sessions.tidy(session, now())


def see_to_rooms() -> None:
    """Forget what happened, event by event, in the rooms of visits that are over."""
    with transaction() as session:
        talk.forget(session, now())


def free_stuck() -> None:
    """Mark the messages that a killed worker left behind, to be sent again."""
    with transaction() as session:
        sending.free_stuck(session, now())
