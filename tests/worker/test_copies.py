"""A copy of a child's file: what is in it and what is not, what happens when the store or the worker fails."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import pytest
import time_machine
from flask import Flask
from procrastinate import App
from procrastinate.testing import InMemoryConnector
from pypdf import PdfReader
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.ids import new_id
from config.jobs import Fact
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, SeatRole
from consultation.encounters.rooms import encounter_of, move, seat
from consultation.intake.models import QuestionnaireResponse, ResponseStatus, sealed
from consultation.line.actions import finish
from consultation.models import Media
from consultation.record import actions, library, writing
from consultation.record.content import Content
from consultation.talk.models import Message
from integrations.files import Folder
from notifications.handlers import handle
from notifications.models import Notification
from people.access import Viewer
from people.files import FileMissing, FilesUnavailable
from people.keeping import copies
from people.keeping.models import CopyStatus, FileCopy
from people.models import AuditEvent, GuardianStatus, RelatedPerson
from tests.pictures import kept
from tests.product import Hospital, account, guardian, visit_ahead
from worker import keeping
from worker.copies import join, prepare, tidy

PLACE, PHONE = "朝阳区望京街1号", "13977776666"


@pytest.fixture(autouse=True)
def fixed_time(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def files(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "files")


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime, files: Folder) -> Visit:
    """A visit with everything: answers, a picture, a chat, a place and a phone, a signed record."""
    made = visit_ahead(session, hospital, hospital.child, now, ahead=1)
    kept(session, made, now, files)
    whose = {"patient_id": hospital.child.id, "account_id": hospital.mother.id, "appointment_id": made.appointment.id}
    said = sealed({"complaint": ["咳嗽三天"]}, {"complaint": "咳嗽三天"})
    about = {"version": 1, "questionnaire": "intake", "questionnaire_version": "t", "status": ResponseStatus.COMPLETED}
    session.add(QuestionnaireResponse(content=said, at=now, **whose, **about))
    encounter = encounter_of(session, made, now)
    encounter.place, encounter.phone = PLACE, PHONE
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    written = {"account_id": hospital.mother.id, "role": SeatRole.GUARDIAN, "text": "夜里咳得厉害", "sent_at": now}
    session.add(Message(encounter_id=encounter.id, key=new_id(), **written))
    assert hospital.doctor.account_id
    place = seat(session, Viewer(hospital.doctor.account_id, "zh_CN"), made.appointment.id, lock=True)
    cold = writing.applied(Content(epidemiology_confirmed=True), library.templates().template[0], "zh_CN")
    version = actions.save(session, place, 0, cold, now).version
    actions.sign(session, place, made, version, now, Policy(), finish)
    session.commit()
    return made


def asked(session: Session, hospital: Hospital, now: datetime, locale: str = "zh_CN", **more: Any) -> UUID:
    who = Viewer(more.get("by", hospital.mother).id, locale)
    made = copies.ask(session, who, hospital.child.id, now, Policy())
    session.commit()
    return made.id


def opened(session: Session, files: Folder, copy_id: UUID) -> ZipFile:
    session.expire_all()
    copy = session.get_one(FileCopy, copy_id)
    assert copy.status is CopyStatus.READY
    assert copy.file_name
    return ZipFile(io.BytesIO(files.get(copy.file_name)))


def resources(archive: ZipFile) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in json.loads(archive.read("data.json"))["entry"]:
        found.setdefault(entry["resource"]["resourceType"], []).append(entry["resource"])
    return found


def test_all_of_it_is_in_the_copy(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    copy_id = asked(session, hospital, now)
    prepare(files, copy_id, last=False)
    archive = opened(session, files, copy_id)
    media = session.scalars(select(Media)).one()
    there = {
        "index.html",
        "index.en.html",
        "data.json",
        f"pictures/{media.id}.jpg",
        f"visits/{visit.appointment.id}.pdf",
    }
    assert set(archive.namelist()) == there
    found = resources(archive)
    assert {"Patient", "RelatedPerson", "Appointment", "Encounter", "Communication", "Composition", "Media"} <= set(
        found
    )
    assert found["Patient"][0]["name"] == hospital.child.name
    assert found["Communication"][0]["payload"] == "夜里咳得厉害"
    record = found["Composition"][0]["version"][0]
    assert record["record"]["epidemiology_confirmed"]
    page = archive.read("index.html").decode()
    for words in (hospital.child.name, "夜里咳得厉害", "咳嗽三天", f"pictures/{media.id}.jpg", "就诊小结"):
        assert words in page
    assert "Visit summary (PDF)" in archive.read("index.en.html").decode()
    paper = PdfReader(io.BytesIO(archive.read(f"visits/{visit.appointment.id}.pdf")))
    assert hospital.child.name in paper.pages[0].extract_text()
    assert archive.read(f"pictures/{media.id}.jpg") == files.get(media.file_name)


def test_what_others_wrote_privately_is_not_in_it(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now).name = "赵钱孙"
    session.commit()
    mine, theirs = asked(session, hospital, now), asked(session, hospital, now, by=father)
    for copy_id in (mine, theirs):
        prepare(files, copy_id, last=False)
    hers, his = (opened(session, files, one).read("data.json").decode() for one in (mine, theirs))
    assert PHONE not in hers + his
    assert PLACE in hers  # she said it
    assert PLACE not in his
    assert "赵钱孙" not in hers
    assert "赵钱孙" in his
    assert "王芳" in hers
    assert "王芳" not in his
    for secret in ("file_name", "token", "sha256", session.scalars(select(Media)).one().file_name):
        assert secret not in hers


def test_nothing_of_another_child_is_in_it(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    visit_ahead(session, hospital, hospital.sibling, now, ahead=3)
    copy_id = asked(session, hospital, now)
    prepare(files, copy_id, last=False)
    archive = opened(session, files, copy_id)
    assert hospital.sibling.name not in archive.read("data.json").decode() + archive.read("index.html").decode()
    assert len(resources(archive)["Appointment"]) == 1


def test_a_child_without_a_visit_has_a_file_too(
    session: Session, hospital: Hospital, files: Folder, now: datetime
) -> None:
    copy_id = asked(session, hospital, now, "en")
    prepare(files, copy_id, last=False)
    archive = opened(session, files, copy_id)
    assert "There is no visit in this file." in archive.read("index.html").decode()


def test_a_missing_picture_is_said_and_a_damaged_record_too(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    files.delete(session.scalars(select(Media)).one().file_name)
    session.execute(text("update composition_versions set digest = '\\x00'"))
    session.commit()
    copy_id = asked(session, hospital, now)
    prepare(files, copy_id, last=False)
    archive = opened(session, files, copy_id)
    assert "缺一张图片" in archive.read("index.html").decode()
    assert resources(archive)["Composition"][0]["problem"] == "record-damaged"
    assert not [name for name in archive.namelist() if name.endswith(".pdf")]


def test_the_guardian_is_told_once_it_is_ready(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    copy_id = asked(session, hospital, now)
    prepare(files, copy_id, last=False)
    prepare(files, copy_id, last=False)  # the worker was killed before it could say that it was done
    said = told(session, now)
    assert [(one.message, one.data["hint"], one.path) for one in said] == [
        ("file-ready", "档案副本已备好", f"/children/{hospital.child.id}/file")
    ]
    assert "王小明" not in json.dumps(said[0].data, ensure_ascii=False)


def told(session: Session, now: datetime) -> list[Notification]:
    jobs = text("select args from procrastinate_jobs where args ->> 'kind' in ('CopyFinished', 'WishAnswered')")
    for (args,) in session.execute(jobs).all():
        handle(session, Fact.from_json(args["kind"], args["data"]), now)
    return list(session.scalars(select(Notification).where(Notification.message == "file-ready")))


def test_a_store_that_is_away_is_tried_again_and_at_last_it_has_failed(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy_id = asked(session, hospital, now)

    def away(*_: object) -> bytes:
        raise FilesUnavailable

    monkeypatch.setattr(Folder, "get", away)
    with pytest.raises(FilesUnavailable):
        prepare(files, copy_id, last=False)
    assert session.get_one(FileCopy, copy_id).status is CopyStatus.REQUESTED
    prepare(files, copy_id, last=True)
    session.expire_all()
    assert session.get_one(FileCopy, copy_id).status is CopyStatus.FAILED
    assert [one.data["hint"] for one in told(session, now)] == ["未成功，请重新申请"]
    monkeypatch.undo()
    again = asked(session, hospital, now + timedelta(minutes=1))
    prepare(files, again, last=False)
    assert opened(session, files, again)


def test_a_guardian_who_was_frozen_meanwhile_gets_nothing(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    copy_id = asked(session, hospital, now)
    session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))
    session.commit()
    prepare(files, copy_id, last=False)
    session.expire_all()
    copy = session.get_one(FileCopy, copy_id)
    assert copy.status is CopyStatus.FAILED
    assert copy.file_name
    with pytest.raises(FileMissing):
        files.get(copy.file_name)


def test_after_its_days_the_file_is_gone(
    session: Session, hospital: Hospital, visit: Visit, files: Folder, now: datetime
) -> None:
    copy_id = asked(session, hospital, now)
    prepare(files, copy_id, last=False)
    name = session.get_one(FileCopy, copy_id, populate_existing=True).file_name
    assert name
    with time_machine.travel(now + timedelta(days=6), tick=False):
        tidy(files)
        assert files.get(name)
    with time_machine.travel(now + timedelta(days=7, seconds=1), tick=False):
        tidy(files)
    with pytest.raises(FileMissing):
        files.get(name)
    copy = session.get_one(FileCopy, copy_id, populate_existing=True)
    assert (copy.status, copy.file_name) == (CopyStatus.OVER, None)


def test_a_copy_of_which_nothing_was_heard_has_failed(
    session: Session, hospital: Hospital, files: Folder, now: datetime
) -> None:
    """Its worker was killed again and again, say."""
    copy_id = asked(session, hospital, now)
    with time_machine.travel(now + timedelta(hours=5), tick=False):
        tidy(files)
        assert session.get_one(FileCopy, copy_id, populate_existing=True).status is CopyStatus.REQUESTED
    with time_machine.travel(now + timedelta(hours=7), tick=False):
        tidy(files)
    assert session.get_one(FileCopy, copy_id, populate_existing=True).status is CopyStatus.FAILED


def test_the_workers_queue_knows_what_was_asked(
    session: Session, hospital: Hospital, files: Folder, now: datetime
) -> None:
    asked(session, hospital, now)
    tasks = set(session.scalars(text("select task_name from procrastinate_jobs")))
    app = App(connector=InMemoryConnector())
    join(app, files)
    keeping.join(app)
    assert copies.PREPARE in tasks & set(app.tasks)
    assert {"keeping.tidy", "keeping.due"} <= set(app.tasks)


def test_the_hospitals_export_is_audited_with_its_reason(
    app: Flask, session: Session, hospital: Hospital, tmp_path: Path
) -> None:
    run, target = app.test_cli_runner().invoke, tmp_path / "file.zip"
    words = ["export", hospital.child.number, "--to", str(target), "--reason"]
    assert run(args=[*words, " "]).exit_code == 1
    assert not target.exists()
    assert run(args=[*words, "法院调取", "--locale", "en"]).exit_code == 0
    assert (target.stat().st_mode & 0o777) == 0o600
    assert hospital.child.name in ZipFile(target).read("index.html").decode()
    again = run(args=[*words, "again"])
    assert again.exit_code == 1
    assert "File exists" in again.output
    assert run(args=["export", "P-NOBODY", "--to", str(tmp_path / "b.zip"), "--reason", "x"]).exit_code == 1
    taken = session.scalars(select(FileCopy).order_by(FileCopy.id)).all()
    assert [one.reason for one in taken] == ["法院调取", "again"]
    exported = select(AuditEvent).where(AuditEvent.action == "file-export").order_by(AuditEvent.id)
    events = session.scalars(exported).all()
    assert [(one.entity_id, one.detail["copy"]) for one in events] == [
        (hospital.child.id, str(one.id)) for one in taken
    ]


def test_the_hospital_sees_the_place_but_no_phone(
    session: Session, app: Flask, hospital: Hospital, visit: Visit, tmp_path: Path
) -> None:
    """Phones are the families' own, and in the hospital's index."""
    target = tmp_path / "file.zip"
    words = ["export", hospital.child.number, "--to", str(target), "--reason", "x"]
    media = session.scalars(select(Media)).one()
    assert session.scalars(select(Encounter)).one().phone == PHONE
    assert app.test_cli_runner().invoke(args=words).exit_code == 0
    data = ZipFile(target).read("data.json").decode()
    assert PLACE in data
    assert PHONE not in data
    assert str(media.id) in data
