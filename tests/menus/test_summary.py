"""What the family gets of a visit: the page, the paper and its pictures; for the child's active guardians alone."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.policy import Policy
from config.text import CHINESE
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import encounter_of, move, seat
from consultation.line.actions import finish
from consultation.record import actions, library, writing
from consultation.record.content import Content, Outcome, Urgency
from consultation.record.events import RecordSigned
from notifications.handlers import handle
from notifications.models import Notification
from notifications.records import tell_unsigned
from people.access import Viewer
from people.models import AuditEvent, GuardianStatus, RelatedPerson
from tests.menus.conftest import Browser, words
from tests.product import Hospital, account, guardian, visit_ahead

PAGES = ("", ".pdf", "/1.png", "/pages")
NAME = "𠮷䶮小明"  # characters that are in few fonts


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    hospital.child.name = NAME
    session.merge(hospital.child)
    made = visit_ahead(session, hospital, hospital.child, now, ahead=1)
    encounter = encounter_of(session, made, now)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    session.commit()
    return made


def sign(session: Session, hospital: Hospital, visit: Visit, now: datetime, **changes: object) -> None:
    assert hospital.doctor.account_id
    place = seat(session, Viewer(hospital.doctor.account_id, CHINESE), visit.appointment.id, lock=True)
    cold = writing.applied(Content(epidemiology_confirmed=True), library.templates().template[0], CHINESE)
    version = actions.save(session, place, 0, cold.model_copy(update=changes), now).version
    actions.sign(session, place, visit, version, now, Policy(), finish)
    session.commit()


def path(visit: Visit, end: str = "") -> str:
    return f"/visits/{visit.appointment.id}/summary{end}"


def test_nothing_before_it_is_signed(mother: FlaskClient, visit: Visit) -> None:
    for end in PAGES:
        assert mother.get(path(visit, end)).status_code == 404
    assert "Summary" not in words(mother.get(f"/visits/{visit.appointment.id}/room"))
    assert "What the doctor said" not in words(mother.get(f"/visits/{visit.appointment.id}"))


def test_the_page_in_plain_words(
    session: Session, hospital: Hospital, browser: Browser, mother: FlaskClient, visit: Visit, now: datetime
) -> None:
    sign(session, hospital, visit, now)
    chinese = words(browser(hospital.mother).get(path(visit)))
    for said in ("急性鼻咽炎（感冒）", "生理盐水", "立即拨打120", "感冒咳嗽护理", "010-59616161", "保存为图片"):
        assert said in chinese
    english = mother.get(path(visit))
    assert "Acute nasopharyngitis [common cold]" in words(english)
    assert "go to the nearest emergency department at once" in words(english), (
        "the hospital's own text, in both languages"
    )
    assert 'href="tel:120"' in english.text
    assert "What the doctor said" in words(mother.get(f"/visits/{visit.appointment.id}"))
    assert "The doctor has written for you" in words(mother.get(f"/visits/{visit.appointment.id}/room"))
    assert len(session.scalars(select(AuditEvent).where(AuditEvent.action == "read-summary")).all()) == 2


def test_come_to_the_hospital_is_a_slip(
    session: Session, hospital: Hospital, mother: FlaskClient, visit: Visit, now: datetime
) -> None:
    sign(session, hospital, visit, now, outcome=Outcome.HOSPITAL, urgency=Urgency.TODAY, reason="breathing")
    shown = words(mother.get(path(visit)))
    for said in (
        "bring your child to the hospital today",
        "Difficult or fast breathing",
        "PQR-0001",
        "56 Nanlishi Road",
    ):
        assert said in shown
    assert "Colds and coughs" not in shown
    assert "to the hospital today" in words(mother.get(f"/visits/{visit.appointment.id}/room"))


def test_for_the_childs_active_guardians_alone(
    session: Session, hospital: Hospital, browser: Browser, visit: Visit, now: datetime
) -> None:
    sign(session, hospital, visit, now)
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    session.commit()
    assert [browser(father).get(path(visit, end)).status_code for end in PAGES] == [200] * 4
    doctor = session.get_one(type(father), hospital.doctor.account_id)
    session.execute(
        update(RelatedPerson).where(RelatedPerson.account_id == hospital.mother.id).values(status=GuardianStatus.FROZEN)
    )
    session.commit()
    for nobody in (hospital.stranger, doctor, hospital.mother):
        assert [browser(nobody).get(path(visit, end)).status_code for end in PAGES] == [404] * 4
    assert [browser().get(path(visit, end)).status_code for end in PAGES] == [302] * 4


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_the_paper_has_real_glyphs(
    session: Session, hospital: Hospital, browser: Browser, visit: Visit, now: datetime, locale: str
) -> None:
    sign(session, hospital, visit, now + timedelta(microseconds=250))  # as a real clock has it
    client = browser(hospital.mother, locale)
    answer = client.get(path(visit, ".pdf"))
    assert answer.content_type == "application/pdf"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert client.get(path(visit, ".pdf")).data == answer.data, "the same version, the same bytes"
    pdf = PdfReader(io.BytesIO(answer.data))
    told = "".join(page.extract_text() for page in pdf.pages)
    for said in (NAME, "PQR-0001", "SHA-256", "1101D001", "38.5℃"):
        assert said.replace(" ", "") in told.replace(" ", "")
    assert ("共1页" if locale == "zh_CN" else "Page1of1") in told.replace(" ", "").replace("\n", "")
    fonts = pdf.pages[0]["/Resources"]["/Font"]  # type: ignore[index]
    for font in fonts.values():
        descriptor = font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"]
        assert {"/FontFile2", "/FontFile3"} & set(descriptor), "embedded"
    assert b"pdfaid:part" in answer.data or "/Metadata" in pdf.trailer["/Root"]  # type: ignore[operator]


def test_the_pictures_of_the_paper(
    session: Session, hospital: Hospital, mother: FlaskClient, visit: Visit, now: datetime
) -> None:
    sign(session, hospital, visit, now, advice="多喝水。\n" * 120)
    assert mother.get(path(visit, "/pages")).text.count('class="summary__page"') >= 2
    assert mother.get(path(visit, "/1.png")).data.startswith(b"\x89PNG")
    assert mother.get(path(visit, "/99.png")).status_code == 404


def test_a_changed_record_is_not_shown(
    session: Session, hospital: Hospital, mother: FlaskClient, visit: Visit, now: datetime
) -> None:
    sign(session, hospital, visit, now)
    session.execute(text("update composition_versions set digest = sha256('x')"))
    session.commit()
    for end in PAGES:
        answer = mother.get(path(visit, end))
        assert answer.status_code == 409
        assert "感冒" not in answer.text
    assert mother.get(f"/visits/{visit.appointment.id}/room").status_code == 200


def test_every_active_guardian_is_told_and_nothing_of_what(
    session: Session, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    father, frozen = account(session, "o-father", now), account(session, "o-frozen", now)
    guardian(session, father, hospital.child, now)
    guardian(session, frozen, hospital.child, now).status = GuardianStatus.FROZEN
    sign(session, hospital, visit, now)
    row = session.execute(text("select id, composition_id from composition_versions")).one()
    for _ in range(2):
        handle(session, RecordSigned(composition_id=row.composition_id, version_id=row.id), now)
    told = session.scalars(select(Notification).where(Notification.message == "record-ready")).all()
    assert {one.account_id for one in told} == {hospital.mother.id, father.id}
    assert len(told) == 2
    for one in told:
        assert one.path == path(visit)
        said = str(one.data)
        assert "J00" not in said
        assert "感冒" not in said
        assert NAME not in said


def test_doctors_hear_of_unsigned_records_once_a_day_and_not_at_night(
    session: Session, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    encounter = encounter_of(session, visit, now)
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="x", ending=Content().ending)
    assert tell_unsigned(session, now) == 0, "in the morning nobody is told"
    night = now.replace(hour=14)  # 22:00 in Beijing
    assert tell_unsigned(session, night) == 1
    assert tell_unsigned(session, night) == 0
    told = session.scalars(select(Notification).where(Notification.message == "records-unsigned")).one()
    assert told.account_id == hospital.doctor.account_id
    assert told.due_at == now.replace(day=25, hour=23), "at 07:00"
    assert told.data["count"] == "1"
