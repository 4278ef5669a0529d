"""The doctor answers in the moment in which the time is over: one of the two wins, whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import time_machine
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, sessionmaker

from booking import actions as booking
from booking.models import Schedule
from booking.queries import visit as whole
from config.database import transaction
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.encounters.rooms import seat
from consultation.talk.models import Message
from consultation.talk.refusals import RoomClosed
from consultation.written import actions
from payments.models import Refund
from people.access import Viewer
from tests.booking.test_paying import FEE, pay, payment_of
from tests.consultation.lines import POLICY, checked, child, morning, viewer
from tests.consultation.written.conftest import PHONE, told_all
from tests.product import seed
from worker import jobs

VISITS = 6


def begun(committed: sessionmaker[Session], now: datetime, count: int) -> tuple[list[tuple[UUID, UUID]], Viewer]:
    """Paid visits in writing that wait for their first answer (encounter, appointment), and their doctor."""
    with committed.begin() as session:
        hospital = seed(session, now)
        session.execute(update(Schedule).values(fee_fen=FEE))
        session.expire_all()
        schedule = morning(session, hospital.doctor, now)
        checked(session, schedule, hospital.doctor, now)
        made = []
        for n in range(count):
            patient = child(session, hospital, n, now)
            held = booking.book(session, schedule.id, patient, hospital.mother.id, now, POLICY)
            pay(session, payment_of(session, held), now)
            visit = whole(session, held.id)
            actions.choose(session, visit, hospital.mother.id, now)
            told_all(session, visit, now)
            made.append((actions.begin(session, visit, hospital.mother.id, PHONE, now, POLICY).id, held.id))
        return made, viewer(hospital.doctor)


def refunds(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Refund)) or 0


def test_the_workers_minute_gives_the_fee_back_once(committed: sessionmaker[Session], now: datetime) -> None:
    begun(committed, now, 2)
    for late in (-1, 0, 1):
        with time_machine.travel(now + timedelta(hours=POLICY.text_reply_hours, seconds=late), tick=False):
            jobs.see_to_written()
        with committed() as session:
            assert refunds(session) == (0 if late < 0 else 2)


def test_an_answer_and_the_end_of_its_time(committed: sessionmaker[Session], now: datetime) -> None:
    waiting, doctor = begun(committed, now, VISITS)
    over = now + timedelta(hours=POLICY.text_reply_hours)
    ready = Barrier(2)

    def answer(visit_id: UUID) -> bool:
        ready.wait()
        try:
            with transaction() as session:
                actions.write(session, seat(session, doctor, visit_id, lock=True), "Yes", uuid4(), over, POLICY)
        except RoomClosed:
            return False
        return True

    def sweep(encounter_id: UUID) -> None:
        ready.wait()
        with transaction() as session:
            actions.see_to(session, encounter_id, over, POLICY)

    answered = {}
    with ThreadPoolExecutor(2) as both:
        for encounter_id, visit_id in waiting:
            swept = both.submit(sweep, encounter_id)
            answered[encounter_id] = both.submit(answer, visit_id).result()
            swept.result()
    with committed() as session:
        for encounter_id, said in answered.items():
            found = session.get_one(Encounter, encounter_id)
            written = select(func.count()).where(Message.encounter_id == encounter_id)
            assert (found.status is EncounterStatus.IN_PROGRESS) is said
            assert session.scalar(written) == int(said)
        assert refunds(session) == VISITS - sum(answered.values())
