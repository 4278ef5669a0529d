"""The formulary at the desk: found, verified, changed, imported; who may and who may not."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from people.models import Practitioner, Role
from prescriptions.formulary import actions, queries
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.product import Hospital, account, member

CODE = "paracetamol-susp-24"
LIST = "/desk/formulary"


@pytest.fixture
def pharmacist(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    made = member(session, "P001", account(session, "o-pharmacist", now), Role.PHARMACIST)
    actions.load(session, now)
    session.commit()
    return made


@pytest.fixture
def browser(browse: Browse, pharmacist: Practitioner) -> FlaskClient:
    return browse(pharmacist)


def entry(session: Session, code: str = CODE) -> queries.Entry:
    session.expire_all()
    found = queries.find(session, code)
    assert found
    return found


def path_of(session: Session, code: str = CODE) -> str:
    return f"{LIST}/{entry(session, code).medication.id}"


def form_of(browser: FlaskClient, path: str) -> dict[str, str]:
    """Every field of the form as the page shows it."""
    page = browser.get(path).text
    fields = dict(re.findall(r'<input(?: type="hidden")? name="([^"]+)" value="([^"]*)"', page))
    fields |= dict(re.findall(r'<textarea name="([^"]+)"[^>]*>([^<]*)<', page))
    for name, options in re.findall(r'<select name="([^"]+)"[^>]*>(.*?)</select>', page):
        chosen = re.search(r"<option selected>([^<]*)", options)
        fields[name] = chosen[1] if chosen else ""
    return {name: value for name, value in fields.items() if name not in ("csrf_token", "next")}


def upload(browser: FlaskClient, data: bytes) -> TestResponse:
    return post(browser, f"{LIST}/files", file=(io.BytesIO(data), "formulary.csv"))


def test_the_list_is_searched_and_shows_what_waits(browser: FlaskClient, session: Session) -> None:
    assert "Paracetamol suspension" in words(browser.get(f"{LIST}?q=dyxajf"))
    assert "Ibuprofen" not in words(browser.get(f"{LIST}?q=对乙酰"))
    assert "No medicine fits." in words(browser.get(f"{LIST}?q=unicorn"))
    assert post(browser, f"{path_of(session)}/verify", n="1").status_code == 303
    assert "Paracetamol suspension" not in words(browser.get(f"{LIST}?show=waiting&q=paracetamol"))


def test_an_empty_formulary_says_so(browse: Browse, session: Session, hospital: Hospital, now: datetime) -> None:
    made = member(session, "P001", account(session, "o-pharmacist", now), Role.PHARMACIST)
    session.commit()
    assert "The formulary is empty." in words(browse(made).get(LIST))


def test_a_long_list_goes_on_from_a_place(
    browser: FlaskClient, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 3)
    first = browser.get(LIST)
    assert first.text.count('class="who"') == 3
    more = re.search(r'href="(/desk/formulary\?after=[^"]+)">More', first.text)
    assert more
    assert "Ambroxol" in words(first)
    assert "Ambroxol" not in words(browser.get(more[1]))


def test_a_pharmacist_verifies_the_version_that_was_shown(
    browser: FlaskClient, session: Session, pharmacist: Practitioner
) -> None:
    path = path_of(session)
    assert "No pharmacist has verified version 1." in words(browser.get(path))
    assert post(browser, f"{path}/verify", n="2").status_code == 409
    assert not entry(session).verified
    assert post(browser, f"{path}/verify", n="1").status_code == 303
    assert entry(session).version.verified_by_id == pharmacist.id
    assert "verified by Qian Ping" in words(browser.get(path))


def test_a_change_is_a_version_with_its_history(browser: FlaskClient, session: Session) -> None:
    path = path_of(session)
    post(browser, f"{path}/verify", n="1")
    form = form_of(browser, f"{path}/edit")
    assert form["dose.low.0"] == "10 mg"
    same = post(browser, f"{path}/edit", **form)
    assert (same.status_code, entry(session).version.n) == (303, 1)
    changed = {**form, "price_fen": "20.50", "dose.usual.0": "12 mg", "note": "new tender"}
    assert post(browser, f"{path}/edit", **changed).status_code == 303
    now = entry(session)
    assert (now.version.n, now.product.price_fen, now.verified) == (2, 2050, False)
    shown = words(browser.get(path))
    assert "Price of a package (yuan): 19.80 → 20.50" in shown
    assert "Usual: 12.5 mg → 12 mg" in shown
    assert "new tender" in shown
    late = post(browser, f"{path}/edit", **form)
    assert late.status_code == 422
    assert "changed in the meantime" in words(late)
    assert entry(session).version.n == 2


def test_a_form_with_faults_keeps_what_was_typed(browser: FlaskClient, session: Session) -> None:
    path = path_of(session)
    form = {**form_of(browser, f"{path}/edit"), "dose.low.0": "much", "package": "100 u", "name.en": ""}
    answer = post(browser, f"{path}/edit", **form)
    assert answer.status_code == 422
    shown = words(answer)
    assert "much is no amount such as 120 mg" in shown
    assert "is empty" in shown
    assert 'value="much"' in answer.text
    assert entry(session).version.n == 1


def test_a_new_medicine(browser: FlaskClient, session: Session) -> None:
    form = form_of(browser, f"{path_of(session)}/edit")
    twice = post(browser, f"{LIST}/new", **form, code=CODE)
    assert twice.status_code == 422
    assert "another medicine has this code" in words(twice)
    made = post(browser, f"{LIST}/new", **form, code="paracetamol-susp-other")
    assert made.status_code == 303
    assert words(browser.get(made.location)).count("Paracetamol suspension") >= 1
    second = {name.removesuffix(".0") + ".1": text for name, text in form.items() if name.endswith(".0")}
    more = {**form, **second, "dose.id.1": "adult", "code": "paracetamol-two-rules"}
    assert post(browser, f"{LIST}/new", **more).status_code == 303
    assert [rule.id for rule in entry(session, "paracetamol-two-rules").product.dose] == ["fever", "adult"]
    assert post(browser, f"{LIST}/new").status_code == 422


def test_out_of_use_and_in_use_again(browser: FlaskClient, session: Session) -> None:
    path = path_of(session)
    assert post(browser, f"{path}/use", n="1", active="no").status_code == 303
    assert not entry(session).medication.active
    assert "Use again" in words(browser.get(path))
    assert post(browser, f"{path}/use", n="9", active="yes").status_code == 409
    assert post(browser, f"{path}/use", n="1", active="yes").status_code == 303
    assert entry(session).medication.active


def test_export_preview_and_import(browser: FlaskClient, session: Session) -> None:
    answer = browser.get(f"{LIST}/export.xlsx")
    assert 'filename="formulary-2026-11-25.xlsx"' in answer.headers["Content-Disposition"]
    sheet = load_workbook(io.BytesIO(answer.data)).active
    assert sheet
    assert sheet.max_row > 36
    assert browser.get(f"{LIST}/export.pdf").status_code == 404
    exported = browser.get(f"{LIST}/export.csv").data
    assert "Nothing: the formulary is as the file says." in words(browser.get(upload(browser, exported).location))
    preview = upload(browser, exported.replace(b"650 mg", b"600 mg"))
    page = browser.get(preview.location)
    assert "At most a dose: 650 mg → 600 mg" in words(page)
    assert entry(session).version.n == 1
    seen = re.search(r'name="seen" value="(\w+)"', page.text)
    assert seen
    assert post(browser, preview.location, seen="another").status_code == 409
    assert entry(session).version.n == 1
    assert post(browser, preview.location, seen=seen[1]).status_code == 303
    assert entry(session).version.n == 2
    assert browser.get(preview.location).status_code == 404


@pytest.mark.parametrize("data", [b"", b"\x00\x01", "代码\nx\n".encode(), b"Code,Strength\n,\n"])
def test_a_file_with_faults(browser: FlaskClient, data: bytes) -> None:
    answer = upload(browser, data)
    assert answer.status_code == 422
    assert "Nothing was loaded" in words(answer)


def test_a_file_waits_for_its_sender_only(
    browser: FlaskClient, browse: Browse, session: Session, now: datetime
) -> None:
    where = upload(browser, browser.get(f"{LIST}/export.csv").data).location
    other = member(session, "P002", account(session, "o-other", now), Role.PHARMACIST)
    session.commit()
    assert browse(other).get(where).status_code == 404


def test_who_reads_and_who_changes(
    browse: Browse, browser: FlaskClient, session: Session, hospital: Hospital, now: datetime
) -> None:
    path = path_of(session)
    doctor = browse(hospital.doctor)
    page = doctor.get(path)
    assert page.status_code == 200
    assert "/verify" not in page.text
    assert "/edit" not in page.text
    for where in (f"{path}/verify", f"{path}/use", f"{path}/edit", f"{LIST}/new", f"{LIST}/files"):
        assert post(doctor, where, n="1").status_code == 403
    assert not entry(session).verified
    assert browse(hospital.mother).get(LIST).status_code == 403
    assert browser.get(f"{LIST}/{hospital.child.id}").status_code == 404


@pytest.mark.parametrize("where", ["", "/new", "/files", "?show=waiting"])
def test_pages_in_both_languages(browse: Browse, pharmacist: Practitioner, where: str) -> None:
    assert browse(pharmacist, locale="zh_CN").get(LIST + where).status_code == 200
    assert browse(pharmacist).get(LIST + where).status_code == 200
