"""What the family told, at the desk: the doctor's page and list, the doctor's decision, the team lead's page."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.queries import Visit
from config.policy import Policy
from consultation.intake import actions as intakes
from consultation.triage.actions import run
from consultation.triage.models import TriageOverrule, TriageResult
from people.models import AuditEvent, Role
from tests.consultation.answering import COMPLETE, tell
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, visit_ahead


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    """A booked visit whose family has told all, with a warning sign."""
    made = visit_ahead(session, hospital, hospital.child, now)
    changed = {
        "signs": {"fast-breathing": "yes"},
        "medicines": {"allergic": "yes", "allergies": "青霉素", "home-name.0": "布洛芬"},
        "contacts": {"contact": "yes", "contact-which": "同学流感"},
    }
    for step, typed in COMPLETE.items():
        tell(session, made, now, step, **typed | changed.get(step, {}))
    intakes.complete(session, made, hospital.mother.id, now, Policy())
    run(session, made, now, "account:test")
    session.commit()
    return made


@pytest.fixture
def doctor(browse: Browse, hospital: Hospital) -> FlaskClient:
    return browse(hospital.doctor)


def test_the_doctor_reads_the_signs_first(doctor: FlaskClient, visit: Visit) -> None:
    page = doctor.get(f"/desk/visits/{visit.appointment.id}")
    shown = words(page)
    for said in (
        "Told before the visit Hospital today", "Breathes much faster than usual when calm", "Chief complaint 咳嗽",
        "14.2 kg 25 Nov z -0.4", "Medicines at home 布洛芬", "Epidemiological history Contact · 同学流感", "No to Fit;",
    ):  # fmt: skip
        assert said in shown, said
    assert '<dd class="strong">青霉素</dd>' in page.text
    assert shown.index("Breathes much faster") < shown.index("Chief complaint")
    assert "Not answered" not in shown
    listed = words(doctor.get("/desk"))
    assert "Hospital today" in listed
    assert "Answers are in" in listed


def test_nothing_told_is_said_to_be_nothing(
    session: Session, hospital: Hospital, doctor: FlaskClient, now: datetime
) -> None:
    visit = visit_ahead(session, hospital, hospital.child, now)
    shown = words(doctor.get(f"/desk/visits/{visit.appointment.id}"))
    assert "Not answered Nothing yet" in shown
    assert "Epidemiological history Not answered" in shown
    assert "Weight not known" in shown
    assert "Decide otherwise" not in shown


def decide(client: FlaskClient, page: str, said: dict[str, object]) -> TestResponse:
    return post(client, f"{page}/triage", "/help", **said)


def test_the_doctor_decides_otherwise(session: Session, doctor: FlaskClient, visit: Visit, now: datetime) -> None:
    page = f"/desk/visits/{visit.appointment.id}"
    result = session.scalars(select(TriageResult)).one()
    assert "Decide otherwise" in words(doctor.get(page))
    said: dict[str, object] = {"result": result.id, "level": "doctor-decides", "reason": "known", "text": "哮喘随访"}
    refused = decide(doctor, page, said | {"reason": ""})
    assert (refused.status_code, "choose a level and a reason" in words(refused)) == (422, True)
    assert decide(doctor, page, said).location == f"{page}#told"
    shown = words(doctor.get(page))
    assert "Decided otherwise: You decide" in shown
    assert "哮喘随访" in shown
    tell(session, visit, now, "body", **COMPLETE["body"] | {"drinks": "less"})
    run(session, visit, now, "account:test")
    session.commit()
    assert "The answers have changed since you decided." in words(doctor.get(page))
    assert decide(doctor, page, said).status_code == 409, "other answers than were looked at"


def test_nobody_else_decides(session: Session, browse: Browse, hospital: Hospital, visit: Visit, now: datetime) -> None:
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    session.add(hospital.colleague)
    session.commit()
    result = session.scalars(select(TriageResult)).one()
    said: dict[str, object] = {"result": result.id, "level": "fine", "reason": "known", "text": "why"}
    path = f"/desk/visits/{visit.appointment.id}"
    for who, status in ((hospital.colleague, 404), (hospital.mother, 403)):
        client = browse(who)
        assert client.get(path).status_code == status
        assert decide(client, path, said).status_code == status
    assert session.scalars(select(TriageOverrule)).all() == []


def test_the_team_lead_sees_whom_to_look_after(
    session: Session, browse: Browse, hospital: Hospital, doctor: FlaskClient, visit: Visit, now: datetime
) -> None:
    lead = member(session, "T001", account(session, "o-lead", now), Role.TEAM_LEAD, of=hospital.medicine)
    other = member(session, "T002", account(session, "o-lead-2", now), Role.TEAM_LEAD, of=hospital.skin)
    session.commit()
    path = f"/desk/triage/{visit.appointment.id}"
    client = browse(lead)
    assert path in client.get("/desk/tasks").text
    shown = words(client.get(path))
    assert "Breathes much faster" in shown
    assert "王**" in shown
    assert "王小明" not in shown
    assert (
        session.scalars(select(AuditEvent).where(AuditEvent.action == "see-triage")).one().entity_id
        == visit.appointment.id
    )
    assert browse(other).get(path).status_code == 404
    assert doctor.get(path).status_code == 403
    assert f"/desk/visits/{visit.appointment.id}" in doctor.get("/desk/tasks").text
