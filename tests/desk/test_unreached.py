"""The page of a family to be called: for whose task it is, while it is open, with no full name."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.errors import NotFound
from notifications import unreached
from notifications.handlers import handle
from notifications.models import Notification
from notifications.sending import give_up
from people import tasks
from people.access import Viewer, member_of
from people.events import GuardianBound
from people.models import Account, AuditEvent, Practitioner
from people.tasks import Task, TaskStatus
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, guardian


@pytest.fixture
def task(session: Session, hospital: Hospital, now: datetime) -> Task:
    """Two guardians could not be told of a third, and there is no phone."""
    guardian(session, account(session, "o-father", now), hospital.child, now)
    bound = guardian(session, hospital.stranger, hospital.child, now)
    handle(session, GuardianBound(patient_id=hospital.child.id, related_person_id=bound.id), now)
    for row in session.scalars(select(Notification)).all():
        give_up(row, "blocked", now)
        unreached.family_missed(session, row, now)
    session.commit()
    return session.scalars(select(Task)).one()


def test_the_administrator_sees_whom_to_call_and_says_that_it_is_done(
    browse: Browse, admin: Practitioner, task: Task, hospital: Hospital, session: Session
) -> None:
    page = browse(admin)
    assert "The family of 王** must be told" in words(page.get("/desk/tasks"))
    answer = page.get(task.path)
    shown = words(answer)
    assert "PQR-0001" in shown
    assert shown.count("A guardian was added · 王** · 王*") == 1, "one event, however many missed it"
    assert "小明" not in answer.text
    assert session.scalars(select(AuditEvent.entity_id).where(AuditEvent.action == "see-unreached-family")).one()
    assert "新增" not in shown
    assert "就诊人绑定通知" in words(browse(admin, locale="zh_CN").get(task.path))
    assert post(page, f"/desk/tasks/{task.id}/done", on=task.path, note="called").status_code == 303
    session.refresh(task)
    assert (task.status, task.note) == (TaskStatus.DONE, "called")
    assert page.get(task.path).status_code == 404


def test_nobody_elses(browse: Browse, admin: Practitioner, task: Task, hospital: Hospital, session: Session) -> None:
    assert browse(hospital.doctor).get(task.path).status_code == 403
    assert browse(session.get_one(Account, hospital.stranger.id)).get(task.path).status_code == 403
    assert browse(admin).get(f"/desk/families/{hospital.other_child.id}").status_code == 404
    doctor = member_of(session, Viewer(hospital.doctor.account_id, "en"))  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        tasks.about_child(session, doctor, unreached.FAMILY, hospital.child.id)
