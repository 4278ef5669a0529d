"""Recordings: pieces come in any way a network brings them, nobody else's is touched, and what is missing is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
import structlog
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.queries import Visit
from config.policy import Policy
from config.settings import Settings
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind
from consultation.encounters.rooms import move
from consultation.talk.recordings import actions
from consultation.talk.recordings.models import Recording, RecordingChunk, Stopped
from integrations.files import Folder, Sealed, connect
from people import consents
from people.files import FileMissing, FilesUnavailable
from people.models import AuditEvent, ConsentKind, Decision, Role
from tests.live.conftest import Browse
from tests.product import Hospital, account, member
from worker import recordings as worker

WEBM, HEAD = "video/webm;codecs=vp8,opus", b"\x1a\x45\xdf\xa3"
JSON = {"Accept": "application/json"}
RECORDING = uuid4()


@pytest.fixture
def here(visit: Visit, encounter: Encounter) -> str:
    return f"/visits/{visit.appointment.id}"


@pytest.fixture
def desk(here: str) -> str:
    return f"/desk{here}"


@pytest.fixture(autouse=True)
def swept(session: Session, settings: Settings) -> Iterator[None]:
    """The files go with the test."""
    yield
    session.rollback()
    for name in session.scalars(select(RecordingChunk.file_name)):
        connect(settings).delete(name)


def send(
    client: FlaskClient,
    where: str,
    n: int,
    data: bytes = b"more",
    *,
    id_: UUID = RECORDING,
    kind: str = WEBM,
    age: int = 0,
) -> TestResponse:
    body = HEAD + data if n == 0 and kind == WEBM else data
    return client.post(f"{where}/recordings/{id_}/{n}?age={age}", data=body, content_type=kind, headers=JSON)


def over(client: FlaskClient, where: str, why: object, pieces: object = 0, id_: UUID = RECORDING) -> int:
    sent = {"why": why, "pieces": pieces, "age": 0}
    return client.post(f"{where}/recordings/{id_}/over", json=sent, headers=JSON).status_code


def standing(client: FlaskClient, desk: str, who: UUID) -> object:
    return client.get(f"{desk}/recordings/standing").get_json().get(str(who))


def finish(session: Session, encounter: Encounter, now: datetime) -> None:
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="done", ending=Ending.ANSWERED)
    session.commit()


def test_pieces_are_kept_encrypted_and_played_in_order_whatever_came_twice_or_late(
    mother: FlaskClient, doctor: FlaskClient, session: Session, settings: Settings, here: str, desk: str, now: datetime
) -> None:
    for n, data in [(0, b"first"), (2, b"third"), (0, b"other"), (1, b"second")]:
        assert send(mother, here, n, data, age=6000).status_code == 200
    recording = session.scalars(select(Recording)).one()
    assert recording.started_at == now  # not before the visit began
    assert recording.size == len(HEAD + b"firstsecondthird")
    (raw,) = {
        Folder(settings.files_dir).get(name)[-5:] for name in session.scalars(select(RecordingChunk.file_name).limit(1))
    }
    assert raw != b"first"
    assert doctor.get(f"/desk/recordings/{RECORDING}/file").data == HEAD + b"firstsecondthird"
    answer = doctor.get(f"/desk/recordings/{RECORDING}/file", headers={"Range": "bytes=7-12"})
    assert (answer.status_code, answer.data) == (206, b"stseco")
    assert answer.headers["Content-Range"] == "bytes 7-12/20"
    assert answer.content_type == WEBM
    assert "no-store" in answer.headers["Cache-Control"]
    assert doctor.get(f"/desk/recordings/{RECORDING}/file", headers={"Range": "bytes=20-"}).status_code == 416


def test_a_file_that_could_not_be_kept_is_kept_by_the_next_try(
    mother: FlaskClient, doctor: FlaskClient, here: str, monkeypatch: pytest.MonkeyPatch, session: Session
) -> None:
    with monkeypatch.context() as away:
        away.setattr(Sealed, "put", lambda *_: (_ for _ in ()).throw(FilesUnavailable))
        assert send(mother, here, 0).status_code == 503
    assert session.scalars(select(Recording.last_at)).one() is None
    assert doctor.get(f"/desk/recordings/{RECORDING}/file").data == b""
    assert send(mother, here, 0).status_code == 200
    assert doctor.get(f"/desk/recordings/{RECORDING}/file").data == HEAD + b"more"


@pytest.mark.parametrize(
    ("n", "data", "kind", "status"),
    [
        (0, b"x", "image/png", 422),
        (0, b"x", "video/webm; codecs=<script>", 422),
        (0, b"no film", "video/mp4", 422),
        (1, b"", WEBM, 422),
        (20_000, b"x", WEBM, 422),
        (1, b"x" * (actions.BYTES + 1), WEBM, 413),
        (0, b"\0\0\0\x18ftypiso5", "video/mp4", 200),
        (0, b"", WEBM, 200),
        (0, HEAD, "audio/webm;codecs=opus", 200),
    ],
)
def test_only_what_a_page_records_is_kept(
    mother: FlaskClient, here: str, session: Session, n: int, data: bytes, kind: str, status: int
) -> None:
    assert send(mother, here, n, data, kind=kind).status_code == status
    assert session.query(RecordingChunk).count() == (status == 200)


@pytest.mark.parametrize("sent", [(None, 0), ("lost", 0), ("over", "1"), ("over", -1), ("over", True)])
def test_an_end_that_no_page_tells_is_refused(mother: FlaskClient, here: str, sent: tuple[object, object]) -> None:
    assert over(mother, here, *sent) == 422


def test_nobody_writes_into_anothers_recording(mother: FlaskClient, doctor: FlaskClient, here: str, desk: str) -> None:
    send(mother, here, 0)
    assert send(doctor, desk, 1).status_code == 404
    assert over(doctor, desk, "over") == 404
    assert mother.get(f"{desk}/recordings/standing").status_code == 403


def test_only_a_visit_by_video_that_goes_on_is_recorded(
    mother: FlaskClient, session: Session, encounter: Encounter, here: str, now: datetime, clock: time_machine.Traveller
) -> None:
    encounter.kind = Kind.TEXT
    session.commit()
    assert send(mother, here, 0).status_code == 409
    assert "recorded" not in mother.get(f"{here}/room").text
    encounter.kind = Kind.VIDEO
    finish(session, encounter, now)
    clock.shift(timedelta(minutes=9))
    assert send(mother, here, 0).status_code == 200  # it waited for the network
    clock.shift(timedelta(minutes=2))
    assert send(mother, here, 1).status_code == 409


def test_nothing_is_recorded_of_a_family_that_has_not_agreed_or_no_longer_does(
    mother: FlaskClient, doctor: FlaskClient, session: Session, hospital: Hospital, here: str, desk: str, now: datetime
) -> None:
    assert send(mother, here, 0).status_code == 200
    consents.decide(session, hospital.mother.id, ConsentKind.RECORDING, Decision.DENY, locale="en", now=now)
    session.commit()
    for client, where in ((mother, here), (doctor, desk)):
        assert send(client, where, 0, id_=uuid4()).status_code == 409
    assert send(mother, here, 1).status_code == 409
    assert "recorded" not in mother.get(f"{here}/room").text
    page = doctor.get(desk).text
    assert "the family has not agreed" in page
    assert "recording.js" not in page


def test_nobody_fills_the_store(mother: FlaskClient, here: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "ALL_BYTES", 10)
    assert [send(mother, here, n, b"x" * 8).status_code for n in range(3)] == [200, 413, 413]
    monkeypatch.setattr(actions, "PARTS", 1)
    assert send(mother, here, 0, id_=uuid4()).status_code == 413


def test_both_pages_say_that_the_visit_is_recorded(
    mother: FlaskClient, doctor: FlaskClient, here: str, desk: str
) -> None:
    for page in (mother.get(f"{here}/room").text, doctor.get(desk).text):
        assert "This visit is recorded" in page
        assert "for 3 years" in page


def test_the_desk_sees_who_is_not_recorded_and_since_when(
    mother: FlaskClient, doctor: FlaskClient, hospital: Hospital, here: str, desk: str, clock: time_machine.Traveller
) -> None:
    who = hospital.mother.id
    assert standing(doctor, desk, who) is None
    send(mother, here, 0)
    clock.shift(12)
    assert standing(doctor, desk, who) == {"ok": True}
    clock.shift(1)
    assert standing(doctor, desk, who) == {"ok": False, "since": "10:00", "why": "lost"}
    clock.shift(60)
    send(mother, here, 1)
    assert standing(doctor, desk, who) == {"ok": True}
    over(mother, here, "over", 2)
    assert standing(doctor, desk, who) == {"ok": False, "since": "10:01", "why": "over"}
    clock.shift(1)
    over(mother, here, "nothing", id_=uuid4())
    assert standing(doctor, desk, who) == {"ok": True}  # there is nothing to record
    clock.shift(1)
    over(mother, here, "unsupported", id_=uuid4())
    assert standing(doctor, desk, who) == {"ok": False, "since": "10:01", "why": "unsupported"}


def actions_of(session: Session) -> list[str]:
    found = session.scalars(select(AuditEvent.action).where(AuditEvent.entity == "recording").order_by(AuditEvent.id))
    return list(found)


def test_what_fails_or_stops_coming_is_logged_and_in_the_audit_record(
    mother: FlaskClient, here: str, session: Session, clock: time_machine.Traveller, encounter: Encounter, now: datetime
) -> None:
    send(mother, here, 0)
    with structlog.testing.capture_logs() as said:
        worker.see_to()
        assert actions_of(session) == []
        clock.shift(13)
        worker.see_to()
        worker.see_to()  # said once
        send(mother, here, 1)
        other = uuid4()
        over(mother, here, "broken", id_=other)
        over(mother, here, "broken", id_=other)
    assert [line["event"] for line in said] == ["recording-lost", "recording-failed"]
    assert actions_of(session) == ["recording-lost", "recording-back", "recording-failed"]
    finish(session, encounter, now)
    clock.shift(timedelta(minutes=11))
    worker.see_to()
    session.expire_all()
    assert session.get_one(Recording, RECORDING).why is Stopped.LOST
    worker.see_to()


def test_files_that_were_never_known_to_be_kept_go(
    mother: FlaskClient,
    here: str,
    session: Session,
    settings: Settings,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(mother, here, 0)
    monkeypatch.setattr(actions, "completed", lambda *_: (_ for _ in ()).throw(FilesUnavailable))
    assert send(mother, here, 1).status_code == 503
    kept, left = session.scalars(select(RecordingChunk.file_name).order_by(RecordingChunk.n))
    files = connect(settings)
    worker.give_up_pieces(files)
    assert files.get(left)
    clock.shift(timedelta(hours=2))
    worker.give_up_pieces(files)
    assert session.scalars(select(RecordingChunk.file_name)).all() == [kept]
    assert files.get(kept)
    with pytest.raises(FileMissing):
        files.get(left)


def test_who_plays_is_the_treating_doctor_or_an_auditor_and_each_look_is_recorded(
    mother: FlaskClient,
    doctor: FlaskClient,
    browse: Browse,
    session: Session,
    hospital: Hospital,
    encounter: Encounter,
    here: str,
    desk: str,
    now: datetime,
    clock: time_machine.Traveller,
) -> None:
    send(mother, here, 0)
    send(mother, here, 3)
    over(mother, here, "over", 5)
    send(mother, here, 0, HEAD + b"more", id_=uuid4(), kind="audio/webm;codecs=opus")
    finish(session, encounter, now)
    hears = account(session, "o-auditor", now)
    member(session, "M009", hears, Role.AUDITOR)
    leads = account(session, "o-head", now)
    member(session, "M010", leads, Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    auditor, file = browse(hears), f"/desk/recordings/{RECORDING}/file"
    for who, status in ((browse(hospital.mother), 403), (browse(leads), 403), (browse(), 302)):
        assert {who.get(path).status_code for path in (file, f"{desk}/recordings", "/desk/recordings")} == {status}
    colleague = session.get_one(type(hears), hospital.colleague.account_id)
    assert {browse(colleague).get(path).status_code for path in (file, f"{desk}/recordings")} == {404}
    assert doctor.get("/desk/recordings").status_code == 403
    assert f"{desk}/recordings" in doctor.get(desk).text
    for client in (doctor, auditor):
        page = client.get(f"{desk}/recordings").text
        assert "王芳" in page
        assert "that are missing: 3" in page
        assert f'src="{file}"' in page
        assert (page.count("<video"), page.count("<audio")) == (1, 1), "sound alone has no black film"
        assert page.count("Kept until 2029-11-25 at least") == 1
        client.get(file, headers={"Range": "bytes=1-2"})
        client.get(file, headers={"Range": "bytes=3-4"})
    looks = select(AuditEvent.account_id).where(AuditEvent.action == "play-recording").order_by(AuditEvent.id)
    assert session.scalars(looks).all() == [hospital.doctor.account_id, hears.id]
    clock.shift(timedelta(minutes=11))
    auditor.get(file)
    assert len(session.scalars(looks).all()) == 3
    assert f'href="{desk}/recordings"' in auditor.get("/desk/recordings?day=2026-11-25").text
    assert "No visit was recorded" in auditor.get("/desk/recordings?day=2026-11-24").text
    assert auditor.get("/desk/recordings?day=x").status_code == 422
    assert auditor.get(f"/desk/recordings?after={now.isoformat()}_{uuid4()}").status_code == 200


def test_recordings_are_kept_for_three_years_at_least() -> None:
    assert actions.expires(date(2028, 2, 29), Policy()) == date(2031, 3, 1)
    assert actions.expires(date(2026, 11, 25), Policy(recordings_kept_years=15)) == date(2041, 11, 25)
    with pytest.raises(ValueError, match="recordings_kept_years"):
        Policy.model_validate(json.loads('{"recordings_kept_years": 2}'))
