"""The administrator's page of what is kept: holds, wishes, protocols."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from config.ids import new_id
from config.jobs import Fact
from config.policy import Policy
from integrations.files import Folder
from notifications.handlers import handle
from notifications.models import Notification, NotificationStatus
from people.access import Viewer
from people.keeping import wishes
from people.keeping.models import ErasureWish, LegalHold
from people.models import AuditEvent, Role
from people.tasks import Task, TaskStatus
from tests.product import Hospital, account, member, sign_in
from worker import keeping


@pytest.fixture(autouse=True)
def fixed_time(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def signed_in(app: Flask, session: Session, now: datetime, role: Role) -> FlaskClient:
    person = account(session, f"o-{role}", now)
    member(session, f"M-{role}"[:20], person, role)
    session.commit()
    client = app.test_client()
    with client.session_transaction() as kept:
        kept["locale"] = "en"
    sign_in(client, person)
    return client


@pytest.fixture
def admin(app: Flask, session: Session, hospital: Hospital, now: datetime) -> FlaskClient:
    return signed_in(app, session, now, Role.ADMINISTRATOR)


def test_an_empty_page_says_so(admin: FlaskClient) -> None:
    page = admin.get("/desk/keeping").text
    for said in ("No family waits", "No child is on hold", "Nothing has been removed yet"):
        assert said in page
    assert "Nothing has been kept for too long" in admin.get("/desk/keeping?count=1").text


def test_a_hold_is_set_and_lifted(admin: FlaskClient, session: Session, hospital: Hospital) -> None:
    wrong = admin.post("/desk/keeping/holds", data={"number": "P-NO", "reason": "x"} | token(admin))
    assert wrong.status_code == 422
    assert "no child with this patient number" in wrong.text
    assert 'value="P-NO"' in wrong.text
    number = hospital.child.number
    assert admin.post("/desk/keeping/holds", data={"number": number, "reason": ""} | token(admin)).status_code == 422
    assert (
        admin.post("/desk/keeping/holds", data={"number": number, "reason": "诉讼"} | token(admin)).status_code == 303
    )
    page = admin.get("/desk/keeping").text
    assert "诉讼" in page
    assert hospital.child.name not in page
    hold = session.scalars(select(LegalHold)).one()
    for status in (303, 404):
        assert admin.post(f"/desk/keeping/holds/{hold.id}/lift", data=token(admin)).status_code == status
    events = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("hold%"))).all()
    assert sorted(events) == ["hold", "hold-lift"]


def token(client: FlaskClient) -> dict[str, str]:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk/keeping").text)
    assert found
    return {"csrf_token": found[1]}


def test_a_wish_is_answered_and_the_family_told(
    admin: FlaskClient, session: Session, hospital: Hospital, now: datetime
) -> None:
    viewer = Viewer(hospital.mother.id, "zh_CN")
    wish = wishes.wish(session, viewer, hospital.child.id, "请删除照片", now, Policy())
    session.commit()
    page = admin.get(f"/desk/wishes/{wish.id}").text
    assert "请删除照片" in page
    assert "15 years from the last visit" in page
    assert admin.post(f"/desk/wishes/{wish.id}", data={"answer": " "} | token(admin)).status_code == 422
    said = {"answer": "病历依法保存至2041年。"} | token(admin)
    assert admin.post(f"/desk/wishes/{wish.id}", data=said).status_code == 303
    assert admin.post(f"/desk/wishes/{wish.id}", data=said).status_code == 404  # never answered twice
    session.expire_all()
    assert session.get_one(ErasureWish, wish.id).answer == "病历依法保存至2041年。"
    assert session.scalars(select(Task.status)).all() == [TaskStatus.CANCELLED]
    jobs = text("select args from procrastinate_jobs where args ->> 'kind' = 'WishAnswered'")
    for (args,) in session.execute(jobs).all():
        handle(session, Fact.from_json(args["kind"], args["data"]), now)
    told = session.scalars(select(Notification)).one()
    assert (told.account_id, told.path) == (hospital.mother.id, f"/children/{hospital.child.id}/erase")


def test_protocols_are_shown_to_auditors_who_change_nothing(
    app: Flask, session: Session, hospital: Hospital, now: datetime, tmp_path: Path
) -> None:
    old = now.replace(year=now.year - 4)
    row = {"account_id": hospital.mother.id, "message": "test", "data": {}, "path": "/", "attempts": 1}
    row |= {"status": NotificationStatus.SENT, "created_at": old, "occasion": ""}
    session.execute(insert(Notification), [{**row, "id": new_id(), "source_id": new_id()} for _ in range(3)])
    session.commit()
    auditor = signed_in(app, session, now, Role.AUDITOR)
    assert "Messages in WeChat" in auditor.get("/desk/keeping?count=1").text
    keeping.purge(Folder(tmp_path), "test")
    page = auditor.get("/desk/keeping").text
    assert "proved: nothing that was due was left" in page
    assert "Hold everything" not in page
    assert auditor.post("/desk/keeping/holds").status_code in (400, 403)
