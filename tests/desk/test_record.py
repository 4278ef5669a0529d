"""The record at the desk: written with the form's buttons, safe in two pages, signed, amended; for its doctor alone."""

from __future__ import annotations

import re
from datetime import date, datetime
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.queries import Visit
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Participant, SeatRole
from consultation.encounters.rooms import encounter_of, move
from consultation.intake.weights import Weight
from consultation.record import queries
from consultation.record.content import Content
from consultation.record.models import Composition
from desk import record
from notifications.records import tell_unsigned
from people.models import Role
from people.tasks import Task
from tests.consultation.answering import tell
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, visit_ahead


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    return visit_ahead(session, hospital, hospital.child, now, ahead=1)


@pytest.fixture
def encounter(session: Session, visit: Visit, now: datetime) -> Encounter:
    """The child was called."""
    made = encounter_of(session, visit, now)
    move(session, made, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    session.commit()
    return made


@pytest.fixture
def doctor(browse: Browse, hospital: Hospital, encounter: Encounter) -> FlaskClient:
    return browse(hospital.doctor)


class Page:
    """The form as the browser has it: every button sends all of it."""

    def __init__(self, client: FlaskClient, visit: Visit) -> None:
        self.client, self.path = client, f"/desk/visits/{visit.appointment.id}"
        self.read(client.get(self.path))

    def read(self, answer: TestResponse) -> TestResponse:
        html = answer.text
        if 'id="record-form"' not in html:  # signed
            return answer
        self.values: dict[str, list[str]] = {}
        form = html[html.index('id="record-form"') : html.index("</form>", html.index('id="record-form"'))]
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form):
            self.values.setdefault(name, []).append(unescape(value))
        for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', form):
            self.values[name] = [unescape(value)]
        for tag in re.findall(r"<input type=\"(?:radio|checkbox)\"[^>]* checked[^>]*>", form):
            name, value = re.search(r'name="(\w+)" value="([\w-]+)"', tag).groups()  # type: ignore[union-attr]
            self.values.setdefault(name, []).append(value)
        return answer

    def press(self, do: str, part: str = "", **typed: object) -> TestResponse:
        data = {**self.values, **{name: [str(value)] for name, value in typed.items()}, "do": [do]}
        headers = {"X-Part": part} if part else {}
        answer = self.client.post(f"{self.path}/record", data=data, headers=headers)
        if answer.status_code == 303:
            self.read(self.client.get(self.path))
        elif 'id="record-form"' in answer.text:
            self.read(answer)
        return answer


@pytest.fixture
def page(doctor: FlaskClient, visit: Visit) -> Page:
    return Page(doctor, visit)


def kept(session: Session) -> Content:
    session.expire_all()
    return queries.draft(session.scalars(select(Composition)).one())


def test_a_plain_cold_in_four_taps_without_a_script(session: Session, page: Page, encounter: Encounter) -> None:
    assert page.press("template:cold").status_code == 303
    page.values["epidemiology_confirmed"] = ["yes"]
    assert page.press("sign").status_code == 303
    shown = words(page.client.get(page.path))
    assert "Signed by Dr Zhao · Attending physician" in shown
    assert "J00 Acute nasopharyngitis" in shown
    session.expire_all()
    assert session.get_one(Encounter, encounter.id).ending is Ending.ANSWERED


@pytest.mark.parametrize("effort", ["yes", "no"])
def test_a_template_that_denies_what_the_family_told_is_contradicted_beside_its_field(
    session: Session, doctor: FlaskClient, visit: Visit, encounter: Encounter, now: datetime, effort: str
) -> None:
    encounter.status = EncounterStatus.PLANNED  # the family told before it was called
    tell(session, visit, now, "signs", effort=effort)
    encounter.status = EncounterStatus.IN_PROGRESS
    session.commit()
    page = Page(doctor, visit)
    page.press("template:cold")
    shown = doctor.get(page.path).text
    told = effort == "yes"
    assert ("<strong>Struggles to breathe</strong>" in shown) == told
    assert ('data-against="present" role="status" hidden' not in shown) == told
    assert 'data-against="history" role="status" hidden' in shown
    against = page.press("autosave", part="autosave").get_json()["against"]
    assert against == ({"present": "Struggles to breathe"} if told else {})
    page.read(doctor.get(page.path))
    assert page.press("autosave", part="autosave", present="Breathes with effort.").get_json()["against"] == {}
    page.values["epidemiology_confirmed"] = ["yes"]
    page.read(doctor.get(page.path))
    assert page.press("sign", epidemiology_confirmed="yes").status_code == 303, "the doctor decides"


def test_what_is_missing_is_named_by_its_field_and_what_is_typed_stays(session: Session, page: Page) -> None:
    answer = page.press("sign", complaint="Fever")
    assert answer.status_code == 422
    assert 'id="problem-epidemiology_confirmed"' in answer.text
    assert 'id="problem-outcome"' in answer.text
    assert 'id="problem-complaint"' not in answer.text
    assert page.values["complaint"] == ["Fever"]
    assert kept(session).complaint == "Fever"


def test_diagnoses_without_a_script(session: Session, page: Page) -> None:
    answer = page.press("find", query="szkb")
    assert 'value="add:B08.4"' in answer.text
    page.press("add:B08.4")
    page.press("add:J00")
    page.press("main:J00")
    assert [one.code for one in kept(session).conditions] == ["J00", "B08.4"]
    page.press("drop:J00")
    assert [one.code for one in kept(session).conditions] == ["B08.4"]
    assert "Nothing found" in words(page.press("find", query="xyzzy"))
    answer = page.press("add:NONSENSE", complaint="stays")
    assert answer.status_code == 422
    assert "There is no such diagnosis" in words(answer)


def test_an_outcome_brings_its_own_fields(session: Session, page: Page) -> None:
    page.press("outcome", outcome="followup")
    assert "days" not in page.values
    assert page.press("save", outcome="followup", days="1000").status_code == 422
    assert page.press("save", outcome="followup", days="7").status_code == 303
    assert kept(session).days == 7
    answer = page.press("outcome", part="part", outcome="hospital")
    assert "breathing" in answer.text
    assert "<html" not in answer.text, "the script gets the part alone"


def test_too_long_a_text_is_said_at_its_field(page: Page) -> None:
    answer = page.press("save", advice="x" * 2001)
    assert answer.status_code == 422
    assert "At most 2000 characters." in words(answer)
    assert "x" * 2001 in answer.text


def test_two_tabs_nothing_is_lost(session: Session, doctor: FlaskClient, visit: Visit) -> None:
    first, second = Page(doctor, visit), Page(doctor, visit)
    assert first.press("autosave", part="autosave", advice="from the first").get_json()["version"] == 1
    answer = second.press("autosave", part="autosave", advice="from the second")
    assert answer.status_code == 409
    shown = words(answer)
    assert "from the first" in shown
    assert second.values["advice"] == ["from the second"]
    assert kept(session).advice == "from the first"
    assert second.press("save").status_code == 303, "knowing both, the doctor keeps this one"
    assert kept(session).advice == "from the second"
    assert first.press("save", part="part", advice="first again").status_code == 409
    assert first.press("take").status_code == 303
    assert first.values["advice"] == ["from the second"]


def test_what_the_family_said_begins_the_record(
    doctor: FlaskClient, visit: Visit, monkeypatch: pytest.MonkeyPatch, hospital: Hospital
) -> None:
    weighed = [Weight(11_200, date(2026, 1, 5)), Weight(13_400, date(2026, 11, 5))]
    monkeypatch.setattr(record, "for_record", lambda *_: {"complaint": "Cough for 9 days"})
    monkeypatch.setattr(record, "weights", lambda *_: weighed)
    answer = doctor.get(f"/desk/visits/{visit.appointment.id}")
    assert "Cough for 9 days" in answer.text
    assert "Weight: 13.4 kg on 5 Nov" in words(answer)
    assert answer.text.count('class="growth__point"') == 2
    assert "Bands: z-scores of the WHO." in words(answer)


def test_own_phrases(session: Session, doctor: FlaskClient, page: Page) -> None:
    bad = post(doctor, "/desk/phrases", field="advice", code="a b", text="kept as typed")
    assert bad.status_code == 422
    assert "kept as typed" in bad.text
    assert post(doctor, "/desk/phrases", field="advice", code="zz", text="Sleep well.").status_code == 303
    assert ";zz" in words(doctor.get("/desk/phrases"))
    page.press("phrase:zz")
    page.press("phrase:dhs")
    assert kept(session).advice == "Sleep well.\nSmall drinks often, light food, plenty of rest."
    made = re.search(r"/desk/phrases/[\w-]+/remove", doctor.get("/desk/phrases").text)
    assert made
    post(doctor, made[0])
    assert "None of your own yet." in words(doctor.get("/desk/phrases"))


def test_an_amendment_shows_the_old(page: Page, doctor: FlaskClient) -> None:
    page.press("template:cold")
    page.press("sign", epidemiology_confirmed="yes")
    path = f"{page.path}/record/amend"
    assert post(doctor, path, amend_reason=" ").status_code == 422
    assert post(doctor, path, amend_reason="wrong duration").status_code == 303
    page.read(doctor.get(page.path))
    page.press("sign", complaint="Cough for 9 days")
    shown = words(doctor.get(page.path))
    assert "version 2" in shown
    assert "Why it was amended: wrong duration" in shown
    assert "Runny and blocked nose, cough for 2 days" in shown, "the old one is still there"
    post(doctor, path, amend_reason="again")
    post(doctor, path, do="leave")
    assert "Leave it as it was signed" not in words(doctor.get(page.path))


def test_a_signed_record_is_not_saved_again(page: Page) -> None:
    page.press("template:cold")
    stale = dict(page.values)
    page.press("sign", epidemiology_confirmed="yes")
    page.values = stale
    answer = page.press("save", complaint="changed")
    assert answer.status_code == 409
    assert "This record is signed" in words(answer)
    assert "changed" not in words(answer)


def test_a_damaged_record_is_said_to_be_one(session: Session, page: Page, doctor: FlaskClient) -> None:
    page.press("template:cold")
    page.press("sign", epidemiology_confirmed="yes")
    session.execute(text("update composition_versions set digest = sha256('x')"))
    session.commit()
    answer = doctor.get(page.path)
    assert answer.status_code == 200
    assert "its digest does not match" in words(answer)
    assert "J00" not in answer.text


def test_nobody_else_writes_signs_or_sees(
    session: Session, browse: Browse, hospital: Hospital, page: Page, visit: Visit, encounter: Encounter, now: datetime
) -> None:
    page.press("template:cold")
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    session.merge(hospital.colleague)
    head = member(session, "H1", account(session, "o-head", now), Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    colleague = browse(hospital.colleague)
    for do in ("save", "sign", "template:cold", "find"):
        assert post(colleague, f"{page.path}/record", do=do).status_code == 404
    assert post(colleague, f"{page.path}/record/amend", amend_reason="x").status_code == 404
    assert colleague.get(page.path).status_code == 404
    for who in (head, hospital.mother):
        assert post(browse(who), f"{page.path}/record", do="save").status_code == 403
        assert browse(who).get("/desk/icd10?q=a").status_code == 403
    assert hospital.colleague.account_id
    session.add(
        Participant(
            encounter_id=encounter.id,
            account_id=hospital.colleague.account_id,
            practitioner_id=hospital.colleague.id,
            role=SeatRole.SECOND_PRACTITIONER,
            invited_by_id=hospital.mother.id,
            invited_at=now,
            agreed_at=now,
        )
    )
    session.commit()
    invited = colleague.get(page.path)
    assert "has not signed the record yet" in words(invited)
    assert 'id="record-form"' not in invited.text
    assert post(colleague, f"{page.path}/record", do="sign").status_code == 404


def test_icd10_as_json(doctor: FlaskClient) -> None:
    found = doctor.get("/desk/icd10?q=ptgm").get_json()
    assert found[0]["code"] == "J00"
    assert doctor.get("/desk/icd10").get_json() == []


def test_unsigned_records(
    session: Session, browse: Browse, hospital: Hospital, doctor: FlaskClient, encounter: Encounter, now: datetime
) -> None:
    assert "going on" in words(doctor.get("/desk/records"))
    move(session, encounter, EncounterStatus.FINISHED, now, by="test", why="x", ending=Ending.ANSWERED)
    head = member(session, "H1", account(session, "o-head", now), Role.DEPARTMENT_HEAD, of=hospital.medicine)
    session.commit()
    shown = words(doctor.get("/desk/records"))
    assert "王** · Thu 26 Nov 2026, 08:00" in shown
    assert "over since" in shown
    seen = browse(head).get("/desk/records")
    assert "Dr Zhao 1" in words(seen)
    assert "王" not in seen.text, "who leads sees counts"
    assert "小明" not in doctor.get("/desk/records").text
    assert tell_unsigned(session, now) == 0, "not before the evening"


def test_did_the_child_arrive(
    session: Session, browse: Browse, hospital: Hospital, page: Page, visit: Visit, now: datetime
) -> None:
    lead = member(session, "T1", account(session, "o-lead", now), Role.TEAM_LEAD, of=hospital.medicine)
    other = member(session, "T2", account(session, "o-skin", now), Role.TEAM_LEAD, of=hospital.skin)
    session.commit()
    page.press("template:cold")
    page.press("outcome", outcome="hospital")
    page.values["epidemiology_confirmed"] = ["yes"]
    page.press("sign", urgency="today", reason="breathing")
    task = session.scalars(select(Task)).one()
    leads = browse(lead)
    assert "did the child arrive?" in words(leads.get("/desk/tasks"))
    shown = words(leads.get(task.path))
    assert "王小明" in shown
    assert "Difficult or fast breathing" in shown
    assert "J00" not in shown, "the diagnosis is not needed to ask"
    assert browse(other).get(task.path).status_code == 404
    assert browse(hospital.doctor).get(task.path).status_code == 403
    assert post(leads, f"/desk/tasks/{task.id}/done", note="arrived").status_code == 303
    assert leads.get(task.path).status_code == 404
