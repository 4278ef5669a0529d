"""Reactions at the desk: who sees and reports them, how a pharmacist watches one to its end, and the report as data."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.policy import Policy
from consultation.encounters.models import Encounter
from people.access import Viewer
from people.models import Account, Role
from prescriptions.after import actions
from prescriptions.after.actions.reactions import Told
from prescriptions.after.models import AdverseEvent, Recovery, Reporter
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.submitting import cancel
from tests.consultation.afterwards import over
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital, account, member

ADVERSE_EVENT = get_fhir_model_class("AdverseEvent")


@pytest.fixture
def made(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    visit = over(session, hospital, now)
    where = session.scalars(select(Encounter).where(Encounter.appointment_id == visit.appointment.id)).one()
    found = signed(session, hospital, now, FEVER, IBUPROFEN, encounter=where)
    session.commit()
    return found


@pytest.fixture
def reaction(session: Session, hospital: Hospital, made: Prescription, now: datetime) -> AdverseEvent:
    told = Told(["swelling"], None, now, "嘴唇肿")
    found = actions.report(session, made, hospital.mother.id, Reporter.FAMILY, told, now, Policy())
    session.commit()
    return found


@pytest.fixture
def pharmacist(session: Session, browse: Browse, now: datetime) -> FlaskClient:
    return browse(person(session, Role.PHARMACIST, now))


@pytest.fixture
def doctor(browse: Browse, hospital: Hospital) -> FlaskClient:
    return browse(hospital.doctor)


def person(session: Session, role: Role, now: datetime) -> Account:
    found = account(session, f"o-other-{role}", now)
    member(session, f"S-{role}", found, role)
    session.commit()
    return found


def test_a_pharmacist_watches_it_to_its_end(
    session: Session, pharmacist: FlaskClient, doctor: FlaskClient, reaction: AdverseEvent
) -> None:
    here = f"/desk/reactions/{reaction.id}"
    listed = words(pharmacist.get("/desk/reactions"))
    assert "王**" in listed
    assert "Severe" in listed
    page = pharmacist.get(here)
    assert "嘴唇肿" in words(page)
    for verb, fields, field in (
        ("watch", {"note": "", "look": "2026-11-26"}, "note"),
        ("watch", {"note": "打过电话", "look": ""}, "look"),
        ("watch", {"note": "打过电话", "look": "2026-11-24"}, "look"),
        ("close", {"note": "打过电话", "outcome": "fine", "causality": "probable"}, "outcome"),
        ("close", {"note": "打过电话", "outcome": "resolved", "causality": ""}, "causality"),
    ):
        bad = post(pharmacist, f"{here}/{verb}", here, **fields)
        assert (bad.status_code, f'id="problem-{field}"' in bad.text) == (422, True)
        assert fields["note"] in bad.text
    assert post(pharmacist, f"{here}/watch", here, note="打过电话", look="2026-11-26").status_code == 303
    assert post(doctor, f"{here}/note", here, note="已停药").status_code == 303
    assert post(doctor, f"{here}/close", here, note="好了", outcome="resolved", causality="probable").status_code == 403
    done = {"note": "已消退", "outcome": "resolved", "causality": "probable"}
    assert post(pharmacist, f"{here}/close", here, **done).status_code == 303
    shown = words(pharmacist.get(here))
    assert "打过电话" in shown
    assert "已停药" in shown
    assert "Over, without consequences" in shown
    assert post(pharmacist, f"{here}/note", "/desk/tasks", note="x").status_code == 409


def test_the_staff_report_too(
    session: Session, pharmacist: FlaskClient, doctor: FlaskClient, made: Prescription
) -> None:
    wrong = post(pharmacist, "/desk/reactions", "/desk/reactions", number="nothing")
    assert (wrong.status_code, "nothing" in wrong.text) == (422, True)
    found = post(pharmacist, "/desk/reactions", "/desk/reactions", number=made.number)
    here = f"/desk/prescriptions/{made.id}/reaction"
    assert found.location == here
    fields: dict[str, Any] = {"signs": ["drowsy"], "line": "1", "began": "2026-11-25T09:00", "text": ""}
    bad = post(pharmacist, here, here, **(fields | {"signs": []}))
    assert (bad.status_code, 'id="problem-signs"' in bad.text) == (422, True)
    assert post(pharmacist, here, here, **fields).status_code == 303
    assert post(doctor, here, here, **fields).status_code == 303
    assert {one.reporter for one in session.scalars(select(AdverseEvent))} == {Reporter.PHARMACIST, Reporter.DOCTOR}


def test_another_doctor_and_the_rest_of_the_staff_see_nothing(
    session: Session, browse: Browse, made: Prescription, reaction: AdverseEvent, now: datetime
) -> None:
    other = browse(person(session, Role.DOCTOR, now))
    for path in (f"/desk/reactions/{reaction.id}", f"/desk/prescriptions/{made.id}/reaction"):
        assert other.get(path).status_code == 404
    assert "No reaction waits" in words(other.get("/desk/reactions"))
    assert browse(person(session, Role.DISPATCHER, now)).get(f"/desk/reactions/{reaction.id}").status_code == 403


def test_the_doctor_reads_how_the_child_was_and_what_did_not_agree(
    session: Session, doctor: FlaskClient, hospital: Hospital, made: Prescription, reaction: AdverseEvent, now: datetime
) -> None:
    actions.begun(session, made.id, now)
    actions.ask_due(session, now.replace(year=2027))
    actions.answer(session, Viewer(hospital.mother.id, "en"), made.id, Recovery.SAME, now)
    session.commit()
    visit = session.get_one(Encounter, made.encounter_id).appointment_id
    shown = words(doctor.get(f"/desk/visits/{visit}"))
    assert "Then: the same" in shown
    assert "Angioedema" in shown
    assert f"Report a reaction to {made.number}" in shown


@pytest.mark.parametrize("withdrawn", [False, True])
def test_no_reaction_to_what_was_never_given(
    session: Session, doctor: FlaskClient, hospital: Hospital, now: datetime, withdrawn: bool
) -> None:
    visit = over(session, hospital, now)
    where = session.scalars(select(Encounter).where(Encounter.appointment_id == visit.appointment.id)).one()
    found = signed(session, hospital, now, status=PrescriptionStatus.REJECTED, encounter=where)
    if withdrawn:
        cancel(session, found, by="test", why="withdrawn", now=now)
    session.commit()
    shown = doctor.get(f"/desk/visits/{visit.appointment.id}")
    assert shown.status_code == 200
    assert "Report a reaction" not in words(shown)


def test_the_report_is_fhirs(pharmacist: FlaskClient, doctor: FlaskClient, reaction: AdverseEvent) -> None:
    here = f"/desk/reactions/{reaction.id}"
    first = pharmacist.get(f"{here}/report.json")
    ADVERSE_EVENT.model_validate(first.json)
    assert first.json is not None
    assert "outcome" not in first.json
    done = {"note": "已消退", "outcome": "resolvedWithSequelae", "causality": "possible"}
    post(pharmacist, f"{here}/close", here, **done)
    report = pharmacist.get(f"{here}/report.json").json
    assert report is not None
    ADVERSE_EVENT.model_validate(report)
    assert report["seriousness"]["coding"][0]["code"] == "serious"
    assert report["event"]["coding"][0] == {"code": "swelling", "display": "血管性水肿"}
    assert {one["instance"]["reference"].split("/")[0] for one in report["suspectEntity"]} == {"MedicationRequest"}
    assert "王小明" not in str(report)
    assert doctor.get(f"{here}/report.json").status_code == 403
