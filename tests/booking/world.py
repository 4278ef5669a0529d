"""A clinic of three doctors and six children for tests of histories: who does what, and what the worker does of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session

from booking import actions, refusals
from booking.actions.stopping import SUSPEND, Wish
from booking.models import HOLDING, Appointment, Period, Schedule, Slot, Why
from booking.stop_models import ClinicStop, StopReason, StopStatus
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.clock import at, today
from config.database import transaction
from config.errors import Refused
from config.ids import new_id
from config.jobs import HANDLE_FACT, Fact
from config.policy import Policy
from notifications.handlers import handle
from payments import actions as payments
from payments import collecting
from payments.due import claim
from payments.gateway import GatewayError, RefundState
from payments.models import Payment, Refund
from payments.refusals import AlreadyPaid, GatewayAway, PaymentOver
from people.access import Member
from people.models import Patient, Practitioner, Role
from tests.booking.waiting import POLICY, family
from tests.payments.till import Till
from tests.product import HOURS, Hospital, account, agree, member, practitioner

T = TypeVar("T")
USUAL = (
    refusals.AlreadyHolding,
    refusals.ListClosed,
    refusals.NotCancellable,
    refusals.NotChangeable,
    refusals.NotOpen,
    refusals.NotStoppable,
    refusals.NumberFree,
    refusals.OfferOver,
    refusals.SamePeriod,
    refusals.SoldOut,
    refusals.TooLateToCancel,
    refusals.TooLateToChange,
    refusals.TooManyWaits,
)
FEES = ((0, 5000, 5000), (0, 3000, 5000))  # of the three doctors, on the one day and on the other


@dataclass
class World:
    """What is there, by ids: each act opens its own transaction, as pages and jobs do."""

    now: datetime
    schedules: list[UUID]
    guardians: dict[UUID, UUID]  # child to account
    head: UUID
    till: Till = field(default_factory=Till)
    policy: Policy = POLICY

    def act(self, what: Callable[[Session], T]) -> T | Refused:
        """What came of it, or why not."""
        try:
            with transaction() as session:
                return what(session)
        except USUAL as refusal:
            return refusal

    def guardian(self, session: Session, row: Appointment | WaitingEntry) -> UUID:
        return self.guardians.get(row.patient_id, row.account_id)

    def book(self, child: UUID, schedule: UUID) -> object:
        return self.act(
            lambda session: (
                actions.book(
                    session, schedule, session.get_one(Patient, child), self.guardians[child], self.now, self.policy
                ).id
            )
        )

    def join(self, child: UUID, schedule: UUID) -> object:
        return self.act(
            lambda session: (
                actions.join(
                    session, schedule, session.get_one(Patient, child), self.guardians[child], self.now, self.policy
                ).id
            )
        )

    def leave(self, entry: UUID) -> object:
        def leaving(session: Session) -> object:
            who = self.guardian(session, session.get_one(WaitingEntry, entry))
            return actions.leave(session, entry, who, self.now).status

        return self.act(leaving)

    def answer(self, visit: UUID, *, yes: bool) -> object:
        def answering(session: Session) -> object:
            who = self.guardian(session, session.get_one(Appointment, visit))
            if yes:
                return actions.accept(session, visit, who, self.now, self.policy).status
            return actions.decline(session, visit, who, self.now).status

        return self.act(answering)

    def cancel(self, visit: UUID, why: Why, *, closes: bool) -> object:
        """The parent gives a number back; the page then closes its order, if WeChat Pay answers."""

        def cancelling(session: Session) -> UUID | None:
            who = self.guardian(session, session.get_one(Appointment, visit))
            return actions.cancel(session, visit, who, self.now, self.policy, why).payment_id

        unpaid = self.act(cancelling)
        if closes and isinstance(unpaid, UUID):
            with suppress(GatewayError):
                collecting.close(self.till, unpaid, self.now)
        return unpaid

    def change(self, visit: UUID, schedule: UUID) -> object:
        def changing(session: Session) -> UUID:
            who = self.guardian(session, session.get_one(Appointment, visit))
            return actions.reschedule(session, visit, schedule, who, self.now, self.policy).id

        return self.act(changing)

    def open_cashier(self, payment: UUID) -> None:
        with suppress(PaymentOver, AlreadyPaid, GatewayAway):
            collecting.checkout(self.till, payment, self.now)

    def pay(self, number: str, *, told: int) -> None:
        """The parent pays what the cashier shows; the notice is lost, told once, or told twice."""
        notice = self.till.pay(number, self.now)
        for _ in range(told if notice else 0):
            assert notice
            with transaction() as session:
                payments.settle(session, notice, self.now)

    def cross(self) -> list[UUID]:
        """Two visits of the first two mornings (free of charge, one number each): the child of each is the next on the
        other's list. Whatever was there before is ended."""
        mornings = Appointment.schedule_id.in_(self.schedules[:2])
        with transaction() as session:
            entries = select(WaitingEntry.id).where(WaitingEntry.schedule_id.in_(self.schedules[:2]))
            waiting = session.scalars(entries.where(WaitingEntry.status == WaitingStatus.WAITING)).all()
        for entry in waiting:
            self.leave(entry)
        self._each(mornings, lambda visit: self.cancel(visit, Why.PARENT, closes=False))
        one, other, *rest = self.guardians
        for schedule, child, line in zip(self.schedules, rest, ((one, other), (other, one)), strict=False):
            self.book(child, schedule)
            for who in line:
                self.join(who, schedule)
        self._each(mornings, lambda visit: self.cancel(visit, Why.PARENT, closes=False))
        return self._each(mornings, lambda visit: self.answer(visit, yes=True))

    def _each(self, where: object, what: Callable[[UUID], object]) -> list[UUID]:
        """Do something with each of the numbers that are held there now."""
        with transaction() as session:
            visits = self.visits(session, where)
        for visit in visits:
            what(visit)
        return visits

    def stop(self, which: int, *, whole: bool) -> object:
        """The head stops a doctor's morning, or the whole department's; its jobs wait for the worker."""

        def stopping(session: Session) -> UUID:
            schedule = session.get_one(Schedule, self.schedules[which])
            doctor = None if whole else schedule.practitioner_id
            span = (schedule.day, Period.MORNING, schedule.day, Period.MORNING)
            wish = Wish(schedule.department_id, doctor, *span, StopReason.DUTY)
            plan = actions.plan_stop(session, self._head(session), wish, self.now)
            return actions.confirm_stop(session, self._head(session), plan.id, self.now).id

        return self.act(stopping)

    def lift(self, stop: UUID) -> object:
        return self.act(lambda session: actions.lift_stop(session, self._head(session), stop, self.now).status)

    def _head(self, session: Session) -> Member:
        return Member(session.get_one(Practitioner, self.head), frozenset({Role.ADMINISTRATOR}), frozenset())

    def sweep(self) -> None:
        """What the clockwork does: offers lapse, lists close, WeChat Pay is asked and refunds are sent."""
        for step in (actions.free_kept, actions.lapse_offer, actions.close_list):
            more: int = 1
            while more:
                with transaction() as session:
                    more = step(session, self.now)
        with transaction() as session:
            due = claim(session, self.now, 50)
        for one in due:
            with suppress(GatewayError):
                collecting.see_to(self.till, one, self.now)

    def refunds_arrive(self) -> None:
        for number in list(self.till.refunds):
            notice = self.till.end(number, RefundState.SUCCESS, self.now)
            with transaction() as session:
                payments.refund_result(session, notice, self.now)

    def work(self) -> None:
        """The worker does its jobs, one after the other, until there is none."""
        waiting = text("select id, task_name, args from procrastinate_jobs order by id")
        while jobs := self.act(lambda session: session.execute(waiting).all()):
            assert isinstance(jobs, list)
            for job, task, args in jobs:
                with transaction() as session:
                    self._do(session, task, args)
                    session.execute(text("delete from procrastinate_jobs where id = :id"), {"id": job})
                if task == SUSPEND:
                    with transaction() as session:
                        actions.finish_stop(session, UUID(args["stop_id"]), self.now)

    def _do(self, session: Session, task: str, args: dict[str, str]) -> None:
        if task == HANDLE_FACT:
            handle(session, Fact.from_json(args["kind"], args["data"]), self.now)  # type: ignore[arg-type]
        else:
            assert task == SUSPEND, task
            actions.suspend(session, UUID(args["stop_id"]), UUID(args["schedule_id"]), self.now)

    def everything_ends(self) -> None:
        """A month later, everybody having been asked again."""
        self.now += timedelta(days=30)
        for _ in range(2):
            with transaction() as session:
                session.execute(update(Payment).where(Payment.status == "NOTPAY").values(ask_at=self.now))
                session.execute(update(Refund).where(Refund.status == "PROCESSING").values(ask_at=self.now))
            self.sweep()
            self.work()

    def visits(self, session: Session, *conditions: object) -> list[UUID]:
        """The numbers that somebody holds."""
        found = select(Appointment.id).where(Appointment.status.in_(HOLDING), *conditions)  # type: ignore[arg-type]
        return list(session.scalars(found.order_by(Appointment.id)))

    def done_stops(self, session: Session) -> list[UUID]:
        return list(session.scalars(select(ClinicStop.id).where(ClinicStop.status == StopStatus.DONE)))


def build(
    session: Session, hospital: Hospital, now: datetime, *, quota: int = 1, fees: tuple[tuple[int, ...], ...] = FEES
) -> World:
    """Two mornings of two doctors of one department and of one of another, with so many numbers each, and nothing else;
    three families with two children each."""
    third = account(session, "o-third", now)
    skin = practitioner(session, "D003", hospital.skin, account(session, "o-skin", now))
    head = member(session, "H001", account(session, "o-head", now), Role.ADMINISTRATOR)
    children = [hospital.child, hospital.sibling, hospital.other_child]
    owners = [hospital.mother, hospital.mother, hospital.stranger, hospital.stranger, third, third]
    children += [family(session, owner, n, now) for n, owner in enumerate(owners[3:])]
    session.execute(delete(Slot))
    session.execute(delete(Schedule))
    doctors = [hospital.doctor, hospital.colleague, skin]
    made = [
        _morning(session, doctor, now, ahead, fee, quota)
        for ahead, of_day in enumerate(fees, 1)
        for doctor, fee in zip(doctors, of_day, strict=True)
    ]
    guardians = {child.id: owner.id for child, owner in zip(children, owners, strict=True)}
    agree(session, third, now)
    session.commit()
    return World(now, made, guardians, head.id)


def _morning(session: Session, doctor: Practitioner, now: datetime, ahead: int, fee: int, quota: int) -> UUID:
    day = today(now) + timedelta(days=ahead)
    starts, ends = (at(day, hour) for hour in HOURS[Period.MORNING])
    schedule = Schedule(
        id=new_id(),
        practitioner_id=doctor.id,
        department_id=doctor.department_id,
        day=day,
        period=Period.MORNING,
        starts_at=starts,
        ends_at=ends,
        fee_fen=fee,
    )
    session.add(schedule)
    session.flush()
    session.add_all(Slot(schedule_id=schedule.id, number=n, starts_at=starts) for n in range(1, quota + 1))
    session.flush()
    return schedule.id
