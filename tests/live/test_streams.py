"""Streams: replayed without gaps, woken by nudges, ended with the right to them; what they do while Redis is away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy.orm import Session

import config.database
import live
from app import create_app
from booking.queries import Visit
from config import redis
from config.database import transaction
from config.errors import NotFound
from config.policy import Policy
from config.settings import Settings
from consultation.encounters.models import Encounter, EncounterStatus, Ending
from consultation.encounters.rooms import happened, known, move
from consultation.talk.refusals import TooFast
from live import hub as ear
from live.hub import Hub
from live.passes import Pass
from live.stream import LineStream, RoomStream
from people.models import Account, GuardianStatus, RelatedPerson
from people.sessions import SignIn, SignInKind, begin, end
from tests.product import Hospital, make_settings


@pytest.fixture
def hub(app: Flask, settings: Settings) -> Iterator[Hub]:
    """An ear that hears; the application's own nudges reach it."""
    made = Hub(redis.connect(settings.redis_url))
    with made.listen("the test"):
        assert made.hears.wait(60)
        yield made
    made.close()


def right(session: Session, of: UUID | None, now: datetime, kind: SignInKind = SignInKind.WECHAT) -> Pass:
    """Somebody's sign-in, as a stream holds it."""
    with transaction() as own:
        signed = begin(own, own.get_one(Account, of), kind, "", now, Policy())
    return Pass(signed.id, None, "en")


def frames(stream: Iterator[str], count: int) -> list[tuple[str, dict[str, object]]]:
    """The next events. They come by a nudge: a heartbeat before them means that none was heard."""
    read = [_read(frame) for frame in islice((frame for frame in stream if not frame.startswith("retry")), count)]
    assert "beat" not in [kind for kind, _ in read]
    return read


def _read(frame: str) -> tuple[str, dict[str, object]]:
    fields = dict(line.split(": ", 1) for line in frame.strip().splitlines())
    return fields["event"], json.loads(fields["data"])


def say(visit: Visit, now: datetime, kind: str = "message-like", **more: UUID) -> None:
    """Something happens in the room."""
    with transaction() as session:
        encounter = known(session, visit.appointment.id)
        assert encounter
        happened(session, encounter, kind, now, **more)


@pytest.fixture
def stream(
    hub: Hub, session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> RoomStream:
    return RoomStream.open(hub, right(session, hospital.mother.id, now), visit.appointment.id, encounter.events)


def test_what_was_missed_is_told_first(stream: RoomStream, visit: Visit, now: datetime) -> None:
    for kind in ("one", "two", "three"):
        say(visit, now, kind)
    stream.after += 1
    assert [kind for kind, _ in frames(iter(stream), 2)] == ["two", "three"]


def test_a_nudge_wakes_a_stream_at_once(stream: RoomStream, visit: Visit, hospital: Hospital, now: datetime) -> None:
    events = iter(stream)
    next(events)  # it listens now
    say(visit, now, "one")
    assert [kind for kind, _ in frames(events, 1)] == ["one"]
    say(visit, now, "private", to=hospital.stranger.id)
    say(visit, now, "two")
    assert [(kind, event["n"]) for kind, event in frames(events, 1)] == [("two", stream.after)]


def test_a_silent_stream_beats(stream: RoomStream) -> None:
    stream.beat = 0
    assert "event: beat" in list(islice(iter(stream), 3))[-1]


def test_the_stream_ends_with_the_visit(stream: RoomStream, visit: Visit, now: datetime) -> None:
    events = iter(stream)
    next(events)
    with transaction() as session:
        encounter = known(session, visit.appointment.id)
        assert encounter
        move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    assert [kind for kind, _ in frames(events, 9)] == ["status", "over"]


def test_a_frozen_guardians_stream_ends_with_the_next_nudge(
    stream: RoomStream, session: Session, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    events = iter(stream)
    next(events)
    session.query(RelatedPerson).filter_by(account_id=hospital.mother.id).update({"status": GuardianStatus.FROZEN})
    session.commit()
    say(visit, now, "one")
    assert frames(events, 9) == []


def test_access_taken_away_in_silence_ends_the_stream(stream: RoomStream, session: Session, now: datetime) -> None:
    stream.beat = 0
    events = iter(stream)
    assert "event: beat" in list(islice(events, 2))[-1]
    end(session, stream.account_id, stream.right.sign_in_id or UUID(int=0), now)
    session.commit()
    assert len(list(islice(events, 9))) < 9


def test_a_visit_that_goes_on_keeps_who_sits_in_it_signed_in(
    stream: RoomStream, session: Session, visit: Visit, now: datetime, clock: time_machine.Traveller
) -> None:
    events = iter(stream)
    next(events)
    for _ in range(30):  # hours in all, far more than anybody may be idle
        clock.shift(1200)
        say(visit, now, "one")
        assert frames(events, 1)
    signed = session.get_one(SignIn, stream.right.sign_in_id)
    session.refresh(signed)
    assert signed.last_seen_at > now


def test_a_doctors_computer_is_no_way_into_the_family_seat(
    hub: Hub, session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    computer = right(session, hospital.mother.id, now, SignInKind.COMPUTER)
    with pytest.raises(NotFound):
        RoomStream.open(hub, computer, visit.appointment.id, 0)
    RoomStream.open(hub, right(session, hospital.doctor.account_id, now, SignInKind.COMPUTER), visit.appointment.id, 0)


def test_the_line_moves_for_its_doctor_and_the_families_in_it(
    hub: Hub, session: Session, hospital: Hospital, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    family = iter(LineStream.open(hub, right(session, hospital.mother.id, now), visit.appointment.id))
    doctor = iter(LineStream.open(hub, right(session, hospital.doctor.account_id, now), None))
    for stream in (family, doctor):
        assert "event: line" in next(stream)  # what was missed is not known
    with transaction() as own:
        found = known(own, visit.appointment.id)
        assert found
        move(own, found, EncounterStatus.ARRIVED, now, by="test", why="missed")
    for stream in (family, doctor):
        assert [kind for kind, _ in frames(stream, 1)] == ["line"]
    for nobody, wanted in ((hospital.mother.id, None), (hospital.stranger.id, visit.appointment.id)):
        with pytest.raises(NotFound):
            LineStream.open(hub, right(session, nobody, now), wanted)


def test_without_redis_streams_look_for_themselves(
    stream: RoomStream, visit: Visit, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "DEAF", 0.01)
    stream.hub = Hub(redis.connect("redis://127.0.0.1:9/0"))
    events = iter(stream)
    next(events)
    say(visit, now, "one")
    assert [kind for kind, _ in frames(events, 1)] == ["one"]
    stream.hub.close()


def test_an_ear_that_lost_redis_hears_again(
    stream: RoomStream, visit: Visit, now: datetime, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ear, "AGAIN", 0.01)
    events = iter(stream)
    next(events)
    admin: Redis = redis.connect(settings.redis_url)
    admin.execute_command("CLIENT", "KILL", "TYPE", "PUBSUB")  # type: ignore[no-untyped-call]
    say(visit, now, "one")
    assert [kind for kind, _ in frames(events, 1)] == ["one"]
    assert stream.hub.hears.wait(60)
    say(visit, now, "two")
    assert [kind for kind, _ in frames(events, 1)] == ["two"]


def test_a_process_of_threads_has_no_streams(mother: FlaskClient, visit: Visit, encounter: Encounter) -> None:
    assert mother.get(f"/live/visits/{visit.appointment.id}").status_code == 503


def test_one_account_does_not_take_all_streams(app: Flask, stream: RoomStream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "is_module_patched", lambda _: True)
    with app.test_request_context():
        open_streams = []
        for _ in range(ear.STREAMS):
            body = iter(live._answer(stream.hub, stream).response)  # type: ignore[union-attr]
            next(body)
            open_streams.append(body)
        with pytest.raises(TooFast):
            live._answer(stream.hub, stream)
        open_streams.pop().close()
        live._answer(stream.hub, stream)


def test_the_clinics_own_pages_alone_may_read_the_other_origin(
    settings: Settings, database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.database, "connect", lambda _url: None)
    made = create_app(make_settings(settings.database_url, settings.redis_url, live_origin="http://127.0.0.1:8001"))
    for origin, allowed in (("http://127.0.0.1:8000", "http://127.0.0.1:8000"), ("http://127.0.0.1:8001", None)):
        answer = made.test_client().get("/live/line", headers={"Origin": origin})
        assert (answer.status_code, answer.headers.get("Access-Control-Allow-Origin")) == (401, allowed)
    page = made.test_client().get("/help", headers={"Origin": "http://127.0.0.1:8000"})
    assert "Access-Control-Allow-Origin" not in page.headers
    assert "connect-src 'self' http://127.0.0.1:8001" in page.headers["Content-Security-Policy"]


WRONG = [
    {"live_origin": "https://elsewhere.example"},
    {"turn_url": "turn:127.0.0.1"},
    {"turn_url": "http://x", "turn_secret": "s"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_settings_that_cannot_work_are_refused(settings: Settings, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"LIVE_ORIGIN|TURN"):
        make_settings(settings.database_url, settings.redis_url, **wrong)
