"""Pictures on the visit's page: added, looked at, moved, removed; and seen by nobody else."""

from __future__ import annotations

import io
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app
from booking.models import Appointment, AppointmentStatus
from booking.queries import Visit
from config import database as ground
from config import policy
from config.settings import Settings
from consultation.models import Media, MediaStatus
from integrations.files import Folder, connect
from people.files import FilesUnavailable
from people.models import Account, GuardianStatus, RelatedPerson
from tests.menus.conftest import Browser, token, words
from tests.pictures import kept, opened, picture
from tests.product import EPOCH, Hospital, sign_in, visit_ahead


@pytest.fixture
def app(settings: Settings, database: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Flask:
    """The application with a folder of files of its own."""
    monkeypatch.setattr(ground, "connect", lambda _url: database.engine)
    made = create_app(settings.model_copy(update={"files_dir": tmp_path}))
    made.testing = True
    return made


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    return visit_ahead(session, hospital, hospital.child, now)


@pytest.fixture
def page(visit: Visit) -> str:
    return f"/visits/{visit.appointment.id}"


@pytest.fixture
def sent(session: Session, visit: Visit, now: datetime, settings: Settings, tmp_path: Path) -> Media:
    """A picture of the visit."""
    return kept(session, visit, now, connect(settings.model_copy(update={"files_dir": tmp_path})), sent=picture())


def upload(client: FlaskClient, page: str, data: bytes | None = None, name: str = "rash.jpg") -> TestResponse:
    form: dict[str, Any] = {"csrf_token": token(client.get(page))}
    if data is not None:
        form["picture"] = (io.BytesIO(data), name)
    return client.post(f"{page}/pictures", data=form, content_type="multipart/form-data")


def post(client: FlaskClient, media: Media, verb: str, **fields: object) -> TestResponse:
    data = {"csrf_token": token(client.get("/help")), **fields}
    return client.post(f"/pictures/{media.id}/{verb}", data=data)


def pictures(session: Session) -> list[Media]:
    session.expire_all()
    return session.query(Media).filter_by(status=MediaStatus.COMPLETED).order_by(Media.id).all()


def test_none_yet(mother: FlaskClient, page: str) -> None:
    shown = words(mother.get(page))
    assert "Pictures for the doctor None yet." in shown
    assert "Up to 12 more." in shown
    assert 'accept="image/*"' in mother.get(page).text


def test_adding_and_looking(session: Session, mother: FlaskClient, page: str, visit: Visit) -> None:
    answer = upload(mother, page, picture())
    assert (answer.status_code, answer.location) == (303, f"{page}#pictures")
    (media,) = pictures(session)
    shown = mother.get(page)
    assert "Up to 11 more." in words(shown)
    assert 'alt="Picture 1, sent Wed 25 Nov 2026, 10:00"' in shown.text
    assert media.file_name not in shown.text
    assert f'href="/pictures/{media.id}"' in shown.text
    one = mother.get(f"/pictures/{media.id}")
    assert "王小明 · Internal Medicine · Fri 27 Nov 2026, 08:00" in words(one)
    small = re.search(r'<img src="([^"]+)"', shown.text)
    assert small
    for path, size in ((f"/pictures/{media.id}/image", (60, 40)), (small[1].replace("&amp;", "&"), (60, 40))):
        image = mother.get(path)
        assert opened(image.data).size == size
        assert image.headers["Content-Type"] == "image/jpeg"
        assert image.headers["X-Content-Type-Options"] == "nosniff"
        assert image.headers["Cache-Control"] == "private, max-age=300"
        assert image.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert upload(mother, page, picture()).status_code == 303  # a second tap
    assert len(pictures(session)) == 1


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        (None, 422, "Please choose a picture first."),
        (b"", 422, "This file can't be opened as a picture."),
        (b"<svg/>", 422, "This file can't be opened as a picture."),
        (b"\0" * 9000, 413, "This picture is too large."),
    ],
)
def test_what_is_not_taken(
    session: Session,
    mother: FlaskClient,
    page: str,
    monkeypatch: pytest.MonkeyPatch,
    data: bytes | None,
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr("consultation.pictures.MEGABYTES", 0.005)
    answer = upload(mother, page, data)
    assert answer.status_code == status
    assert said in words(answer)
    assert pictures(session) == []
    assert f'href="{page}#pictures"' in answer.text


def test_as_many_as_the_hospital_allows(session: Session, mother: FlaskClient, page: str, sent: Media) -> None:
    policy.change(session, "pictures_per_visit", 1, author="t", valid_from=EPOCH)
    session.commit()
    shown = mother.get(page)
    assert "as many as one visit can hold" in words(shown)
    assert 'type="file"' not in shown.text
    answer = upload(mother, page, picture(colour="blue"))
    assert answer.status_code == 409
    assert "1 pictures already" in words(answer)


def test_a_store_that_is_away(
    mother: FlaskClient, page: str, sent: Media, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bytes:
        raise FilesUnavailable

    monkeypatch.setattr(Folder, "put", away)
    monkeypatch.setattr(Folder, "get", away)
    for answer in (upload(mother, page, picture(colour="blue")), mother.get(f"/pictures/{sent.id}/image")):
        assert answer.status_code == 503
        assert "try again in a few minutes" in words(answer)
    assert len(pictures(session)) == 1
    assert mother.get(page).status_code == 200


def test_removing(session: Session, mother: FlaskClient, page: str, sent: Media) -> None:
    assert "Remove this picture" in words(mother.get(f"/pictures/{sent.id}"))
    assert post(mother, sent, "remove").location == f"{page}#pictures"
    assert pictures(session) == []
    assert mother.get(f"/pictures/{sent.id}/image").status_code == 404
    assert post(mother, sent, "remove").status_code == 404
    assert "None yet" in words(mother.get(page))


def test_moving_to_the_siblings_visit(
    session: Session, mother: FlaskClient, hospital: Hospital, sent: Media, now: datetime
) -> None:
    assert "It is for" not in words(mother.get(f"/pictures/{sent.id}"))
    other = visit_ahead(session, hospital, hospital.sibling, now, ahead=4).appointment
    assert "It is for 王小红, Internal Medicine, 29 Nov" in words(mother.get(f"/pictures/{sent.id}"))
    assert post(mother, sent, "move", visit=other.id).location == f"/visits/{other.id}#pictures"
    (media,) = pictures(session)
    assert media.patient_id == hospital.sibling.id
    assert mother.get(f"/pictures/{sent.id}/image").status_code == 200
    for nobody in ("x", "", sent.id):
        assert post(mother, sent, "move", visit=nobody).status_code == 404


def test_once_the_visit_has_begun_nothing_is_changed(
    session: Session, mother: FlaskClient, page: str, sent: Media
) -> None:
    session.execute(update(Appointment).values(status=AppointmentStatus.FULFILLED))
    session.commit()
    shown = mother.get(page)
    assert f"/pictures/{sent.id}" in shown.text
    assert 'type="file"' not in shown.text
    assert "belongs to the medical record" in words(mother.get(f"/pictures/{sent.id}"))
    assert post(mother, sent, "remove").status_code == 409
    assert len(pictures(session)) == 1


def test_a_cancelled_visit_takes_nothing_and_without_pictures_says_nothing_of_them(
    session: Session, mother: FlaskClient, page: str
) -> None:
    assert "Pictures for the doctor" in words(mother.get(page))
    session.execute(update(Appointment).values(status=AppointmentStatus.CANCELLED))
    session.commit()
    shown = mother.get(page)
    assert "Pictures for the doctor" not in words(shown)
    data = {"csrf_token": token(shown), "picture": (io.BytesIO(picture()), "a.jpg")}
    answer = mother.post(f"{page}/pictures", data=data)
    assert "over or cancelled" in words(answer)


def test_nobody_elses_business(
    app: Flask, session: Session, browser: Browser, mother: FlaskClient, hospital: Hospital, page: str, sent: Media
) -> None:
    doctor = session.get_one(Account, hospital.doctor.account_id)
    others = [browser(hospital.stranger, "en"), browser(doctor, "en")]
    frozen = app.test_client()
    sign_in(frozen, hospital.mother)
    assert frozen.get(f"/pictures/{sent.id}/image").status_code == 200

    def refused(client: FlaskClient) -> bool:
        form = {"csrf_token": token(client.get("/help"))}
        data = {**form, "picture": (io.BytesIO(picture(colour="blue")), "a.jpg")}
        answers = [
            client.get(f"/pictures/{sent.id}"),
            client.get(f"/pictures/{sent.id}/image"),
            client.get(f"/pictures/{sent.id}/image?small=1"),
            client.post(f"/pictures/{sent.id}/remove", data=form),
            client.post(f"/pictures/{sent.id}/move", data={**form, "visit": page.rsplit("/", maxsplit=1)[-1]}),
            client.post(f"{page}/pictures", data=data),
        ]
        return {answer.status_code for answer in answers} == {404}

    assert all(refused(client) for client in others)
    nobody = browser()
    assert nobody.get(f"/pictures/{sent.id}/image").location.startswith("/oauth/start")
    session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))
    session.commit()
    assert refused(frozen)
    assert len(pictures(session)) == 1


def test_chinese(browser: Browser, hospital: Hospital, page: str, sent: Media) -> None:
    client = browser(hospital.mother)
    assert "给医生看的图片" in words(client.get(page))
    assert "删除这张图片" in words(client.get(f"/pictures/{sent.id}"))
