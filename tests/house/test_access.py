"""Who may open what: the table in docs/access.md is the guards' own, and every route is walked as everybody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import unescape
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete
from sqlalchemy.orm import Session
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from commands.staff import WHO, allowed, table
from config.settings import ROOT
from people.models import Account, PractitionerRole, Role
from people.refusals import NotStaff, RoleMissing
from people.sessions import SignInKind
from tests.product import PHONE, Hospital, account, member, sign_in

VALUES = {"code": "internal-medicine", "day": "2026-11-26", "period": "morning", "digest": "0", "name": "desk.css"}
VALUES |= {"sheet": "1", "number": "D001", "weekday": "0", "year": "2027", "what": "templates", "form": "csv"}
VALUES |= {"token": "none", "n": "0"}


@pytest.fixture(autouse=True)
def fixed_time(now: datetime) -> Iterator[None]:
    with time_machine.travel(now, tick=False):
        yield


def test_the_table_is_the_guards_own(app: Flask) -> None:
    """When this fails: put what ``flask staff access`` prints in the place of the table."""
    page = (ROOT / "docs/access.md").read_text()
    assert page[page.index("| | anyone") :].strip().splitlines() == list(table(app))


@pytest.mark.parametrize("who", ["stranger", *WHO[1:]])
def test_every_route_as_everybody(app: Flask, session: Session, hospital: Hospital, now: datetime, who: str) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    person = None if who == "stranger" else account(session, f"o-as-{who}", now)
    if who in set(Role):
        member(session, "M001", person, Role(who), of=hospital.medicine)
    session.commit()
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) & {"GET", "POST"}:
            browser = app.test_client()
            if person:
                sign_in(browser, person)
            answer = visit(app, browser, rule, method)
            where = f"{method} {rule.rule} as {who}: {answer.status}"
            assert refusal_of(answer) == expected(app, rule, method, who), where
            assert answer.status_code < 500 or answer.status_code == 503, where


def visit(app: Flask, browser: FlaskClient, rule: Rule, method: str) -> TestResponse:
    values = {name: VALUES.get(name, uuid4()) for name in rule.arguments}
    if "verb" in values:
        values["verb"] = next(verb for verb in ("freeze", "let-in", "anew") if verb in rule.rule)
    with app.test_request_context():
        path = app.url_map.bind("localhost").build(rule.endpoint, values, method=method)
    return browser.open(path, method=method, headers={"User-Agent": PHONE.replace("zh_CN", "en")})


def refusal_of(answer: TestResponse) -> str:
    """Why the guard did not let somebody in; empty when it did. The computer's page sends phones to WeChat itself."""
    to_wechat = answer.status_code == 302 and answer.location.startswith("/oauth/start")
    if answer.status_code == 401 or (to_wechat and answer.request.path != "/desk/sign-in"):
        return "sign in"
    refusals = {NotStaff.message: "no staff", RoleMissing.message: "no such role"}
    page = unescape(answer.text) if answer.status_code == 403 else ""
    return next((name for message, name in refusals.items() if message in page), "")


def expected(app: Flask, rule: Rule, method: str, who: str) -> str:
    may = allowed(app, rule.endpoint)
    if who in may or "anyone" in may:
        return ""
    if who == "stranger":
        return "sign in"
    return "no staff" if who == "parent" else "no such role"


def test_access_taken_away_is_gone_with_the_next_request(
    app: Flask, session: Session, hospital: Hospital, now: datetime
) -> None:
    person = account(session, "o-admin", now)
    admin = member(session, "M001", person, Role.ADMINISTRATOR, Role.AUDITOR)
    session.commit()
    browser = app.test_client()
    sign_in(browser, person)
    assert browser.get("/desk/staff/new").status_code == 200
    of_admin = PractitionerRole.practitioner_id == admin.id
    session.execute(delete(PractitionerRole).where(of_admin, PractitionerRole.role == Role.ADMINISTRATOR))
    session.commit()
    assert browser.get("/desk/staff/new").status_code == 403
    assert browser.get("/desk/staff").status_code == 200
    admin.active = False
    session.commit()
    assert browser.get("/desk/staff").status_code == 403


def test_a_computer_opens_the_staffs_pages_only(app: Flask, session: Session, hospital: Hospital) -> None:
    person = session.get_one(Account, hospital.doctor.account_id)
    browser = app.test_client()
    sign_in(browser, person, kind=SignInKind.COMPUTER)
    assert browser.get("/desk").status_code == 200
    assert browser.get("/children").location == "/oauth/start?next=/children"
