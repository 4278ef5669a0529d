"""What a family sees of a prescription: a calm state, then what to give; nobody else sees anything."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from consultation.encounters.models import Encounter
from people.models import AuditEvent
from prescriptions.signing.models import Signature
from prescriptions.writing.models import PrescriptionStatus
from prescriptions.writing.queries import appointment_of
from tests.menus.conftest import Browser, words
from tests.prescriptions.made import room, signed
from tests.prescriptions.pharmacy import place, received
from tests.product import Hospital


@pytest.mark.parametrize("status", [PrescriptionStatus.IN_REVIEW, PrescriptionStatus.REJECTED])
def test_being_reviewed_also_when_it_was_sent_back(
    session: Session, hospital: Hospital, mother: FlaskClient, now: datetime, status: PrescriptionStatus
) -> None:
    row = signed(session, hospital, now, status=status)
    session.commit()
    shown = words(mother.get(f"/prescriptions/{row.id}"))
    assert "Being reviewed" in shown
    assert "Paracetamol" not in shown
    assert "too much" not in shown, "the pharmacist's words are for the doctor"
    for path in (".pdf", "/pages", "/1.png"):
        assert mother.get(f"/prescriptions/{row.id}{path}").status_code == 404


def test_approved_it_says_what_to_give_and_leads_to_the_order(
    session: Session, hospital: Hospital, mother: FlaskClient, now: datetime
) -> None:
    row = signed(session, hospital, now)
    session.commit()
    page = mother.get(f"/prescriptions/{row.id}")
    shown = words(page)
    assert "8 mL a time (192 mg)" in shown
    assert "4 times a day, at least 6 hours apart" in shown
    assert "3 days, until 27 Nov" in shown
    assert f'href="/prescriptions/{row.id}/order"' in page.text
    assert mother.get(f"/prescriptions/{row.id}.pdf").data[:4] == b"%PDF"
    assert mother.get(f"/prescriptions/{row.id}/1.png").data[:4] == b"\x89PNG"
    assert mother.get(f"/prescriptions/{row.id}/9.png").status_code == 404
    assert "Save it as a picture" in words(mother.get(f"/prescriptions/{row.id}/pages"))
    session.expire_all()
    looked = session.scalars(select(AuditEvent).where(AuditEvent.action == "read-prescription")).all()
    assert {one.detail["form"] for one in looked} >= {"page", "pdf", "picture"}


def test_over_its_time_it_is_read_but_not_ordered(
    session: Session, hospital: Hospital, mother: FlaskClient, now: datetime
) -> None:
    row = signed(session, hospital, now - timedelta(days=2), encounter=room(session, hospital, now))
    session.commit()
    page = mother.get(f"/prescriptions/{row.id}")
    assert "can't be ordered any more" in words(page)
    assert "/order" not in page.text
    assert "8 mL a time" in words(page)
    assert "It could be ordered until the end of Tue 24 Nov 2026" in words(mother.get("/prescriptions"))


def test_what_was_ordered_leads_to_its_order(
    session: Session, hospital: Hospital, mother: FlaskClient, now: datetime
) -> None:
    row = signed(session, hospital, now)
    received(session, now)
    order = place(session, hospital.mother, row, now)
    session.commit()
    visit = appointment_of(session, row)
    for path in (f"/prescriptions/{row.id}", f"/visits/{visit}"):
        page = mother.get(path)
        assert "Ordered, and to be paid until" in words(page)
        assert f'href="/medicine-orders/{order.id}"' in page.text
        assert '/order"' not in page.text


def test_nobody_elses_child(session: Session, hospital: Hospital, browser: Browser, now: datetime) -> None:
    row = signed(session, hospital, now)
    session.commit()
    stranger = browser(hospital.stranger, "en")
    for path in ("", ".pdf", "/pages", "/1.png"):
        assert stranger.get(f"/prescriptions/{row.id}{path}").status_code == 404


def test_a_damaged_one_is_not_shown(session: Session, hospital: Hospital, mother: FlaskClient, now: datetime) -> None:
    row = signed(session, hospital, now)
    kept = session.scalars(select(Signature).where(Signature.prescription_id == row.id)).first()
    assert kept
    kept.value = kept.value[:-1] + bytes([kept.value[-1] ^ 1])
    session.commit()
    page = mother.get(f"/prescriptions/{row.id}")
    assert page.status_code == 409
    assert "mL" not in words(page)
    other = signed(session, hospital, now, encounter=session.get_one(Encounter, row.encounter_id))
    session.commit()
    listed = mother.get("/prescriptions")
    assert "Not what was signed" in words(listed)
    assert f"/prescriptions/{other.id}/order" in listed.text, "it hides no other"
