"""The pictures of a visit as its doctor sees them, and nobody else of the staff."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.settings import Settings
from consultation.models import Media
from integrations.files import connect
from people.models import AuditEvent
from tests.desk.conftest import Browse
from tests.menus.conftest import words
from tests.pictures import kept, opened
from tests.product import Hospital, account, visit_ahead


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    return visit_ahead(session, hospital, hospital.child, now)


@pytest.fixture
def sent(session: Session, visit: Visit, now: datetime, settings: Settings) -> Iterator[list[Media]]:
    """Two pictures of the visit, whose files go with the test."""
    files = connect(settings)
    made = [kept(session, visit, now, files) for _ in range(2)]
    yield made
    for media in made:
        files.delete(media.file_name)


def test_the_doctor_sees_how_many_and_which(
    session: Session, browse: Browse, hospital: Hospital, visit: Visit, sent: list[Media]
) -> None:
    doctor = browse(hospital.doctor)
    path = f"/desk/visits/{visit.appointment.id}/pictures"
    listed = doctor.get("/desk")
    assert "王** Pictures: 2" in words(listed)
    assert f'href="{path}"' in listed.text
    page = doctor.get(path)
    assert "Pictures · 王** No. 1 · Fri 27 Nov 2026, 08:00 · 3 y 6 mo" in words(page)
    assert "小明" not in page.text
    for media in sent:
        assert f'src="/desk/pictures/{media.id}"' in page.text
        assert media.file_name not in page.text
        image = doctor.get(f"/desk/pictures/{media.id}")
        assert opened(image.data).size == (media.width, media.height)
        assert image.headers["Content-Type"] == "image/jpeg"
        assert image.headers["X-Content-Type-Options"] == "nosniff"
        assert image.headers["Cache-Control"] == "private, no-store"
        assert image.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    (seen,) = session.query(AuditEvent).filter_by(action="pictures-view")
    assert (seen.entity_id, seen.account_id) == (visit.appointment.id, hospital.doctor.account_id)


def test_without_pictures(browse: Browse, hospital: Hospital, visit: Visit) -> None:
    doctor = browse(hospital.doctor)
    assert "Pictures" not in words(doctor.get("/desk"))
    assert "has sent no pictures" in words(doctor.get(f"/desk/visits/{visit.appointment.id}/pictures"))


def test_nobody_elses_business(
    session: Session, browse: Browse, hospital: Hospital, visit: Visit, sent: list[Media], now: datetime
) -> None:
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    session.add(hospital.colleague)
    session.commit()
    paths = [f"/desk/visits/{visit.appointment.id}/pictures", *(f"/desk/pictures/{media.id}" for media in sent)]
    for who, status in ((hospital.colleague, 404), (hospital.mother, 403)):
        client = browse(who)
        assert {client.get(path).status_code for path in paths} == {status}
    assert browse(hospital.doctor).get(f"/desk/visits/{sent[0].id}/pictures").status_code == 404
    hospital.doctor.active = False
    session.add(hospital.doctor)
    session.commit()
    assert {browse(hospital.doctor).get(path).status_code for path in paths} == {403}
