"""A picture from the chat on its way to the visit, and out again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from procrastinate import App
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session, sessionmaker

from booking.models import Appointment, AppointmentStatus
from booking.queries import Visit
from config import redis
from config.settings import Settings
from consultation import actions
from consultation.models import Media, MediaStatus
from integrations.files import Folder, Sealed
from notifications.answers import Answers
from people.access import Viewer
from people.files import FilesUnavailable
from people.models import GuardianStatus, RelatedPerson
from tests.pictures import opened, picture
from tests.product import Hospital, seed, visit_ahead
from wechat.errors import Busy, NoSuchMedia, TooLarge, WeChatUnavailable
from wechat.service import connect
from worker import pictures
from worker.app import build
from worker.pictures import Fetch, Incoming, handle, outdate, purge

ORIGIN = "http://127.0.0.1:8000"


@dataclass
class Chat:
    """WeChat's side: the pictures people sent, and what they were answered."""

    sent: dict[str, bytes | Exception] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)

    def fetch(self, media_id: str) -> bytes:
        found = self.sent[media_id]
        if isinstance(found, Exception):
            raise found
        return found

    def say(self, openid: str, text: str) -> bool:
        self.said.append((openid, text))
        return True


@pytest.fixture
def chat() -> Chat:
    return Chat({"m1": picture(), "m2": picture(colour="blue")})


@pytest.fixture
def files(tmp_path: Path) -> Sealed:
    return Sealed(Folder(tmp_path))


@pytest.fixture
def incoming(chat: Chat, files: Sealed) -> Incoming:
    answers: Answers = chat
    return Incoming(chat, files, answers, ORIGIN)


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    return visit_ahead(session, hospital, hospital.child, now)


Ask = Callable[..., None]


@pytest.fixture
def ask(incoming: Incoming, hospital: Hospital, visit: Visit, now: datetime) -> Ask:
    """The mother's picture with that media id is fetched."""

    def do(media_id: str = "m1", *, last: bool = False, message: str = "", locale: str = "en") -> None:
        digest = hashlib.sha256((message or media_id).encode()).digest()
        with time_machine.travel(now, tick=False):
            handle(
                incoming, Fetch(Viewer(hospital.mother.id, locale), visit.appointment.id, media_id, digest), last=last
            )

    return do


def media(session: Session) -> list[Media]:
    session.expire_all()
    return list(session.scalars(select(Media).order_by(Media.id)))


def test_it_is_kept_and_told(session: Session, ask: Ask, chat: Chat, files: Sealed, visit: Visit) -> None:
    ask()
    (kept,) = media(session)
    assert (kept.status, kept.appointment_id) == (MediaStatus.COMPLETED, visit.appointment.id)
    assert opened(files.get(kept.file_name)).size == (60, 40)
    link = f'<a href="{ORIGIN}/visits/{visit.appointment.id}#pictures">Its pictures</a>'
    said = f"Saved for 王**, Fri 27 Nov 2026, 08:00. Pictures for this visit: 1. {link}"
    assert chat.said == [("o-mother", said)]
    ask("m2", locale="zh_CN")
    assert chat.said[1][1].startswith("已保存：王**，2026年11月27日 周五 08:00就诊。这次就诊现有图片2张。")


def test_a_message_handled_twice_is_told_once(session: Session, ask: Ask, chat: Chat) -> None:
    ask()
    ask()
    assert len(media(session)) == len(chat.said) == 1


def test_the_same_picture_in_another_message_is_said_to_be_there(session: Session, ask: Ask, chat: Chat) -> None:
    ask()
    ask(message="another")
    assert len(media(session)) == 1
    assert chat.said[1][1].startswith("This picture was saved before for 王**")


def test_a_store_that_was_away_gets_the_file_at_the_next_try(
    session: Session, ask: Ask, chat: Chat, files: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = Folder.put
    monkeypatch.setattr(Folder, "put", lambda *_: (_ for _ in ()).throw(FilesUnavailable))
    with pytest.raises(FilesUnavailable):
        ask()
    (begun,) = media(session)
    assert (begun.status, chat.said) == (MediaStatus.PREPARATION, [])
    monkeypatch.setattr(Folder, "put", put)
    ask()
    (kept,) = media(session)
    assert (kept.id, kept.status) == (begun.id, MediaStatus.COMPLETED)
    assert files.get(kept.file_name)
    assert len(chat.said) == 1


@pytest.mark.parametrize("error", [Busy(-1, "busy"), WeChatUnavailable("slow")])
def test_what_may_pass_is_tried_again_and_at_last_told(ask: Ask, chat: Chat, error: Exception) -> None:
    chat.sent["m1"] = error
    with pytest.raises(type(error)):
        ask()
    assert chat.said == []
    ask(last=True)
    assert "not saved. We could not load it from WeChat. Please send it again" in chat.said[0][1]


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (NoSuchMedia(40007, "gone"), "We could not load it from WeChat"),
        (TooLarge(), "This picture is too large. Please send it with at most 10 MB"),
        (b"a video, say", "This file can't be opened as a picture"),
    ],
)
def test_what_can_not_be_kept_is_told_at_once(
    session: Session, ask: Ask, chat: Chat, sent: bytes | Exception, reason: str
) -> None:
    chat.sent["m1"] = sent
    ask()
    assert media(session) == []
    assert chat.said[0][1].startswith(f"This picture was not saved. {reason}")
    assert "#pictures" in chat.said[0][1]


def test_a_visit_that_was_cancelled_or_lost_meanwhile(session: Session, ask: Ask, chat: Chat) -> None:
    session.execute(update(Appointment).values(status=AppointmentStatus.CANCELLED))
    session.commit()
    ask()
    assert "over or cancelled" in chat.said[0][1]
    session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))
    session.commit()
    ask()
    assert "no longer among yours" in chat.said[1][1]
    assert "王" not in chat.said[1][1]
    assert media(session) == []


def test_the_file_goes_before_the_row(
    session: Session, ask: Ask, files: Sealed, visit: Visit, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask()
    (kept,) = media(session)
    session.execute(update(Appointment).values(status=AppointmentStatus.CANCELLED))
    session.commit()
    with time_machine.travel(now, tick=False):
        outdate()
        purge(files)
    assert files.get(kept.file_name)
    with time_machine.travel(now.replace(month=12, day=24), tick=False):
        outdate()
        with monkeypatch.context() as away:
            away.setattr(Folder, "delete", lambda *_: (_ for _ in ()).throw(FilesUnavailable))
            purge(files)
        assert [row.id for row in media(session)] == [kept.id]
        name = kept.file_name
        purge(files)
    assert media(session) == []
    with pytest.raises(Exception, match="not-found"):
        files.get(name)


@pytest.fixture
def queue(committed: sessionmaker[Session], settings: Settings, incoming: Incoming) -> App:
    """The queue of the test's database, with the pictures' tasks."""
    made = build(settings, lambda: None, connect(settings, redis.connect(settings.redis_url)).tags)
    pictures.join(made, incoming)
    return made


def work(queue: App) -> None:
    queue.run_worker(wait=False, install_signal_handlers=False, listen_notify=False, concurrency=1)


def test_several_at_once_are_answered_once_and_a_failure_waits_for_its_time(
    queue: App, committed: sessionmaker[Session], chat: Chat
) -> None:
    at = datetime.now(UTC)
    with committed() as session, session.begin():
        hospital = seed(session, at)
        mother = hospital.mother.id
    with committed() as session:
        visit = visit_ahead(session, hospital, hospital.child, at)
    chat.sent["m3"] = WeChatUnavailable("slow")
    with committed() as session, session.begin():
        for media_id in ("m1", "m2"):
            actions.await_picture(
                session, visit, mother, media_id, hashlib.sha256(media_id.encode()).digest(), telling="en"
            )
    work(queue)
    with committed() as session:
        assert len(media(session)) == 2
    ((openid, said),) = chat.said
    assert openid == "o-mother"
    assert "Pictures for this visit: 2." in said
    with committed() as session, session.begin():
        actions.await_picture(session, visit, mother, "m3", b"3" * 32, telling="en")
    work(queue)
    with committed() as session:
        rows = session.execute(text("select status::text, attempts from procrastinate_jobs where status = 'todo'"))
        assert list(rows) == [("todo", 1)]
    assert len(chat.said) == 1
