"""What must arrive and failed in WeChat reaches the phones that the hospital has on file, and no others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from config import redis
from config.settings import Settings
from config.states import advance
from notifications import sending
from notifications.channel import ChannelError, OutgoingMessage
from notifications.handlers import handle
from notifications.models import Notification, NotificationStatus
from notifications.sms import TextMessage
from people.events import GuardianBound
from people.index import IndexRecord, TablePatientIndex, put
from people.models import GuardianStatus, RelatedPerson, Sex
from people.tasks import Task
from tests.notifications.rows import queued
from tests.product import Hospital, guardian, seed
from wechat.service import connect
from worker import jobs
from worker.app import build
from worker.sender import Ways, send_next

LANDLINE = "01066668888"
PHONES = ("13800001234", "13900005678")


class Out:
    """A channel and a provider that remember; WeChat fails for good."""

    def __init__(self) -> None:
        self.texts: list[TextMessage] = []

    def send(self, message: TextMessage) -> str:
        self.texts.append(message)
        return str(len(self.texts))


class Gone:
    def send(self, message: OutgoingMessage) -> str:
        raise ChannelError("not-a-follower", "never")


@pytest.fixture
def added(session: Session, hospital: Hospital, now: datetime) -> RelatedPerson:
    """A stranger was bound to the child, whose family has two phones on file; the mother is told."""
    record = IndexRecord(
        "QR-0001", "PQR-0001", "王小明", hospital.child.birth_date, Sex.FEMALE, (LANDLINE, *PHONES), now.date()
    )
    put(session, record)
    made = guardian(session, hospital.stranger, hospital.child, now)
    handle(session, GuardianBound(patient_id=hospital.child.id, related_person_id=made.id), now)
    session.commit()
    return made


@pytest.fixture
def work(now: datetime) -> Callable[[Session, Out], list[TextMessage]]:
    """Lets the worker do everything that is there to do, and returns the texts that went out."""

    def run(session: Session, out: Out) -> list[TextMessage]:
        ways = Ways(Gone(), out)
        with time_machine.travel(now, tick=False):
            for _ in range(3):
                while send_next(ways, "https://c.example"):
                    pass
                for failed in waiting(session):
                    jobs.text_instead(failed, TablePatientIndex())
        return out.texts

    return run


def waiting(session: Session) -> list[str]:
    """The failed messages that the queue holds for texting."""
    rows = session.execute(
        text("select args->>'notification_id' from procrastinate_jobs where task_name = :name"),
        {"name": sending.TEXT_INSTEAD},
    )
    return [found for (found,) in rows]


def test_every_phone_on_file_is_texted_once(
    session: Session, added: RelatedPerson, work: Callable[[Session, Out], list[TextMessage]]
) -> None:
    texts = work(session, Out())
    assert [(t.phone, t.message, t.values) for t in texts] == [
        (phone, "guardian-bound", ("王**", "王*")) for phone in PHONES
    ]
    assert len({t.id for t in texts}) == 2
    session.expire_all()
    rows = session.scalars(select(Notification).order_by(Notification.id)).all()
    assert [row.status for row in rows] == [NotificationStatus.FAILED, NotificationStatus.SENT, NotificationStatus.SENT]
    stored = session.execute(text("select phone from notifications where phone is not null")).scalars().all()
    assert all(PHONES[0].encode() not in bytes(phone) for phone in stored), "phones are kept encrypted"


def test_two_guardians_whom_wechat_can_not_reach_make_one_text_for_each_phone(
    session: Session, hospital: Hospital, now: datetime, work: Callable[[Session, Out], list[TextMessage]]
) -> None:
    doctor = session.get_one(type(hospital.mother), hospital.doctor.account_id)
    guardian(session, doctor, hospital.child, now)
    made = guardian(session, hospital.stranger, hospital.child, now)
    handle(session, GuardianBound(patient_id=hospital.child.id, related_person_id=made.id), now)
    session.commit()
    assert len(work(session, Out())) == 1
    assert len(waiting(session)) == 2


def test_what_was_undone_is_not_texted(
    session: Session, added: RelatedPerson, now: datetime, work: Callable[[Session, Out], list[TextMessage]]
) -> None:
    advance(added, GuardianStatus.FROZEN, by="test", why="test", now=now)
    session.commit()
    assert work(session, Out()) == []


def test_other_messages_are_not_texted(session: Session, hospital: Hospital, now: datetime) -> None:
    sending.give_up(queued(session, hospital.mother, now), "blocked", now + timedelta(seconds=1))
    session.flush()
    assert waiting(session) == []


def test_without_a_provider_the_worker_asks_somebody_to_call(
    committed: sessionmaker[Session], settings: Settings
) -> None:
    now = datetime.now(UTC)
    with committed() as session, session.begin():
        hospital = seed(session, now)
        bound = guardian(session, hospital.stranger, hospital.child, now)
        handle(session, GuardianBound(patient_id=hospital.child.id, related_person_id=bound.id), now)
        session.flush()
        sending.give_up(session.scalars(select(Notification)).one(), "blocked", now)
    queue = build(settings, lambda: None, connect(settings, redis.connect(settings.redis_url)).tags)
    queue.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=1)
    with committed() as session:
        assert session.scalars(select(Task.subject_id)).all() == [hospital.child.id]


@pytest.mark.parametrize("landline", [True, False])
def test_without_a_phone_on_file_somebody_is_asked_to_call(
    session: Session,
    hospital: Hospital,
    added: RelatedPerson,
    now: datetime,
    work: Callable[[Session, Out], list[TextMessage]],
    landline: bool,
) -> None:
    if landline:
        born = hospital.child.birth_date
        put(session, IndexRecord("QR-0001", "PQR-0001", "王小明", born, Sex.FEMALE, (LANDLINE,), now.date()))
        session.commit()
    assert bool(work(session, Out())) is not landline
    assert [task.subject_id for task in session.scalars(select(Task))] == ([hospital.child.id] if landline else [])
