"""What pages of a room ask and send: who may, what is kept, and that nobody else reads a word of it."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.queries import Visit
from config.policy import change
from consultation.encounters.models import Encounter, EncounterStatus, Ending, RoomEvent, SeatRole
from consultation.encounters.rooms import Seat, move
from consultation.models import Media
from consultation.talk import actions
from consultation.talk.models import CallLink, Message
from consultation.talk.video import PeerToPeer
from people.models import Account, AuditEvent, GuardianStatus, RelatedPerson
from people.sessions import SignInKind
from tests.live.conftest import Browse
from tests.product import Hospital, account, guardian, sign_in

JSON = {"Accept": "application/json"}
WECHAT_ON_WINDOWS = "Mozilla/5.0 (Windows NT 10.0) MicroMessenger/7.0.20 WindowsWechat(0x63090a13)"


@pytest.fixture
def here(visit: Visit, encounter: Encounter) -> str:
    """The address of the room on the family's side."""
    return f"/visits/{visit.appointment.id}"


@pytest.fixture
def desk(here: str) -> str:
    """The same at the doctor's desk."""
    return f"/desk{here}"


def picture(colour: str = "red") -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Camera of a neighbour"
    Image.new("RGB", (40, 30), colour).save(file, "JPEG", exif=exif)
    file.seek(0)
    return file, "rash.jpg"


def write(client: FlaskClient, where: str, said: str = "Hello", **more: object) -> TestResponse:
    return client.post(f"{where}/messages", data={"text": said, **more}, headers=JSON)


def news(client: FlaskClient, where: str, after: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"{where}/events?after={after}").get_json()["events"]
    return found


# --- who may


def routes(visit_id: UUID, message_id: UUID) -> list[tuple[str, str]]:
    """Every address of a room, on both sides."""
    both = [
        ("GET", "/events"),
        ("POST", "/signals"),
        ("GET", "/call/servers"),
        ("POST", "/messages"),
        ("POST", "/messages/read"),
        ("GET", f"/messages/{message_id}/picture"),
    ]
    guests = [("POST", "/guests/join"), ("POST", f"/guests/{uuid4()}")]
    both += [("POST", "/guests"), ("POST", "/guests/leave")]
    both += [("POST", f"/recordings/{uuid4()}/{n}") for n in (0, "over")]
    family = [*both, *guests, ("GET", "/call"), ("POST", "/call/link")]
    at_desk = [("POST", "/phoned"), ("GET", "/recordings/standing")]
    return [
        ("GET", f"/live/visits/{visit_id}"),
        ("GET", f"/live/line?visit={visit_id}"),
        *((method, f"/visits/{visit_id}{path}") for method, path in family),
        *((method, f"/desk/visits/{visit_id}{path}") for method, path in [*both, *at_desk]),
    ]


def test_the_list_of_routes_is_whole(app: Flask) -> None:
    ours = ("room.", "desk_room.", "live_", "guests.")
    known = {re.sub(r"[0-9a-f-]{36}|(?<=/)0$", "-", path.partition("?")[0]) for _, path in routes(uuid4(), uuid4())}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith(ours) and "token" not in rule.arguments:
            assert re.sub("<.*?>", "-", rule.rule) in known, rule


@pytest.mark.parametrize("who", ["stranger", "father", "colleague", "frozen", "nobody", "on a computer"])
def test_nobody_else_reads_joins_or_hears(
    who: str, browse: Browse, session: Session, hospital: Hospital, here: str, mother: FlaskClient, now: datetime
) -> None:
    message = UUID(write(mother, here, picture=picture()).get_json()["id"])
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    people = {
        "stranger": hospital.stranger,
        "father": father,  # a guardian, not invited to this visit
        "colleague": session.get_one(Account, hospital.colleague.account_id),
        "frozen": hospital.mother,
        "on a computer": hospital.mother,
    }
    if who == "frozen":
        session.query(RelatedPerson).filter_by(account_id=hospital.mother.id).update({"status": GuardianStatus.FROZEN})
    session.commit()
    client = browse(None if who == "on a computer" else people.get(who))
    if who == "on a computer":
        sign_in(client, hospital.mother, kind=SignInKind.COMPUTER)
    said, sent = {"to": None, "signal": {"type": "hello"}}, session.query(RoomEvent).count()
    for method, path in routes(UUID(here.rsplit("/", 1)[1]), message):
        body = {"json": said} if path.endswith("signals") else {"data": {"text": "I am somebody else"}}
        answer = client.open(path, method=method, **(body if method == "POST" else {}))
        assert answer.status_code in {302, 401, 403, 404}, (method, path, answer.status)
    assert session.query(RoomEvent).count() == sent
    assert session.query(Message).count() == 1


def test_each_side_has_its_own_addresses(mother: FlaskClient, doctor: FlaskClient, here: str, desk: str) -> None:
    assert mother.get(f"{here}/events").status_code == doctor.get(f"{desk}/events").status_code == 200
    assert mother.get(f"{desk}/events").status_code == 403
    assert doctor.get(f"{here}/events").status_code == 404


def test_a_doctor_without_the_role_has_no_stream(
    doctor: FlaskClient, session: Session, hospital: Hospital, here: str
) -> None:
    assert doctor.get(f"/live{here}").status_code == 503  # let in, by a process that has no streams
    session.execute(text("delete from practitioner_roles"))
    session.commit()
    assert doctor.get(f"/live{here}").status_code == 403


# --- what is written


def test_a_message_is_there_for_both_and_read_by_the_other(
    mother: FlaskClient, doctor: FlaskClient, here: str, desk: str
) -> None:
    assert write(mother, here, "He has had a fever since last night").status_code == 201
    (event,) = [event for event in news(doctor, desk) if event["kind"] == "message"]
    assert event["data"] == {
        "id": event["data"]["id"],
        "mine": False,
        "doctor": False,
        "who": "王芳",
        "text": "He has had a fever since last night",
        "picture": False,
    }
    assert "fever since last night" in doctor.get(f"{desk}").text
    assert "· read" not in mother.get(f"{here}/call").text
    doctor.post(f"{desk}/messages/read")
    doctor.post(f"{desk}/messages/read")
    assert [event["kind"] for event in news(mother, here)].count("read") == 1
    assert "· read" in mother.get(f"{here}/call").text


def test_what_is_sent_twice_is_there_once(mother: FlaskClient, here: str, session: Session) -> None:
    key = str(uuid4())
    first, again = write(mother, here, key=key), write(mother, here, key=key)
    assert first.get_json() == again.get_json()
    assert session.query(Message).count() == 1


def test_texts_lie_encrypted(mother: FlaskClient, here: str, session: Session) -> None:
    write(mother, here, "fever")
    assert b"fever" not in session.execute(text("select text from messages")).scalar_one()
    assert "fever" not in str(session.execute(select(RoomEvent.data)).all())


def test_a_form_without_a_script_comes_back_to_the_room(mother: FlaskClient, doctor: FlaskClient, here: str) -> None:
    assert mother.post(f"{here}/messages", data={"text": "a"}).location == f"{here}/room#chat"
    assert doctor.post(f"/desk{here}/messages", data={"text": "a"}).location == f"/desk{here}#chat"


def test_what_cannot_be_sent_is_said(mother: FlaskClient, here: str) -> None:
    for said, status in ((" ", 422), ("x" * 301, 422), ("x" * 300, 201)):
        answer = write(mother, here, said)
        assert answer.status_code == status
        assert status == 201 or answer.get_json()["message"]
    assert write(mother, here, picture=(io.BytesIO(b"no picture"), "a.jpg")).status_code == 422


def test_pictures_lose_their_place_and_are_shown_to_both(
    mother: FlaskClient, doctor: FlaskClient, here: str, desk: str, session: Session
) -> None:
    message = write(mother, here, "", picture=picture()).get_json()["id"]
    for client, where in ((mother, here), (doctor, desk)):
        for small in ("", "?small=1"):
            answer = client.get(f"{where}/messages/{message}/picture{small}")
            assert answer.content_type == "image/jpeg"
            assert b"neighbour" not in answer.data
            assert "no-store" in answer.headers["Cache-Control"]
    write(mother, here, "again", picture=picture())
    assert session.query(Media).count() == 1
    assert mother.get(f"{here}/messages/{uuid4()}/picture").status_code == 404


def test_the_chat_holds_as_many_pictures_as_the_policy_says(
    mother: FlaskClient, here: str, session: Session, now: datetime
) -> None:
    change(session, "message_pictures", 1, author="test", valid_from=now)
    session.commit()
    assert write(mother, here, picture=picture()).status_code == 201
    assert write(mother, here, picture=picture("blue")).status_code == 409


def test_before_and_after_the_visit_nothing_is_sent(
    mother: FlaskClient,
    doctor: FlaskClient,
    session: Session,
    encounter: Encounter,
    here: str,
    desk: str,
    now: datetime,
) -> None:
    signal = {"to": None, "signal": {"type": "hello"}}
    write(mother, here, "to be read later")
    move(session, encounter, EncounterStatus.ARRIVED, now, by="test", why="missed")
    session.commit()
    assert mother.post(f"{here}/signals", json=signal, headers=JSON).status_code == 409
    assert mother.get(f"{here}/call/servers").status_code == 409
    assert write(mother, here).status_code == 201  # who waits may write
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    session.commit()
    assert write(doctor, desk).status_code == 409
    assert doctor.post(f"{desk}/signals", json=signal, headers=JSON).status_code == 409
    assert mother.get(f"{here}/events").get_json()["over"]
    page = doctor.get(desk).text
    assert "to be read later" in page
    assert f'action="{desk}/messages"' not in page


# --- signals


def test_signals_reach_whom_they_are_for(
    mother: FlaskClient, doctor: FlaskClient, hospital: Hospital, here: str, desk: str
) -> None:
    mother.post(f"{here}/signals", json={"to": str(hospital.doctor.account_id), "signal": {"type": "x"}})
    (event,) = [event for event in news(doctor, desk) if event["kind"] == "signal"]
    assert event["data"] == {"signal": {"type": "x"}}
    assert event["by"] == str(hospital.mother.id)
    nobody = {"to": str(hospital.stranger.id), "signal": {}}
    assert mother.post(f"{here}/signals", json=nobody).status_code == 404


@pytest.mark.parametrize("bad", [[], {"signal": "x"}, {"to": "x", "signal": {}}, {"signal": {"a": "x" * 16_000}}])
def test_what_is_no_signal_is_refused(mother: FlaskClient, here: str, bad: object) -> None:
    assert mother.post(f"{here}/signals", json=bad, headers=JSON).status_code == 422


def test_a_flood_is_stopped_and_a_call_is_not(
    mother: FlaskClient, here: str, monkeypatch: pytest.MonkeyPatch, clock: time_machine.Traveller
) -> None:
    monkeypatch.setattr(actions, "BURST_OF", 3)
    sent = [mother.post(f"{here}/signals", json={"signal": {}}, headers=JSON).status_code for _ in range(4)]
    assert sent == [200, 200, 200, 429]
    assert write(mother, here).status_code == 429
    clock.shift(11)
    assert write(mother, here).status_code == 201


def test_the_password_of_the_relay_is_made_as_coturn_wants_it(now: datetime, encounter: Encounter) -> None:
    seat = Seat(encounter, UUID(int=1), SeatRole.GUARDIAN)
    (server,) = PeerToPeer("turn:relay.example:3478", "north").enter(seat, now)["servers"]
    assert server["urls"] == ["turn:relay.example:3478?transport=udp", "turn:relay.example:3478?transport=tcp"]
    assert server["username"] == f"{int(now.timestamp()) + 3600}:{UUID(int=1)}"
    assert len(b64decode(server["credential"])) == 20
    assert PeerToPeer().enter(seat, now)["servers"] == []


def test_events_are_forgotten_an_hour_after_the_visit_and_messages_kept(
    mother: FlaskClient, session: Session, encounter: Encounter, here: str, now: datetime
) -> None:
    write(mother, here)
    actions.forget(session, now + timedelta(days=1))
    assert session.query(RoomEvent).count() == encounter.events + 1  # it goes on
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    actions.forget(session, now + timedelta(minutes=59))
    assert session.query(RoomEvent).count()
    actions.forget(session, now + timedelta(minutes=61))
    assert (session.query(RoomEvent).count(), session.query(Message).count()) == (0, 1)


# --- the link into another browser


def linked(mother: FlaskClient, here: str) -> str:
    page = mother.post(f"{here}/call/link")
    found = re.search(r"/call/[\w-]{32}", page.text)
    assert found, page.text
    return found[0]


def test_a_link_opens_one_room_once(
    mother: FlaskClient, browse: Browse, here: str, session: Session, hospital: Hospital
) -> None:
    address = linked(mother, here)
    assert address.rsplit("/", 1)[1].encode() not in session.scalars(select(CallLink.token_hash)).one()
    other = browse()
    assert other.get(address).status_code == 200  # a preview uses nothing up
    assert other.post(address).location == f"{here}/call"
    assert browse().post(address, headers=JSON).status_code == 410
    page = other.get(f"{here}/call").text
    assert "Answer with picture" in page
    assert 'class="tabs"' not in page  # they lead where this browser may not go
    assert write(other, here, "from the other browser").status_code == 201
    assert other.post(f"{here}/messages", data={"text": "a"}).location == f"{here}/call#chat"
    assert other.get(f"/live{here}").status_code == 503  # let in
    for elsewhere in (
        "/visits",
        "/children",
        here,
        f"{here}/room",
        f"/visits/{uuid4()}/call",
        f"/visits/{uuid4()}/events",
    ):
        assert other.get(elsewhere).status_code == 302, elsewhere
    assert other.post(f"{here}/call/link").status_code == 401  # a link makes no links


def test_a_link_ends_with_its_time_its_visit_and_the_guardians_right(
    mother: FlaskClient, browse: Browse, here: str, session: Session, hospital: Hospital, clock: time_machine.Traveller
) -> None:
    late, used = linked(mother, here), browse()
    used.post(linked(mother, here))
    clock.shift(timedelta(minutes=10))
    assert browse().get(late, headers=JSON).status_code == 410
    assert used.get(f"{here}/call").status_code == 200
    session.query(RelatedPerson).filter_by(account_id=hospital.mother.id).update({"status": GuardianStatus.FROZEN})
    session.commit()
    assert used.get(f"{here}/call").status_code == used.get(f"/live{here}").status_code == 404
    session.query(RelatedPerson).filter_by(account_id=hospital.mother.id).update({"status": GuardianStatus.ACTIVE})
    session.commit()
    clock.shift(timedelta(hours=4))
    assert used.get(f"{here}/call").status_code == 302


def test_a_link_ends_with_the_visit(
    mother: FlaskClient, browse: Browse, here: str, session: Session, encounter: Encounter, now: datetime
) -> None:
    used, unused = browse(), linked(mother, here)
    used.post(linked(mother, here))
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    session.commit()
    assert used.get(f"{here}/call").status_code == 302
    assert browse().post(unused, headers=JSON).status_code == 410
    assert mother.post(f"{here}/call/link").status_code == 409


# --- pages


def test_wechat_on_a_computer_is_told_that_it_cannot_send(mother: FlaskClient, here: str) -> None:
    page = mother.get(f"{here}/room").text
    assert "Answer with picture" in page
    told = mother.get(f"{here}/room", headers={"User-Agent": WECHAT_ON_WINDOWS}).text
    assert "Please open this page on your phone" in told
    assert "Answer with picture" not in told


def test_the_phone_is_one_tap_away_for_the_doctor_alone(
    mother: FlaskClient, doctor: FlaskClient, here: str, desk: str, session: Session
) -> None:
    assert 'href="tel:13800001234"' in doctor.get(desk).text
    assert "13800001234" not in mother.get(f"{here}/room").text
    assert doctor.post(f"{desk}/phoned").status_code == 200
    assert session.query(AuditEvent).filter_by(action="phone-family").count() == 1


def test_before_the_call_the_room_waits_for_it(
    mother: FlaskClient, session: Session, encounter: Encounter, here: str, now: datetime
) -> None:
    move(session, encounter, EncounterStatus.ARRIVED, now, by="test", why="missed")
    session.commit()
    page = mother.get(f"{here}/room").text
    assert re.search(r'id="call"[^>]* hidden>', page)
    assert " data-on" not in page
