"""Who carries the calls: one contract for both adapters, LiveKit's tokens, and a LiveKit that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests
import time_machine

import integrations.livekit
from config.settings import Settings
from consultation.encounters.models import Encounter, SeatRole
from consultation.encounters.rooms import Seat
from consultation.talk.video import PeerToPeer, VideoRooms, VideoUnavailable
from integrations.livekit import LiveKit, connect, token
from integrations.simulators.livekit import Server, TwirpError, serve
from tests.product import make_settings

KEY, SECRET = "APIclinic", "dev-livekit-secret-of-the-tests-0123456789"
MOTHER, DOCTOR = uuid4(), uuid4()


def configured(**changes: str) -> Settings:
    return make_settings("postgresql://localhost/x", "redis://localhost", **changes)


def seat(account_id: UUID = MOTHER, encounter_id: UUID | None = None) -> Seat:
    return Seat(Encounter(id=encounter_id or uuid4()), account_id, SeatRole.GUARDIAN)


@pytest.fixture(autouse=True)
def clock(now: datetime) -> Iterator[time_machine.Traveller]:
    with time_machine.travel(now, tick=False) as traveller:
        yield traveller


@pytest.fixture
def server() -> Server:
    return Server(KEY, SECRET)


@pytest.fixture
def livekit(server: Server) -> Iterator[LiveKit]:
    """The adapter as the settings make it, and the stand-in at its address."""
    listening = serve(server)
    url = f"ws://127.0.0.1:{listening.server_port}"
    made = connect(configured(livekit_url=url, livekit_key=KEY, livekit_secret=SECRET))
    assert made
    yield made
    server.fault = ""
    listening.shutdown()
    listening.server_close()


@pytest.fixture(params=["peer", "livekit"])
def video(request: pytest.FixtureRequest) -> VideoRooms:
    """Each adapter in turn."""
    if request.param == "peer":
        return PeerToPeer("turn:turn.example:3478", SECRET)
    made: LiveKit = request.getfixturevalue("livekit")
    return made


def test_every_adapter_gives_each_seat_its_own_way_in(video: VideoRooms, server: Server, now: datetime) -> None:
    server.fault = "hang-up"  # nobody outside is asked
    mothers, doctors = video.enter(seat(), now), video.enter(seat(DOCTOR), now)
    assert mothers["kind"] == doctors["kind"] in {"peer", "livekit"}
    assert 0 < mothers["seconds"] <= 3600
    assert mothers != doctors, "a way in is one person's"
    assert mothers != video.enter(seat(), now + timedelta(hours=2)), "and ends"
    assert SECRET not in json.dumps(mothers) + repr(video)


# --- LiveKit's tokens


def joined(server: Server, livekit: LiveKit, encounter_id: UUID, account_id: UUID, now: datetime) -> None:
    server.join(livekit.enter(seat(account_id, encounter_id), now)["token"])


def test_a_token_opens_one_room_for_one_person_for_two_minutes(
    server: Server, livekit: LiveKit, now: datetime, clock: time_machine.Traveller
) -> None:
    here = seat()
    given = livekit.enter(here, now)
    assert given["url"] == livekit.url
    assert server.join(given["token"]) == (f"visit-{here.encounter.id}", str(MOTHER))
    assert server.claims(given["token"])["video"] == {
        "room": f"visit-{here.encounter.id}",
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": False,
    }
    clock.shift(timedelta(seconds=given["seconds"]))
    with pytest.raises(TwirpError, match="expired"):
        server.join(given["token"])


def test_a_token_of_a_seat_is_no_key_to_the_rooms(server: Server, livekit: LiveKit, now: datetime) -> None:
    given = livekit.enter(seat(), now)["token"]
    for method in ("ListRooms", "ListParticipants", "RemoveParticipant", "DeleteRoom"):
        with pytest.raises(TwirpError, match="permissions denied"):
            server.answer(method, given, {"room": "visit-x"})


@pytest.mark.parametrize("wrong", [{"key": "another"}, {"secret": SECRET[::-1]}])
def test_another_key_or_secret_is_refused(server: Server, livekit: LiveKit, now: datetime, wrong: Any) -> None:
    false = replace(livekit, **wrong)
    with pytest.raises(TwirpError, match="invalid token"):
        server.join(false.enter(seat(), now)["token"])
    with pytest.raises(VideoUnavailable, match="401"):
        false.present()


def test_a_token_as_its_standard_writes_it() -> None:
    """The parts of RFC 7515's example of HS256, by the rules of its appendix A.1 and without line breaks."""
    made = token("k", "s" * 32, {"roomJoin": True}, datetime.fromisoformat("2026-11-25T10:00:00+08:00"), "a")
    head, body, signature = made.split(".")
    assert head == "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    assert "=" not in body + signature
    assert len(signature) == 43


# --- RoomService


def test_who_is_inside_who_goes_and_what_is_closed(server: Server, livekit: LiveKit, now: datetime) -> None:
    ours, empty = uuid4(), uuid4()
    for account_id in (MOTHER, DOCTOR):
        joined(server, livekit, ours, account_id, now)
    others: dict[str, Any] = {str(uuid4()): {}, "another": {"x": None}, "visit-x": {}}
    server.rooms |= {f"visit-{empty}": {}, **others}
    server.rooms[f"visit-{ours}"]["EG_recorder"] = None
    assert livekit.present() == {ours: {MOTHER, DOCTOR}, empty: frozenset()}
    for _ in range(2):  # twice is as once
        livekit.remove(ours, MOTHER)
        assert livekit.present()[ours] == {DOCTOR}
    for _ in range(2):
        livekit.close(ours)
    assert list(server.rooms) == [f"visit-{empty}", *others]


@pytest.mark.parametrize("fault", ["500", "nonsense", "odd", "slow", "hang-up"])
def test_faults(server: Server, livekit: LiveKit, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(integrations.livekit, "TIMEOUT", (2.0, 0.2))
    server.fault = fault
    for ask in (livekit.present, lambda: livekit.remove(uuid4(), MOTHER), lambda: livekit.close(uuid4())):
        with pytest.raises(VideoUnavailable):
            ask()


def test_nobody_there(livekit: LiveKit) -> None:
    with pytest.raises(VideoUnavailable, match="ConnectionError"):
        replace(livekit, url="ws://127.0.0.1:9").present()


def test_the_stand_in_lets_nobody_in_without_a_token(server: Server, livekit: LiveKit) -> None:
    at = f"http{livekit.url.removeprefix('ws')}"
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": "x"}
    assert requests.get(f"{at}/rtc?access_token=x", headers=upgrade, timeout=60).status_code == 401
    assert requests.get(f"{at}/rtc/validate?access_token=x", timeout=60).status_code == 401
    assert requests.get(f"{at}/rooms", timeout=60).json() == server.rooms == {}


# --- settings


def test_without_settings_there_is_none() -> None:
    assert connect(configured()) is None


ALL = {"livekit_url": "wss://livekit.example", "livekit_key": KEY, "livekit_secret": "s" * 32}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"livekit_url": ""}, "LIVEKIT_URL missing: all or none"),
        ({"livekit_key": ""}, "LIVEKIT_KEY missing: all or none"),
        ({"livekit_secret": ""}, "LIVEKIT_SECRET missing: all or none"),
        ({"livekit_secret": "s" * 31}, "LIVEKIT_SECRET must have at least 32 characters"),
        ({"livekit_url": "https://livekit.example"}, "LIVEKIT_URL must be an address"),
        ({"livekit_url": "wss://livekit.example/rtc"}, "LIVEKIT_URL must be an address"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, str], said: str) -> None:
    configured(**ALL)
    with pytest.raises(ValueError, match=said):
        configured(**{**ALL, **changes})
