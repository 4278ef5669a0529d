"""Who works here: roles given and taken, invitations, and tasks that come of them."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import now as clock_now
from config.errors import NotFound
from config.policy import Policy
from people import invitations, staff, tasks
from people.access import Viewer, member_of
from people.invitations import InvitationWorthless
from people.models import Account, AuditEvent, Practitioner, PractitionerRole, Role, Title
from people.refusals import DepartmentMissing, LastAdministrator, LicenceMissing
from people.staff import AccountTaken
from people.tasks import Task, TaskStatus
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member, sign_in


def roles_of(session: Session, who: Practitioner) -> set[str]:
    held = select(PractitionerRole.role).where(PractitionerRole.practitioner_id == who.id)
    return {role.value for role in session.scalars(held)}


def test_a_role_is_given_and_taken_away(
    browse: Browse, admin: Practitioner, hospital: Hospital, session: Session
) -> None:
    page = browse(admin)
    path = f"/desk/staff/{hospital.doctor.id}"
    assert post(page, f"{path}/roles", role="pharmacist", department=hospital.skin.id).status_code == 303
    assert post(page, f"{path}/roles", role="pharmacist").status_code == 303  # held already
    refused = post(page, f"{path}/roles", role="team-lead")
    assert refused.status_code == 422
    assert '<option value="team-lead" selected>' in refused.text
    assert post(page, f"{path}/roles", role="team-lead", department=hospital.skin.id).status_code == 303
    assert roles_of(session, hospital.doctor) == {"doctor", "pharmacist", "team-lead"}
    shown = words(page.get(path))
    assert "Team lead · Dermatology" in shown
    held = session.scalars(select(PractitionerRole).where(PractitionerRole.role == Role.PHARMACIST)).one()
    assert post(page, f"{path}/roles/{held.id}/withdraw").status_code == 303
    assert roles_of(session, hospital.doctor) == {"doctor", "team-lead"}
    actions = session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)).all()
    assert [a for a in actions if a.endswith("-role")] == ["grant-role", "grant-role", "withdraw-role"]


def test_somebody_is_added_and_only_a_licensed_one_is_a_doctor(
    browse: Browse, admin: Practitioner, session: Session
) -> None:
    page = browse(admin)
    new = {"code": "P９", "name_zh": "林清", "name_en": "Lin Qing"}
    assert post(page, "/desk/staff", on="/desk/staff/new", **new | {"name_zh": " "}).status_code == 422
    answer = post(page, "/desk/staff", on="/desk/staff/new", **new)
    assert answer.status_code == 303
    made = staff.by_code(session, "P9")
    assert (made.title, made.licence, made.department_id) == (None, None, None)
    refused = post(page, f"{answer.location}/roles", role="doctor")
    assert refused.status_code == 422
    assert "licence" in words(refused)
    assert "Another member of staff has this" in words(post(page, "/desk/staff", on="/desk/staff/new", **new))
    doctor = new | {"code": "D9", "title": Title.CHIEF.value, "licence": "1101"}
    answer = post(page, "/desk/staff", on="/desk/staff/new", **doctor)
    assert post(page, f"{answer.location}/roles", role="doctor").status_code == 303


def test_an_auditor_reads_and_changes_nothing(browse: Browse, hospital: Hospital, session: Session) -> None:
    auditor = member(session, "U001", hospital.stranger, Role.AUDITOR)
    session.commit()
    page = browse(auditor)
    assert page.get("/desk/staff").status_code == 200
    shown = page.get(f"/desk/staff/{hospital.doctor.id}").text
    assert "/roles" not in shown
    assert "/invite" not in shown


def test_the_last_administrator_stays(session: Session, admin: Practitioner, browse: Browse) -> None:
    held = session.scalars(select(PractitionerRole).where(PractitionerRole.practitioner_id == admin.id)).one()
    page = browse(admin)
    for path in (f"roles/{held.id}/withdraw", "shut-out", "unbind"):
        answer = post(page, f"/desk/staff/{admin.id}/{path}")
        assert answer.status_code == 409
        assert "only administrator" in words(answer)
    another = member(session, "A002", account(session, "o-admin-2", clock_now()), Role.ADMINISTRATOR)
    session.commit()
    assert post(page, f"/desk/staff/{another.id}/shut-out").status_code == 303
    with pytest.raises(LastAdministrator):
        staff.unbind(session, admin, by=None, now=clock_now())


def test_what_a_role_needs(session: Session, hospital: Hospital) -> None:
    someone = member(session, "M001", None)
    for role, refusal in ((Role.DOCTOR, LicenceMissing), (Role.DEPARTMENT_HEAD, DepartmentMissing)):
        with pytest.raises(refusal):
            staff.grant(session, someone, role, by=None, now=clock_now())


def test_shut_out_and_unbound_are_out_at_once(
    browse: Browse, admin: Practitioner, hospital: Hospital, session: Session
) -> None:
    page, doctor = browse(admin), browse(hospital.doctor)
    assert doctor.get("/desk").status_code == 200
    post(page, f"/desk/staff/{hospital.doctor.id}/shut-out")
    assert doctor.get("/desk").location == "/oauth/start?next=/desk"
    sign_in(doctor, session.get_one(Account, hospital.doctor.account_id))
    assert doctor.get("/desk").status_code == 403
    post(page, f"/desk/staff/{hospital.doctor.id}/let-in")
    sign_in(doctor, session.get_one(Account, hospital.doctor.account_id))
    assert doctor.get("/desk").status_code == 200
    post(page, f"/desk/staff/{hospital.doctor.id}/unbind")
    session.refresh(hospital.doctor)
    assert hospital.doctor.account_id is None
    assert doctor.get("/desk").status_code == 302


def test_an_invitation_binds_once(
    browse: Browse, admin: Practitioner, hospital: Hospital, session: Session, scenes: list[str]
) -> None:
    page = browse(admin)
    path = f"/desk/staff/{hospital.colleague.id}"
    assert post(page, f"{path}/invite").status_code == 303
    shown = page.get(path)
    assert "data:image/svg+xml" in shown.text
    assert "26 Nov 2026, 10:00" in words(shown)
    visitor = browse(hospital.stranger)
    bound = invitations.accept(session, scenes[0], hospital.stranger, clock_now())
    assert bound.id == hospital.colleague.id
    session.commit()
    assert visitor.get("/visits").status_code == 302  # more may be done now: signed in anew
    assert (
        invitations.accept(session, scenes[0], hospital.stranger, clock_now()).id == bound.id
    )  # WeChat repeats itself
    with pytest.raises(InvitationWorthless):
        invitations.accept(session, scenes[0], hospital.mother, clock_now())
    assert member_of(session, Viewer(hospital.stranger.id, "en")).roles == {Role.DOCTOR}


def test_one_account_is_one_member_of_staff(
    browse: Browse, admin: Practitioner, hospital: Hospital, session: Session, scenes: list[str]
) -> None:
    post(browse(admin), f"/desk/staff/{hospital.colleague.id}/invite")
    with pytest.raises(AccountTaken):
        invitations.accept(session, scenes[0], session.get_one(Account, hospital.doctor.account_id), clock_now())


def test_taken_back_replaced_or_late_it_is_worthless(
    browse: Browse,
    admin: Practitioner,
    hospital: Hospital,
    scenes: list[str],
    session: Session,
    clock: time_machine.Traveller,
) -> None:
    page, path = browse(admin), f"/desk/staff/{hospital.colleague.id}"
    post(page, f"{path}/invite")
    post(page, f"{path}/invite")
    post(page, f"{path}/invite/cancel")
    post(page, f"{path}/invite")
    clock.shift(timedelta(hours=Policy().invitation_hours))
    for scene in [*scenes, "invite-guessed"]:
        with pytest.raises(InvitationWorthless):
            invitations.accept(session, scene, hospital.stranger, clock_now())


def test_an_unused_invitation_becomes_a_task_until_it_is_seen_to(
    browse: Browse,
    admin: Practitioner,
    hospital: Hospital,
    scenes: list[str],
    session: Session,
    clock: time_machine.Traveller,
) -> None:
    page, path = browse(admin), f"/desk/staff/{hospital.colleague.id}"
    post(page, f"{path}/invite")
    assert invitations.expire(session, clock_now()) == 0
    clock.shift(timedelta(hours=Policy().invitation_hours))
    assert invitations.expire(session, clock_now()) == 1
    assert invitations.expire(session, clock_now()) == 0
    session.commit()
    sign_in(page, session.get_one(Account, admin.account_id))
    assert "Dr Zhao did not use the invitation in time" in words(page.get("/desk/tasks"))
    assert f'href="{path}"' in page.get("/desk/tasks").text
    assert "did not use" not in words(browse(hospital.doctor).get("/desk/tasks"))  # not theirs
    post(page, f"{path}/invite")
    assert session.scalars(select(Task.status)).all() == [TaskStatus.CANCELLED]
    assert "Nothing waits here" in words(page.get("/desk/tasks"))


KIND = tasks.kind("test-only", title="", path="/desk/tasks?{id}")


def ask(session: Session, hospital: Hospital, **whose: object) -> Task:
    tasks.open(
        session,
        kind=KIND,
        subject_id=hospital.child.id,
        about={"zh_CN": "某事", "en": "Something"},
        deadline=clock_now() + timedelta(hours=1),
        now=clock_now(),
        **whose,  # type: ignore[arg-type]
    )
    session.commit()
    return session.scalars(select(Task).where(Task.status == TaskStatus.OPEN)).one()


def test_a_task_is_taken_and_done_with_a_note(
    browse: Browse, admin: Practitioner, hospital: Hospital, session: Session, clock: time_machine.Traveller
) -> None:
    task = ask(session, hospital, role=Role.DOCTOR)
    assert ask(session, hospital, role=Role.DOCTOR).id == task.id  # asked twice, one task
    doctor = browse(hospital.doctor)
    assert "All open 1 Mine 0 Overdue 0" in words(doctor.get("/desk/tasks"))
    assert post(browse(admin), f"/desk/tasks/{task.id}/done", note="x").status_code == 404
    clock.shift(3600)
    sign_in(doctor, session.get_one(Account, hospital.doctor.account_id))
    assert post(doctor, f"/desk/tasks/{task.id}/take").status_code == 303
    assert "All open 1 Mine 1 Overdue 1" in words(doctor.get("/desk/tasks?show=overdue"))
    assert post(doctor, f"/desk/tasks/{task.id}/done", note=" called them ").status_code == 303
    session.refresh(task)
    assert (task.status, task.note) == (TaskStatus.DONE, "called them")
    assert post(doctor, f"/desk/tasks/{task.id}/done").status_code == 404


def test_a_role_of_a_department_is_asked_there(session: Session, hospital: Hospital) -> None:
    here = member(session, "L001", account(session, "o-l1", clock_now()), Role.TEAM_LEAD, of=hospital.medicine)
    there = member(session, "L002", account(session, "o-l2", clock_now()), Role.TEAM_LEAD, of=hospital.skin)
    task = ask(session, hospital, role=Role.TEAM_LEAD, department_id=hospital.medicine.id)
    seen = {
        who.code: [found.id for found in tasks.listed(session, member_of(session, viewer), "open", clock_now())]
        for who in (here, there)
        if (viewer := Viewer(who.account_id, "en"))  # type: ignore[arg-type]
    }
    assert seen == {"L001": [task.id], "L002": []}
    with pytest.raises(NotFound):
        tasks.take(session, member_of(session, Viewer(there.account_id, "en")), task.id)  # type: ignore[arg-type]


def test_a_kind_that_no_room_knows_is_a_fault(session: Session, hospital: Hospital) -> None:
    with pytest.raises(KeyError):
        tasks.open(
            session, kind="nobody's", subject_id=hospital.child.id, about={}, deadline=clock_now(), now=clock_now()
        )
