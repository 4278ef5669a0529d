"""The stock at the desk: looked at, received, corrected, imported, recalled; and what a pharmacist decides."""

from __future__ import annotations

import io
import re
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from config.policy import Policy
from people.models import Practitioner, Role
from prescriptions.formulary import actions as formulary
from prescriptions.orders import deciding
from prescriptions.orders.models import Answer, MedicineOrder
from prescriptions.stock.models import Lot, RecalledChild, StockMove
from prescriptions.stock.queries import lots_of
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER
from tests.prescriptions.pharmacy import given, medication, pay, place, received, viewer
from tests.product import Hospital, account, member

GOOD = {"number": "20261101", "expires_on": "2028-05-31", "quantity": "20", "note": "SF1"}


@pytest.fixture
def keeper(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    made = member(session, "P001", account(session, "o-pharmacist", now), Role.PHARMACIST)
    formulary.load(session, now)
    session.commit()
    return made


@pytest.fixture
def browser(browse: Browse, keeper: Practitioner) -> FlaskClient:
    return browse(keeper)


@pytest.fixture
def path(session: Session, keeper: Practitioner) -> str:
    return f"/desk/stock/{medication(session)}"


def lots(session: Session) -> list[tuple[str, int, int]]:
    session.expire_all()
    return [(one.number, one.on_hand, one.reserved) for one in lots_of(session, medication(session))]


def test_received_and_shown(browser: FlaskClient, session: Session, path: str) -> None:
    assert post(browser, f"{path}/receive", path, **GOOD).location == path
    post(browser, f"{path}/receive", path, **(GOOD | {"quantity": "5"}))
    assert lots(session) == [("20261101", 25, 0)]
    post(browser, f"{path}/minimum", path, minimum="30")
    shown = words(browser.get(path))
    for part in ("Fewer are free than the minimum", "good until 2028-05-31", "Taken in +20", "Qian Ping · SF1"):
        assert part in shown
    listed = words(browser.get("/desk/stock"))
    assert listed.index("Paracetamol") < listed.index("Ambroxol"), "what is low stands first"
    assert "25 / 30" in listed


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("number", "", "Please enter the lot as on the package"),
        ("number", "x" * 41, "Please enter the lot as on the package"),
        ("expires_on", "soon", "Please enter the last day on which it is good"),
        ("expires_on", "2026-11-25", "This lot has expired."),
        ("quantity", "-1", "Please enter a whole number of packages."),
        ("quantity", "1e3", "Please enter a whole number of packages."),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    browser: FlaskClient, session: Session, path: str, field: str, typed: str, said: str
) -> None:
    answer = post(browser, f"{path}/receive", path, **(GOOD | {field: typed}))
    assert answer.status_code == 422
    assert re.search(rf'id="receive-{field}">{re.escape(said)}', answer.text)
    for other in set(GOOD) - {field}:
        assert f'value="{GOOD[other]}"' in answer.text, "what was typed stays"
    assert lots(session) == []


def test_corrected_with_a_reason(browser: FlaskClient, session: Session, path: str, now: datetime) -> None:
    lot = received(session, now, 10)
    session.commit()
    there = f"/desk/stock/lots/{lot.id}/correct"
    for sent, said in (
        ({"what": "", "quantity": "1", "note": "found"}, "Please choose what happened."),
        ({"what": "more", "quantity": "", "note": "found"}, "Please enter a whole number"),
        ({"what": "fewer", "quantity": "1", "note": ""}, "Please say in a few words why."),
        ({"what": "discard", "quantity": "11", "note": "wet"}, "Only 10 packages of this lot are free"),
    ):
        answer = post(browser, there, path, **sent)
        assert (answer.status_code, said in words(answer)) == (422, True), said
    for what, quantity in (("more", "2"), ("fewer", "1"), ("discard", "3")):
        assert post(browser, there, path, what=what, quantity=quantity, note="counted").location == path
    assert lots(session) == [("A1", 8, 0)]


def test_a_form_sent_twice_moves_once(browser: FlaskClient, session: Session, path: str) -> None:
    """Twenty packages are not forty; the page shown anew may move as much again."""

    def keys() -> list[str]:
        return re.findall(r'name="key" value="([0-9a-f-]{36})"', browser.get(path).text)

    (key,) = keys()
    for _ in range(2):
        assert post(browser, f"{path}/receive", path, key=key, **GOOD).location == path
    assert lots(session) == [("20261101", 20, 0)]
    (lot,) = lots_of(session, medication(session))
    there = f"/desk/stock/lots/{lot.id}/correct"
    correcting, receiving = keys()
    assert len({key, correcting, receiving}) == 3
    for what in ("fewer", "fewer", "discard"):  # the last one: back to the same form, and something else is typed
        sent = post(browser, there, path, key=correcting, what=what, quantity="3", note="counted")
        assert sent.location == path
    assert lots(session) == [("20261101", 14, 0)]
    post(browser, f"{path}/receive", path, key=key, **(GOOD | {"quantity": "4"}))
    assert lots(session) == [("20261101", 18, 0)]
    post(browser, f"{path}/receive", path, key=receiving, **GOOD)
    post(browser, f"{path}/receive", path, key="7", **GOOD)
    assert lots(session) == [("20261101", 58, 0)]


def upload(browser: FlaskClient, text: str) -> TestResponse:
    return post(browser, "/desk/stock/files", "/desk/stock/files", file=(io.BytesIO(text.encode()), "stock.csv"))


def test_a_file_is_received_once_and_after_a_yes(browser: FlaskClient, session: Session, keeper: Practitioner) -> None:
    rows = f"Code,Lot,Expiry,Packages\n{FEVER},L1,2028/5/31,20\nibuprofen-susp-20,L2,20280531,30\n"
    kept = upload(browser, rows).location
    assert kept
    assert "2 lots, 50 packages" in words(browser.get(kept))
    assert session.scalar(select(func.count()).select_from(Lot)) == 0, "only a preview"
    seen = re.search(r'name="seen" value="(\w+)"', browser.get(kept).text)
    assert seen
    assert post(browser, kept, kept, seen="other").status_code == 409
    assert post(browser, kept, kept, seen=seen[1]).location == "/desk/stock"
    assert post(browser, kept, "/desk/stock/files", seen=seen[1]).status_code == 404, "a second tap receives nothing"
    assert session.scalar(select(func.sum(StockMove.quantity))) == 50


def test_every_fault_of_a_file_is_named_and_nothing_is_received(
    browser: FlaskClient, session: Session, keeper: Practitioner
) -> None:
    rows = ("nothing,L1,2028-05-31,1", f"{FEVER},,2020-01-01,0", f"{FEVER},L2,2020-01-01,5")
    text = "\n".join(["代码,批号,有效期至,数量（盒）", *rows, *[f"{FEVER},L3,2028-05-31,5"] * 2])
    answer = upload(browser, text)
    assert answer.status_code == 422
    said = words(answer)
    for part in (
        "Row 2, Code: nothing has the code nothing",
        "Row 3, Lot: must have 1 to 40 characters",
        "Row 3, Packages: must be a whole number from 1 on",
        "Row 4, Expiry: This lot has expired.",
        "Row 6, Lot: stands in the file twice",
    ):
        assert part in said
    assert "The heading lacks this column." in words(upload(browser, "Code,Lot\nx,y\n"))
    assert "The file has no row with a lot." in words(upload(browser, "Code,Lot,Expiry,Packages\n"))
    assert lots(session) == []


@pytest.fixture
def order(session: Session, hospital: Hospital, keeper: Practitioner, now: datetime) -> MedicineOrder:
    """A paid order."""
    made = signed(session, hospital, now)
    received(session, now, 10)
    found = pay(session, place(session, hospital.mother, made, now), now)
    session.commit()
    return found


def test_a_recall_shows_whom_it_touches_and_then_who_was_reached(
    browser: FlaskClient, session: Session, order: MedicineOrder, now: datetime
) -> None:
    given(session, order, now)
    session.commit()
    lot = lots_of(session, medication(session))[0]
    path = f"/desk/stock/lots/{lot.id}/recall"
    assert "Children who got it 1" in words(browser.get(path))
    assert "Please say in a few words why." in words(post(browser, path, path, reason=" "))
    for _ in range(2):
        assert post(browser, path, "/desk/stock", reason="Notice 2026-11").location == path
    assert "王** not reached yet" in words(browser.get(path))
    session.expire_all()
    concerned = session.scalars(select(RecalledChild)).one()
    family = f"/desk/recalls/{concerned.id}"
    assert "PQR-0001" in words(browser.get(family))
    assert "A family with a recalled lot" not in words(browser.get("/desk/tasks"))
    assert "Reach the family about the recalled lot A1" in words(browser.get("/desk/tasks"))
    assert post(browser, family, family, note="").status_code == 422
    post(browser, family, family, note="Mother, 10:05")
    assert "Qian Ping: Mother, 10:05" in words(browser.get(family))
    assert "Reach the family" not in words(browser.get("/desk/tasks"))


@pytest.mark.parametrize("field", ["answer", "amount", "text"])
def test_the_pharmacist_answers_a_family_that_wants_its_money_back(
    browser: FlaskClient, session: Session, hospital: Hospital, order: MedicineOrder, now: datetime, field: str
) -> None:
    given(session, order, now)
    deciding.ask_back(session, viewer(hospital.mother), order.id, now, Policy())
    session.commit()
    path = f"/desk/medicine-orders/{order.id}"
    good = {"answer": "part", "amount": "1.50", "text": "One package was damaged"}
    bad = {"answer": "all", "amount": "0", "text": "x"}[field]
    answer = post(browser, f"{path}/answer", path, **(good | {field: bad}))
    assert answer.status_code == 422
    assert "One package was damaged" in answer.text or field == "text"
    assert post(browser, f"{path}/answer", path, **good).location == path
    session.expire_all()
    decided = session.get_one(MedicineOrder, order.id)
    assert decided.answer is Answer.PART
    assert deciding.left_fen(session, decided) == order.total_fen - 150
    assert "A part: One package was damaged" in words(browser.get(path))


@pytest.mark.parametrize(
    ("role", "keeps"), [(Role.DISPATCHER, True), (Role.ADMINISTRATOR, False), (Role.AUDITOR, False)]
)
def test_who_keeps_and_who_only_looks(
    browse: Browse, session: Session, path: str, now: datetime, role: Role, keeps: bool
) -> None:
    other = member(session, "X001", account(session, "o-other", now), role)
    session.commit()
    browser = browse(other)
    shown = browser.get(path)
    assert shown.status_code == 200
    assert (f'action="{path}/receive"' in shown.text) == keeps
    assert post(browser, f"{path}/receive", path, **GOOD).status_code == (303 if keeps else 403)
    assert browser.get("/desk/recalls/00000000-0000-0000-0000-000000000000").status_code == 403
