"""The page of a child's file: for an active guardian alone; the copy, its addresses, the wish to erase."""

from __future__ import annotations

import io
import re
from datetime import datetime, timedelta
from zipfile import ZipFile

import pytest
import time_machine
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from config.policy import change
from config.settings import Settings
from integrations.files import connect
from people.files import FilesUnavailable
from people.keeping.models import CopyStatus, ErasureWish, FileCopy
from people.models import Account, AuditEvent, GuardianStatus, RelatedPerson
from people.tasks import Task
from tests.menus.conftest import Browser, send, words
from tests.product import PHONE, Hospital, account, guardian
from worker import copies


@pytest.fixture
def page(hospital: Hospital) -> str:
    return f"/children/{hospital.child.id}/file"


def made(session: Session, settings: Settings) -> FileCopy:
    """The copy that was asked for, prepared as the worker does it."""
    copy = session.scalars(select(FileCopy).order_by(FileCopy.id.desc())).first()
    assert copy
    copies.prepare(connect(settings), copy.id, last=False)
    session.expire_all()
    return session.get_one(FileCopy, copy.id)


def addresses(page: str, copy: FileCopy) -> list[str]:
    return [page, f"{page}/{copy.id}.zip", f"{page}/{copy.id}/address", page.replace("/file", "/erase")]


def test_from_nothing_to_the_copy(
    session: Session, mother: FlaskClient, page: str, settings: Settings, now: datetime
) -> None:
    assert "Prepare a copy" in words(mother.get(page))
    for _ in range(2):  # a second tap changes nothing
        assert send(mother, page.replace("/file", ""), page).status_code == 303
    assert session.scalar(select(func.count()).select_from(FileCopy)) == 1
    waiting = mother.get(page)
    assert "being prepared" in words(waiting)
    assert 'http-equiv="refresh"' in waiting.text
    copy = made(session, settings)
    ready = mother.get(page)
    assert "Your copy is ready" in words(ready)
    assert "refresh" not in ready.text
    got = mother.get(f"{page}/{copy.id}.zip")
    assert (got.status_code, got.content_type) == (200, "application/zip")
    assert got.headers["Cache-Control"] == "private, no-store"
    assert "index.html" in ZipFile(io.BytesIO(got.data)).namelist()
    assert "Fetched so far: 1" in words(mother.get(page))
    actions = session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("file-%"))).all()
    assert sorted(actions) == ["file-ask", "file-download"]


def test_the_phones_own_browser_gets_it_by_an_address_for_ten_minutes(
    session: Session, mother: FlaskClient, browser: Browser, page: str, settings: Settings, now: datetime
) -> None:
    send(mother, page, page)
    copy = made(session, settings)
    with time_machine.travel(now, tick=False):
        there = mother.get(f"{page}/{copy.id}/address").location
        inside = browser(None, "en").get(there, headers={"User-Agent": PHONE})
        assert "Open in browser" in words(inside)
        outside = browser(None, "en")
        shown = outside.get(there, headers={"User-Agent": "Safari"})
        link = re.search(r'href="(/file/[^"]+\.zip)"', shown.text)
        assert link
        assert outside.get(link[1]).status_code == 200
    with time_machine.travel(now + timedelta(minutes=11), tick=False):
        assert outside.get(link[1]).status_code == 404
        assert outside.get(there).status_code == 404


def test_an_address_that_was_guessed_or_changed_opens_nothing(
    session: Session, mother: FlaskClient, browser: Browser, hospital: Hospital, page: str, settings: Settings
) -> None:
    send(mother, page, page)
    copy = made(session, settings)
    token = mother.get(f"{page}/{copy.id}/address").location.removeprefix("/file/")
    forged = URLSafeTimedSerializer("another-key", salt="file").dumps([copy.id.hex, hospital.mother.id.hex])
    other = browser(None, "en")
    for wrong in (forged, token[:-1], token[::-1], copy.id.hex, str(copy.id)):
        assert other.get(f"/file/{wrong}").status_code == 404
        assert other.get(f"/file/{wrong}.zip").status_code == 404
    assert session.get_one(FileCopy, copy.id, populate_existing=True).downloads == 0


def test_nobody_else_gets_it(
    session: Session,
    mother: FlaskClient,
    browser: Browser,
    hospital: Hospital,
    page: str,
    settings: Settings,
    now: datetime,
) -> None:
    """A stranger, the parent of another child, another guardian of the same child, the doctor, nobody signed in."""
    father = account(session, "o-father", now)
    guardian(session, father, hospital.child, now)
    session.commit()
    send(mother, page, page)
    copy = made(session, settings)
    doctor = browser(session.get_one(Account, hospital.doctor.account_id), "en")
    for other in (browser(hospital.stranger, "en"), doctor):
        for address in addresses(page, copy):
            assert other.get(address).status_code == 404
        assert send(other, "/consents", page).status_code == 404
        assert send(other, "/consents", page.replace("/file", "/erase"), text="x").status_code == 404
    his = browser(father, "en")
    assert "Prepare a copy" in words(his.get(page))
    assert his.get(f"{page}/{copy.id}.zip").status_code == 404
    assert his.get(f"{page}/{copy.id}/address").status_code == 404
    assert browser().get(f"{page}/{copy.id}.zip").status_code == 302
    assert session.get_one(FileCopy, copy.id, populate_existing=True).downloads == 0


@pytest.mark.parametrize("status", [GuardianStatus.FROZEN, GuardianStatus.ENDED])
def test_a_guardian_whose_right_is_gone_gets_nothing_any_more(
    session: Session, mother: FlaskClient, browser: Browser, hospital: Hospital, page: str, settings: Settings,
    status: GuardianStatus,
) -> None:  # fmt: skip
    """Not even by an address that was made before."""
    send(mother, page, page)
    copy = made(session, settings)
    there = mother.get(f"{page}/{copy.id}/address").location
    session.execute(update(RelatedPerson).where(RelatedPerson.account_id == hospital.mother.id).values(status=status))
    session.commit()
    assert [mother.get(address).status_code for address in addresses(page, copy)] == [404] * 4
    assert browser(None, "en").get(f"{there}.zip").status_code == 404


def test_a_copy_that_is_over_or_failed_can_be_asked_for_again(
    session: Session, mother: FlaskClient, page: str, settings: Settings, now: datetime
) -> None:
    send(mother, page, page)
    copy = made(session, settings)
    session.execute(update(FileCopy).values(expires_at=now - timedelta(seconds=1)))
    session.commit()
    assert "deleted here" in words(mother.get(page))
    assert mother.get(f"{page}/{copy.id}.zip").status_code == 404
    session.execute(update(FileCopy).values(status=CopyStatus.FAILED))
    session.commit()
    failed = mother.get(page)
    assert "could not be prepared" in words(failed)
    assert send(mother, page, page).status_code == 303
    assert "being prepared" in words(mother.get(page))


def test_copies_are_limited_by_the_day(
    session: Session, mother: FlaskClient, page: str, settings: Settings, now: datetime
) -> None:
    change(session, "file_copies_per_day", 1, author="test", valid_from=now)
    session.commit()
    send(mother, page, page)
    made(session, settings)
    refused = send(mother, page, page)
    assert refused.status_code == 429
    assert "tomorrow" in words(refused)
    session.execute(update(FileCopy).values(asked_at=now - timedelta(days=1, minutes=1)))
    session.commit()
    assert send(mother, page, page).status_code == 303


def test_a_store_that_is_away_is_said(
    session: Session, mother: FlaskClient, page: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(mother, page, page)
    copy = made(session, settings)

    def away(*_: object) -> bytes:
        raise FilesUnavailable

    monkeypatch.setattr("integrations.files.Sealed.get", away)
    assert mother.get(f"{page}/{copy.id}.zip").status_code == 503


def test_a_wish_is_recorded_as_typed_and_becomes_a_task(
    session: Session, mother: FlaskClient, browser: Browser, hospital: Hospital, page: str
) -> None:
    erase = page.replace("/file", "/erase")
    shown = words(mother.get(erase))
    assert "15 years from the last visit" in shown
    empty = send(mother, erase, erase, text="  ")
    assert empty.status_code == 422
    assert "Please write what should be deleted." in words(empty)
    assert send(mother, erase, erase, text="请删除照片").status_code == 303
    waiting = mother.get(erase)
    assert "请删除照片" in words(waiting)
    assert "We answer by" in words(waiting)
    assert "<textarea" not in waiting.text
    assert send(mother, page, erase, text="again").status_code == 409
    wish = session.scalars(select(ErasureWish)).one()
    task = session.scalars(select(Task)).one()
    assert (task.subject_id, task.role, task.about["en"], task.deadline) == (
        wish.id, "administrator", "王**", wish.deadline
    )  # fmt: skip
    assert "请删除" in words(browser(hospital.mother).get(erase))
