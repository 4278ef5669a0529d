"""A clinic that has a LiveKit: what its pages get, and who is put out of a call by the worker."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection
from sqlalchemy.orm import Session

import config.database
from app import create_app
from booking.queries import Visit
from config.settings import Settings
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind
from consultation.encounters.rooms import move
from integrations.livekit import LiveKit
from integrations.simulators.livekit import Server, serve
from people.models import Account
from tests.live.conftest import Browse
from tests.product import Hospital, account, guardian
from worker import calls

KEY, SECRET = "APIclinic", "dev-livekit-secret-of-the-tests-0123456789"


@pytest.fixture
def server() -> Server:
    return Server(KEY, SECRET)


@pytest.fixture
def livekit(server: Server) -> Iterator[LiveKit]:
    listening = serve(server)
    yield LiveKit(f"ws://127.0.0.1:{listening.server_port}", KEY, SECRET)
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def app(settings: Settings, database: Connection, livekit: LiveKit, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application of a clinic that has a LiveKit."""
    monkeypatch.setattr(config.database, "connect", lambda _url: database.engine)
    theirs = {"livekit_url": livekit.url, "livekit_key": KEY, "livekit_secret": SECRET}
    made = create_app(Settings(**{**settings.model_dump(), **theirs}))
    made.testing = True
    return made


@pytest.fixture
def here(visit: Visit, encounter: Encounter) -> str:
    return f"/visits/{visit.appointment.id}"


def enter(client: FlaskClient, path: str, server: Server) -> tuple[str, str]:
    """Join as a page does; returns the room's name and who came in."""
    given = client.get(f"{path}/call/servers").get_json()
    assert given["kind"] == "livekit"
    return server.join(given["token"])


def test_both_sides_are_led_to_one_room_and_nobody_else(
    mother: FlaskClient,
    doctor: FlaskClient,
    browse: Browse,
    hospital: Hospital,
    here: str,
    encounter: Encounter,
    server: Server,
    livekit: LiveKit,
) -> None:
    room = f"visit-{encounter.id}"
    assert enter(mother, here, server) == (room, str(hospital.mother.id))
    assert enter(doctor, f"/desk{here}", server) == (room, str(hospital.doctor.account_id))
    assert browse(hospital.stranger).get(f"{here}/call/servers").status_code == 404
    http = livekit.url.replace("ws", "http")
    for client, path in ((mother, f"{here}/room"), (doctor, f"/desk{here}")):
        page = client.get(path)
        assert f"connect-src 'self' {livekit.url} {http}" in page.headers["Content-Security-Policy"]
        address = page.text.partition("livekit-client.js")[0].rpartition('"')[2] + "livekit-client.js"
        assert "LivekitClient" in client.get(address).text
        assert "/livekit.js" in page.text


def test_who_lost_the_seat_is_put_out_and_a_rejoined_one_again(
    mother: FlaskClient,
    browse: Browse,
    session: Session,
    hospital: Hospital,
    here: str,
    server: Server,
    livekit: LiveKit,
    encounter: Encounter,
    now: datetime,
) -> None:
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    session.commit()
    his = browse(father)
    mother.post(f"{here}/guests", data={"account": str(father.id)})
    his.post(f"{here}/guests/join")
    token = his.get(f"{here}/call/servers").get_json()["token"]
    both, alone = {str(hospital.mother.id), str(father.id)}, {str(hospital.mother.id)}
    enter(mother, here, server)
    server.join(token)
    calls.see_to(livekit)
    assert set(server.rooms[f"visit-{encounter.id}"]) == both, "who has a seat stays"
    his.post(f"{here}/guests/leave")
    for _ in range(2):
        calls.see_to(livekit)
        assert set(server.rooms[f"visit-{encounter.id}"]) == alone
        server.join(token)  # it still opens the door for its two minutes
    assert his.get(f"{here}/call/servers").status_code == 404


@pytest.mark.parametrize("how", ["finished", "missed", "in writing", "no such visit"])
def test_a_room_goes_with_its_call(
    how: str,
    mother: FlaskClient,
    here: str,
    session: Session,
    encounter: Encounter,
    server: Server,
    livekit: LiveKit,
    now: datetime,
) -> None:
    enter(mother, here, server)
    if how == "no such visit":
        server.rooms[f"visit-{uuid4()}"] = server.rooms.pop(f"visit-{encounter.id}")
    elif how == "in writing":
        encounter.kind = Kind.TEXT
    elif how == "missed":
        move(session, encounter, EncounterStatus.ARRIVED, now, by="test", why="missed")
    else:
        move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    session.commit()
    calls.see_to(livekit)
    assert server.rooms == {}


def test_a_livekit_that_is_down_stops_nothing_and_is_asked_again(
    mother: FlaskClient,
    here: str,
    session: Session,
    encounter: Encounter,
    server: Server,
    livekit: LiveKit,
    now: datetime,
) -> None:
    enter(mother, here, server)
    server.fault = "hang-up"
    assert mother.get(f"{here}/room").status_code == 200
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    session.commit()
    calls.see_to(livekit)
    assert server.rooms
    server.fault = ""
    calls.see_to(livekit)
    assert server.rooms == {}


def test_one_room_that_cannot_be_ended_does_not_keep_the_others(
    session: Session, hospital: Hospital, encounter: Encounter, server: Server, livekit: LiveKit
) -> None:
    class Stubborn(LiveKit):
        def close(self, encounter_id: UUID) -> None:
            self._ask("DeleteRoom", {})  # no right to

    stranger = session.get_one(Account, hospital.stranger.id)
    server.rooms |= {f"visit-{uuid4()}": {}, f"visit-{encounter.id}": {str(stranger.id): None}}
    calls.see_to(Stubborn(livekit.url, KEY, SECRET))
    assert server.rooms[f"visit-{encounter.id}"] == {}
