"""What is true of booking, money, waiting lists and messages at every moment, whoever did what before."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, and_, func, select
from sqlalchemy.orm import Session, aliased

from booking.models import (
    HOLDING,
    Appointment,
    AppointmentStatus,
    Pool,
    Schedule,
    ScheduleStatus,
    Slot,
    SlotStatus,
    Why,
)
from booking.stop_models import ClinicStop, StopStatus
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import today
from config.states import StatusChange
from notifications.handlers import REASONS
from notifications.models import Notification, NotificationStatus
from payments.gateway import RefundState, TradeState
from payments.models import LedgerAccount, Payment, Refund
from payments.queries import balances, unbalanced
from people.models import Practitioner

Told = set[tuple[str, UUID]]
Wants = AppointmentStatus


def never_oversold(session: Session) -> None:
    """A number is what its one appointment says; a child has one a department and day, but for a change being paid."""
    holds = and_(Appointment.slot_id == Slot.id, Appointment.status.in_(HOLDING))
    rows = session.execute(select(Slot.id, Slot.status, Appointment.status).outerjoin(Appointment, holds)).all()
    assert [slot for slot, times in Counter(row[0] for row in rows).items() if times > 1] == [], "sold twice"
    meant = {None: SlotStatus.FREE, Wants.PENDING: SlotStatus.BUSY_TENTATIVE}
    kept = set(session.scalars(select(Slot.id).where(Slot.kept_until.is_not(None))))
    assert [row for row in rows if row[0] not in kept and row[1] is not meant.get(row[2], SlotStatus.BUSY)] == []
    assert [row for row in rows if row[0] in kept and (row[1] is not SlotStatus.BUSY or row[2])] == []
    child_day = (Appointment.patient_id, Appointment.department_id, Appointment.day)
    alone = Appointment.status.in_(HOLDING) & ~(
        (Appointment.status == Wants.PENDING) & Appointment.replaces_id.is_not(None)
    )
    assert session.execute(select(*child_day).where(alone).group_by(*child_day).having(func.count() > 1)).all() == []
    old = aliased(Appointment)
    changed = select(Appointment.id).join(old, old.id == Appointment.replaces_id).where(old.status == Wants.BOOKED)
    assert session.scalars(changed.where(Appointment.status == Wants.BOOKED)).all() == [], "changed, and had both"


def nobody_comes_to_a_stopped_clinic(session: Session) -> None:
    stopped = select(Appointment.id).join(Schedule, Schedule.id == Appointment.schedule_id)
    stopped = stopped.where(Schedule.status == ScheduleStatus.SUSPENDED)
    stopped = stopped.where(Appointment.status.in_((Wants.PENDING, Wants.BOOKED, Wants.ARRIVED)))
    assert session.scalars(stopped).all() == []


def money_balances(session: Session, *, idle: bool) -> None:
    """Every payment is for one number. Whoever paid has it, or the money back, or (not ``idle``) the worker will see to
    it; and nobody has a number for nothing."""
    assert unbalanced(session) == []
    books = balances(session)
    assert sum(books.values()) == 0
    assert all(books[owner] <= 0 for owner in LedgerAccount if owner is not LedgerAccount.GATEWAY)
    rows = session.execute(
        select(Payment.id, Payment.status, Payment.amount_fen, Payment.refunded_fen, Appointment.status).outerjoin(
            Appointment, Appointment.payment_id == Payment.id
        )
    ).all()
    for _, status, amount, returned, visit in rows:
        assert visit is not None, "money for nothing"
        if status is TradeState.REFUND:
            assert (returned, visit) == (amount, Wants.CANCELLED)
        elif status is TradeState.SUCCESS and idle:
            assert visit is Wants.BOOKED, "neither a number nor the money back"
    paid = [row for row in rows if row[1] in {TradeState.SUCCESS, TradeState.REFUND}]
    assert -books[LedgerAccount.HELD] == sum(amount - returned for _, _, amount, returned, _ in paid)
    unpaid = select(Appointment.id).outerjoin(Payment, Payment.id == Appointment.payment_id)
    unpaid = unpaid.where(Appointment.status == Wants.BOOKED, Appointment.fee_fen > 0)
    assert session.scalars(unpaid.where(Payment.status.is_distinct_from(TradeState.SUCCESS))).all() == []


def the_list_is_in_order(session: Session, now: datetime) -> None:
    """Nobody waits beside a free number, nobody was asked before somebody who came earlier, and an offer is a held
    number with nothing to pay."""
    waits = WaitingEntry.status == WaitingStatus.WAITING
    free = select(Slot.schedule_id).where(Slot.status == SlotStatus.FREE, Slot.pool == Pool.OPEN)
    beside = select(WaitingEntry.id).join(Schedule, Schedule.id == WaitingEntry.schedule_id)
    beside = beside.where(waits, WaitingEntry.closes_at > now, WaitingEntry.schedule_id.in_(free))
    assert session.scalars(beside.where(Schedule.status == ScheduleStatus.ACTIVE)).all() == []
    later = aliased(WaitingEntry)
    asked = later.appointment_id.is_not(None) & (later.schedule_id == WaitingEntry.schedule_id)
    overtaken = select(later.id).where(asked, later.id > WaitingEntry.id).exists()
    assert session.scalars(select(WaitingEntry.id).where(waits, overtaken)).all() == [], "asked out of order"
    offered = select(WaitingEntry.appointment_id).where(WaitingEntry.status == WaitingStatus.OFFERED)
    unanswered = select(Appointment.id).where(Appointment.status == Wants.PENDING, Appointment.payment_id.is_(None))
    assert set(session.scalars(offered)) == set(session.scalars(unanswered))


def everybody_was_told(session: Session, now: datetime) -> None:
    """Each change has its one message, and nothing else is said (a row cannot be written twice). Once the worker is
    idle."""
    rows = session.execute(select(Notification.message, Notification.source_id, Notification.status)).all()
    told: Told = {(row.message, row.source_id) for row in rows}
    assert {about for about in told if about[0] in VISITS} == _of_visits(session)
    assert {about for about in told if about[0] in MONEY} == _of_money(session)
    news = "practitioner-booked"
    dropped = {row.source_id for row in rows if (row.message, row.status) == (news, NotificationStatus.DROPPED)}
    assert {source for message, source in told if message == news} - dropped == _on_doctors_lists(session)
    _of_waiting(session, told, now)
    _of_stops(session, told, now)


VISITS = {"appointment-booked", "appointment-changed", "appointment-cancelled", "clinic-stopped"}
MONEY = {"payment-late", "payment-refunded"}


def _ever_booked(session: Session) -> list[Row[UUID, AppointmentStatus, Why | None, UUID | None]]:
    moved = select(StatusChange.thing_id).where(StatusChange.from_status == "booked")
    ever = (Appointment.status.in_(HOLDING) & (Appointment.status != Wants.PENDING)) | Appointment.id.in_(moved)
    columns = (Appointment.id, Appointment.status, Appointment.cancel_reason, Appointment.replaces_id)
    return list(session.execute(select(*columns).where(ever)).all())


def _of_visits(session: Session) -> Told:
    booked = {("appointment-changed" if row[3] else "appointment-booked", row[0]) for row in _ever_booked(session)}
    ended = session.execute(select(Appointment.id, Appointment.cancel_reason)).all()
    stopped = {("clinic-stopped", row[0]) for row in ended if row[1] is Why.SUSPENDED}
    said = {("appointment-cancelled", row[0]) for row in ended if row[1] in REASONS and row[1] is not Why.SUSPENDED}
    return booked | stopped | said


def _of_money(session: Session) -> Told:
    rows = session.execute(
        select(Refund.id, Refund.status, Refund.reason, Appointment.id).join(
            Appointment, Appointment.payment_id == Refund.payment_id
        )
    ).all()
    arrived: Told = {("payment-refunded", row[0]) for row in rows if row[1] is RefundState.SUCCESS}
    return arrived | {("payment-late", row[3]) for row in rows if row[2] == "late"}


def _on_doctors_lists(session: Session) -> set[UUID]:
    """What doctors with WeChat were told of and not told off again: a whole stopped clinic is another message."""
    stays = {row[0] for row in _ever_booked(session) if row[1] is not Wants.CANCELLED or row[2] is Why.SUSPENDED}
    reached = select(Appointment.id).join(Schedule, Schedule.id == Appointment.schedule_id)
    reached = reached.join(Practitioner, Practitioner.id == Schedule.practitioner_id)
    return stays & set(session.scalars(reached.where(Practitioner.account_id.is_not(None))))


def _of_waiting(session: Session, told: Told, now: datetime) -> None:
    offers = set(session.scalars(select(WaitingEntry.appointment_id).where(WaitingEntry.appointment_id.is_not(None))))
    asked = {source for message, source in told if message == "waiting-offered"}
    open_ones = select(Appointment.id).where(Appointment.status == Wants.PENDING, Appointment.payment_id.is_(None))
    assert set(session.scalars(open_ones.where(Appointment.hold_until > now))) <= asked <= offers
    over = select(WaitingEntry.id).join(StatusChange, StatusChange.thing_id == WaitingEntry.id)
    over = over.where(StatusChange.from_status == "waiting", StatusChange.why.in_(list(ScheduleStatus)))
    had_one = (
        select(Appointment.id)
        .join(Schedule, Schedule.id == WaitingEntry.schedule_id)
        .where(Appointment.patient_id == WaitingEntry.patient_id, Appointment.day == Schedule.day)
        .where(Appointment.department_id == Schedule.department_id)
    )
    sad = {source for message, source in told if message == "waiting-over"}
    assert set(session.scalars(over.where(~had_one.exists()))) <= sad <= set(session.scalars(over))


def _of_stops(session: Session, told: Told, now: datetime) -> None:
    """The doctor of a stop that somebody confirmed, or took back, is told while its periods are still to come."""
    stops = session.execute(
        select(ClinicStop.id, ClinicStop.status, ClinicStop.first_day)
        .join(Practitioner, Practitioner.id == ClinicStop.practitioner_id)
        .where(ClinicStop.status != StopStatus.PLANNED, Practitioner.account_id.is_not(None))
    ).all()
    coming = [row for row in stops if row[2] > today(now)]
    assert {("practitioner-stopped", row[0]) for row in coming} <= told
    assert {("practitioner-resumed", row[0]) for row in coming if row[1] is StopStatus.LIFTED} <= told
    assert [row for row in coming if row[1] is StopStatus.RUNNING] == [], "a stop is not done"
