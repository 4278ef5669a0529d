"""After a visit, at the desk: the question is answered, the child that got worse seen to, complaints answered, scores
counted without names; and nobody else opens any of it."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from booking.admission import Level
from booking.queries import Visit
from consultation.after import actions
from consultation.after.models import Complaint, Rating, Worsening
from people.access import Viewer
from people.models import AuditEvent, Practitioner, Role
from people.tasks import Task, TaskStatus
from tests.consultation.afterwards import POLICY, over
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, screened


@pytest.fixture
def visit(session: Session, hospital: Hospital, now: datetime) -> Visit:
    """It is over; its family has asked, says that the child got worse, and complains."""
    made = over(session, hospital, now)
    mother = Viewer(hospital.mother.id, "zh_CN")
    actions.ask(session, mother, made.appointment.id, "可以洗澡吗？", now, POLICY)
    actions.worse(session, mother, made.appointment.id, now, POLICY)
    actions.file(session, mother, made.appointment.id, "waiting", "等了两小时", now, POLICY)
    session.commit()
    return made


@pytest.fixture
def complaint(session: Session, visit: Visit) -> Complaint:
    return session.scalars(select(Complaint)).one()


@pytest.fixture
def doctor(browse: Browse, hospital: Hospital) -> FlaskClient:
    return browse(hospital.doctor)


Staff = dict[str, Practitioner]


@pytest.fixture
def staff(session: Session, hospital: Hospital, now: datetime) -> Staff:
    """One of each role of the department, the head of another, and a colleague."""
    hospital.colleague.account_id = account(session, "o-colleague", now).id
    made = {
        role: member(session, f"S-{role}", account(session, f"o-{role}", now), role, of=hospital.medicine)
        for role in (Role.TEAM_LEAD, Role.DEPARTMENT_HEAD, Role.ADMINISTRATOR, Role.AUDITOR)
    }
    other = member(session, "S-skin", account(session, "o-skin", now), Role.DEPARTMENT_HEAD, of=hospital.skin)
    session.commit()
    return {**{str(role): who for role, who in made.items()}, "other-head": other, "colleague": hospital.colleague}


def test_the_doctor_answers_on_the_visits_page(doctor: FlaskClient, visit: Visit) -> None:
    path = f"/desk/visits/{visit.appointment.id}"
    shown = words(doctor.get(path))
    assert "After the visit Got worse" in shown
    assert "Question of the family" in shown
    assert "可以洗澡吗？" in shown
    assert post(doctor, f"{path}/question", on=path, answer="  ").status_code == 422
    answered = post(doctor, f"{path}/question", on=path, answer="可以，水温38度。")
    assert (answered.status_code, answered.location) == (303, f"{path}#question")
    page = doctor.get(path)
    assert "可以，水温38度。" in words(page)
    assert 'name="answer"' not in page.text
    assert post(doctor, f"{path}/question", on=path, answer="不可以").status_code == 409


def test_a_visit_without_a_word_afterwards_has_no_such_part(
    session: Session, hospital: Hospital, doctor: FlaskClient, now: datetime
) -> None:
    made = over(session, hospital, now)
    assert "After the visit" not in words(doctor.get(f"/desk/visits/{made.appointment.id}"))


def test_whoever_sees_to_it_says_what_was_done(
    session: Session, hospital: Hospital, doctor: FlaskClient, visit: Visit, now: datetime
) -> None:
    path = f"/desk/worse/{visit.appointment.id}"
    screen = screened(session, hospital.child, hospital.mother, now, Level.HOSPITAL_TODAY)
    actions.answered(session, Viewer(hospital.mother.id, "en"), visit.appointment.id, screen)
    session.commit()
    listed = doctor.get("/desk/tasks")
    assert f'href="{path}"' in listed.text
    page = doctor.get(path)
    assert "Hospital today" in words(page)
    assert "王小明" in words(page)
    assert 'href="tel:13800001234"' in page.text
    assert post(doctor, path, on=path, note="已电话，嘱来院").status_code == 303
    assert session.scalars(select(Worsening.note)).one() == "已电话，嘱来院"
    assert f'href="{path}"' not in doctor.get("/desk/tasks").text
    assert "Seen to: Wed 25 Nov 2026, 10:00 · 已电话，嘱来院" in words(doctor.get(path))
    assert {"see-worse", "see-to-worse"} <= set(session.scalars(select(AuditEvent.action)))


def test_what_a_family_waits_for_is_not_ticked_off_in_the_list(
    session: Session, browse: Browse, hospital: Hospital, staff: Staff, visit: Visit
) -> None:
    for who in (hospital.doctor, staff["team-lead"], staff["department-head"]):
        listed = browse(who).get("/desk/tasks")
        assert "/done" not in listed.text
        assert 'class="task"' in listed.text
    for task in session.scalars(select(Task)):
        person = browse(hospital.doctor if task.practitioner_id else staff[str(task.role)])
        assert post(person, f"/desk/tasks/{task.id}/done", note="seen").status_code == 404
    assert set(session.scalars(select(Task.status))) == {TaskStatus.OPEN}


def test_the_team_lead_sees_no_full_name(browse: Browse, staff: Staff, visit: Visit) -> None:
    path = f"/desk/worse/{visit.appointment.id}"
    lead = browse(staff["team-lead"])
    shown = words(lead.get(path))
    assert "王**" in shown
    assert "王小明" not in shown
    assert post(lead, path, on=path).status_code == 303
    assert lead.get(path).status_code == 404, "it is over"


@pytest.mark.parametrize(
    ("who", "question", "worse", "complaint"),
    [
        ("colleague", 404, 404, 403),
        ("team-lead", 403, 200, 403),
        ("department-head", 403, 404, 200),
        ("other-head", 403, 404, 404),
        ("administrator", 403, 404, 200),
        ("auditor", 403, 403, 403),
    ],
)
def test_who_opens_and_sends_what(
    browse: Browse, staff: Staff, visit: Visit, who: str, question: int, worse: int, complaint: int, session: Session
) -> None:
    """200 stands for both: the page is shown, and what is sent is taken."""
    client = browse(staff[who])
    filed = session.scalars(select(Complaint)).one()
    assert client.get(f"/desk/visits/{visit.appointment.id}").status_code == question
    sent = post(client, f"/desk/visits/{visit.appointment.id}/question", answer="可以")
    assert sent.status_code == question
    for path, expected in (
        (f"/desk/worse/{visit.appointment.id}", worse),
        (f"/desk/feedback/complaints/{filed.id}", complaint),
    ):
        assert client.get(path).status_code == expected, path
        answer = post(client, path, do="answer", answer="已了解", note="已电话")
        assert answer.status_code == (303 if expected == 200 else expected), path


def test_a_complaint_is_looked_into_answered_and_closed(
    session: Session, browse: Browse, staff: Staff, complaint: Complaint
) -> None:
    head, path = browse(staff["department-head"]), f"/desk/feedback/complaints/{complaint.id}"
    assert f'href="{path}"' in head.get("/desk/tasks").text
    assert f"{complaint.number} Internal Medicine · New · until Wed 16 Dec 2026, 17:00" in words(
        head.get("/desk/feedback")
    )
    assert "等了两小时" in words(head.get(path))
    assert post(head, path, on=path, do="take").location == path
    assert "Being looked into" in words(head.get(path))
    empty = post(head, path, on=path, do="answer", answer=" ")
    assert (empty.status_code, "the family reads them" in words(empty)) == (422, True)
    assert post(head, path, on=path, do="close").status_code == 404
    assert post(head, path, on=path, do="answer", answer="已向医生了解").status_code == 303
    assert "not read yet" in words(head.get(path))
    assert post(head, path, on=path, do="answer", answer="又一次").status_code == 409
    assert post(head, path, on=path, do="close").status_code == 303
    assert "Complaint closed" in words(head.get("/desk/feedback"))
    assert "No complaint waits." in words(head.get("/desk/feedback"))
    assert "see-complaint" in set(session.scalars(select(AuditEvent.action)))


def test_scores_are_counted_by_department_from_five_on(
    session: Session, browse: Browse, staff: Staff, hospital: Hospital, visit: Visit, now: datetime
) -> None:
    session.execute(text("alter table ratings drop constraint uq_ratings_appointment_id"))
    for n, score in enumerate((5, 5, 4, 4, 1)):
        if n == 4:
            session.commit()
            shown = words(browse(staff["department-head"]).get("/desk/feedback"))
            assert "Internal Medicine fewer than 5" in shown
            assert "Kind and patient" not in shown
        session.add(
            Rating(
                appointment_id=visit.appointment.id, account_id=hospital.mother.id,
                department_id=hospital.medicine.id, day=visit.appointment.day, score=score, reasons=["kind"], at=now,
                changed_at=now,
            )
        )  # fmt: skip
    session.commit()
    head = browse(staff["department-head"])
    shown = words(head.get("/desk/feedback"))
    assert "Internal Medicine Kind and patient 5 5 3.8 2 2 0 0 1" in shown
    assert "Dermatology" not in shown
    assert "fewer than 5" in words(head.get("/desk/feedback?month=2026-10"))
    assert "Dermatology fewer than 5" in words(browse(staff["administrator"]).get("/desk/feedback"))
    for wrong in ("2026-13", "x", "0001-01", ""):
        answer = head.get(f"/desk/feedback?month={wrong}")
        assert (answer.status_code, "This is no month" in words(answer)) == (422, True)
    assert browse(staff["team-lead"]).get("/desk/feedback").status_code == 403
