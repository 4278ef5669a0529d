"""My children: cards, the QR picture, guardians who can be paused, unbinding."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking import actions as bookings
from booking.models import Schedule
from config import policy
from config.policy import Policy
from people.actions import ensure_account
from people.models import GuardianStatus, Patient, RelatedPerson, Relation
from tests.menus.conftest import Browser, send, words
from tests.product import Hospital
from wechat.qr import decode


@pytest.fixture
def grandmother(session: Session, hospital: Hospital, now: datetime) -> RelatedPerson:
    """A guardian of the child who came after the mother."""
    account = ensure_account(session, "o-grandmother", now)
    binding = RelatedPerson(
        account_id=account.id,
        patient_id=hospital.child.id,
        name="张桂兰",
        relation=Relation.GRANDPARENT,
        bound_at=now + timedelta(seconds=1),
    )
    session.add(binding)
    session.commit()
    return binding


def test_the_card_shows_name_and_age_and_the_page_its_details(mother: FlaskClient, hospital: Hospital) -> None:
    shown = words(mother.get("/children"))
    assert "王小明 3 y 6 mo · Mother" in shown
    assert "PQR-0001" not in shown
    page = mother.get(f"/children/{hospital.child.id}").text
    assert page.index("<details") < page.index("PQR-0001")
    assert "QR-0001" not in page.replace("PQR-0001", "")


def test_the_qr_picture_can_be_scanned_and_is_never_kept(mother: FlaskClient, hospital: Hospital) -> None:
    answer = mother.get(f"/children/{hospital.child.id}/qr.png")
    assert answer.content_type == "image/png"
    assert answer.headers["Cache-Control"] == "no-store"
    assert decode(answer.data) == ["QR-0001"]


def test_a_child_is_nobody_elses(browser: Browser, hospital: Hospital, grandmother: RelatedPerson) -> None:
    stranger = browser(hospital.stranger, "en")
    child = f"/children/{hospital.child.id}"
    for path in (child, f"{child}/qr.png", f"{child}/unbind", f"/children/{uuid4()}"):
        assert stranger.get(path).status_code == 404
    for path in (f"{child}/unbind", f"{child}/guardians/{grandmother.id}/freeze"):
        assert send(stranger, "/help", path).status_code == 404
    assert "王小明" not in stranger.get("/children").text


def test_a_later_guardian_can_be_paused_and_resumed(
    session: Session, browser: Browser, mother: FlaskClient, hospital: Hospital, grandmother: RelatedPerson
) -> None:
    child = f"/children/{hospital.child.id}"
    account = ensure_account(session, "o-grandmother", grandmother.bound_at)
    hers = browser(account, "en")
    assert hers.get(child).status_code == 200
    assert "张**" in words(mother.get(child))
    assert "张桂兰" not in mother.get(child).text
    assert send(mother, child, f"{child}/guardians/{grandmother.id}/freeze").location == f"{child}#guardians"
    assert hers.get(child).status_code == 404
    assert "Paused by another guardian" in words(hers.get("/children"))
    assert "Resume" in words(mother.get(child))
    send(mother, child, f"{child}/guardians/{grandmother.id}/unfreeze")
    assert hers.get(child).status_code == 200


def test_an_earlier_guardian_can_not_be_paused(
    session: Session, browser: Browser, hospital: Hospital, grandmother: RelatedPerson
) -> None:
    child = f"/children/{hospital.child.id}"
    hers = browser(ensure_account(session, "o-grandmother", grandmother.bound_at), "en")
    assert "/freeze" not in hers.get(child).text
    first = session.query(RelatedPerson).filter_by(account_id=hospital.mother.id, patient_id=hospital.child.id).one()
    assert send(hers, child, f"{child}/guardians/{first.id}/freeze").status_code == 404


def test_unbinding_asks_first(session: Session, mother: FlaskClient, hospital: Hospital) -> None:
    child = f"/children/{hospital.child.id}"
    assert "keeps its medical record" in words(mother.get(f"{child}/unbind"))
    assert send(mother, f"{child}/unbind", f"{child}/unbind").location == "/children"
    session.expire_all()
    binding = session.query(RelatedPerson).filter_by(patient_id=hospital.child.id).one()
    assert binding.status is GuardianStatus.ENDED
    assert "王小明" not in mother.get("/children").text


def test_a_child_with_a_coming_visit_stays_bound(
    session: Session, mother: FlaskClient, hospital: Hospital, schedule: Schedule, now: datetime
) -> None:
    child = session.get_one(Patient, hospital.child.id)
    bookings.book(session, schedule.id, child, hospital.mother.id, now, Policy())
    session.commit()
    path = f"/children/{hospital.child.id}/unbind"
    answer = send(mother, path, path)
    assert answer.status_code == 409
    assert "Cancel it first under My visits" in words(answer)
    assert 'href="/visits"' in answer.text


def test_at_the_limit_no_more_children_are_offered(session: Session, mother: FlaskClient, hospital: Hospital) -> None:
    assert "/children/bind" in mother.get("/children").text
    policy.change(session, "children_per_account", 2, author="test", valid_from=hospital.child.created_at)
    session.commit()
    page = mother.get("/children")
    assert "/children/bind" not in page.text
    assert "at most 2 children" in words(page)


def test_without_children_the_page_says_what_is_needed(session: Session, browser: Browser, now: datetime) -> None:
    account = ensure_account(session, "o-newcomer", now)
    session.commit()
    assert "You need the patient QR code" in words(browser(account, "en").get("/children"))
    assert "No visit is booked" in words(browser(account, "en").get("/visits"))
