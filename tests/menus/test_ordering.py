"""The pages of an order: offered, ordered, looked at, given up; and the address book, each fault by its field."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from booking.actions import book
from booking.models import Schedule
from config.policy import Policy
from people.models import Account
from prescriptions.orders import actions
from prescriptions.orders.models import Address, MedicineOrder, OrderStatus
from prescriptions.stock import recalling
from prescriptions.stock.queries import lots_of
from prescriptions.writing.models import Prescription, PrescriptionStatus
from tests.menus.conftest import Browser, schedule_of, send, words
from tests.prescriptions.made import signed
from tests.prescriptions.pharmacy import (
    TIANJIN,
    WUHAN,
    begin,
    given,
    home,
    medication,
    pay,
    pharmacist,
    prepared,
    received,
)
from tests.product import PHONE, Hospital, guardian

GOOD = {"province": "110000", "city": "110102", "street": "南礼士路56号3单元", "name": "王芳", "phone": "138 0000 1234"}


@pytest.fixture
def prescription(session: Session, hospital: Hospital, now: datetime) -> Prescription:
    made = signed(session, hospital, now)
    received(session, now, 5)
    session.commit()
    return made


@pytest.fixture
def page(prescription: Prescription) -> str:
    return f"/prescriptions/{prescription.id}/order"


def order_it(browser: FlaskClient, page: str, to: str = "pickup") -> str:
    """Order what the page shows. Returns the path of what comes next."""
    answer = send(browser, page, page, to=to, **shown(browser, page, to))
    assert answer.status_code == 303, words(answer)
    return str(answer.location)


def shown(browser: FlaskClient, page: str, to: str) -> dict[str, str]:
    """The field that says what the page showed of that way."""
    seen = re.search(rf'name="(seen-{to})" value="([\w-]+)"', browser.get(page).text)
    assert seen
    return {seen[1]: seen[2]}


def the_order(session: Session) -> MedicineOrder:
    session.expire_all()
    return session.scalars(select(MedicineOrder)).one()


def test_what_it_costs_and_when_it_comes_is_said_before_paying(
    mother: FlaskClient, session: Session, hospital: Hospital, page: str, now: datetime
) -> None:
    near = home(session, hospital.mother, now)
    home(session, hospital.mother, now, WUHAN)
    session.commit()
    shown = words(mother.get(page))
    assert "Your child should begin with this today. Picking it up is the quickest" in shown
    assert "Pick up at the hospital Ready at the latest: Today, 10:56" in shown
    assert "There at the latest: Today, 21:00 Delivery ¥12" in shown
    assert "We do not deliver there" in shown
    assert "medicines that were given out are not taken back" in shown
    assert re.search(r'value="pickup" required checked', mother.get(page).text), "what must begin today is picked up"
    location = order_it(mother, page, str(near.id))
    order = the_order(session)
    assert location == f"/medicine-orders/{order.id}/pay"
    till = words(mother.get(location))
    assert "Delivery fee ¥12" in till
    assert "北京市西城区南礼士路56号3单元201" in till
    assert mother.get(page).location == f"/medicine-orders/{order.id}"


def test_chosen_wrongly_or_changed_meanwhile_the_page_says_so(
    mother: FlaskClient, session: Session, hospital: Hospital, page: str, now: datetime
) -> None:
    far = home(session, hospital.mother, now, WUHAN)
    session.commit()
    for to, seen, status, said in (
        ("", "", 422, "Please choose how the medicines come to you."),
        ("nonsense", "", 422, "Please choose how the medicines come to you."),
        ("pickup", "other", 409, "Price or time have changed in the meantime."),
        (str(far.id), "", 422, "We do not deliver to this address."),
    ):
        answer = send(mother, page, page, to=to, **{f"seen-{to}": seen})
        assert (answer.status_code, said in words(answer)) == (status, True), words(answer)
    assert session.scalar(select(MedicineOrder.id)) is None


def test_who_reads_for_some_minutes_orders_at_the_first_tap(
    mother: FlaskClient, session: Session, page: str, now: datetime
) -> None:
    seen = shown(mother, page, "pickup")
    with time_machine.travel(now + timedelta(minutes=11), tick=False):
        answer = send(mother, page, page, to="pickup", **seen)
        assert answer.status_code == 409
        assert "Price or time have changed" in words(answer)
        assert shown(mother, page, "pickup") != seen
    with time_machine.travel(now + timedelta(minutes=10), tick=False):
        assert send(mother, page, page, to="pickup", **seen).status_code == 303
    assert the_order(session).promised_at == now + timedelta(minutes=10 + 15 + 1 + 30)


def test_not_in_stock(mother: FlaskClient, session: Session, hospital: Hospital, now: datetime) -> None:
    made = signed(session, hospital, now)
    session.commit()
    path = f"/prescriptions/{made.id}/order"
    assert "is not in stock. The pharmacy does not have all of it" in words(mother.get(path))
    answer = mother.get(path)
    assert 'name="to"' not in answer.text
    assert send(mother, path, path, to="pickup", seen="x").status_code == 409


def test_only_an_approved_prescription_of_ones_own_child(
    mother: FlaskClient, browser: Browser, session: Session, hospital: Hospital, prescription: Prescription, page: str
) -> None:
    assert browser(hospital.stranger, "en").get(page).status_code == 404
    prescription = session.get_one(Prescription, prescription.id)
    prescription.status = PrescriptionStatus.CANCELLED
    session.commit()
    assert mother.get(page).location == f"/prescriptions/{prescription.id}"
    assert send(mother, "/help", page, to="pickup", seen="x").status_code == 409


def test_a_second_tap_ends_where_the_first_did(mother: FlaskClient, session: Session, page: str) -> None:
    order_it(mother, page)
    again = send(mother, "/help", page, to="pickup", seen="x")
    assert (again.status_code, again.location) == (303, f"/medicine-orders/{the_order(session).id}")


def test_without_a_gateway_nothing_is_paid_and_the_page_says_so(
    mother: FlaskClient, session: Session, page: str
) -> None:
    pay_page = order_it(mother, page)
    answer = mother.post(
        pay_page.replace("/pay", "/checkout"),
        headers={"X-CSRFToken": re.search(r'csrf_token" value="([^"]+)', mother.get(pay_page).text)[1]},  # type: ignore[index]
    )
    assert answer.status_code == 503
    assert mother.get(pay_page.replace("/pay", "/state")).json == {"status": "pending"}


def test_the_cashier_of_an_order_and_of_a_number_in_wechat(
    mother: FlaskClient, session: Session, hospital: Hospital, page: str, now: datetime
) -> None:
    """The same button, its script and where it leads; it waits disabled for the script."""
    mother.environ_base["HTTP_USER_AGENT"] = PHONE
    till = mother.get(order_it(mother, page))
    session.execute(update(Schedule).values(fee_fen=5000))
    schedule = schedule_of(session, hospital.doctor.id, now, ahead=3)
    visit = book(session, schedule.id, hospital.sibling, hospital.mother.id, now, Policy())
    session.commit()
    for shown, then in (
        (till, f"/medicine-orders/{the_order(session).id}"),
        (mother.get(f"/visits/{visit.id}/pay"), f"/visits/{visit.id}"),
    ):
        assert shown.status_code == 200
        assert f'action="{then}/checkout"' in shown.text
        assert f'data-then="{then}"' in shown.text
        assert "disabled>Pay with WeChat</button>" in shown.text
        assert re.search(r'src="/assets/\w+/pay.js"', shown.text)


def test_where_it_stands_for_both_guardians(
    mother: FlaskClient, browser: Browser, session: Session, hospital: Hospital, page: str, now: datetime
) -> None:
    address = home(session, hospital.mother, now)
    guardian(session, hospital.stranger, hospital.child, now)
    session.commit()
    order_it(mother, page, str(address.id))
    order = the_order(session)
    path = f"/medicine-orders/{order.id}"
    father = browser(hospital.stranger, "en")
    assert "Waiting for payment" in words(mother.get(path))
    assert "Only that person can pay or cancel it." in words(father.get(path))
    assert "南礼士路" not in father.get(path).text, "the address is its owner's alone"
    assert father.get(f"{path}/pay").location == path
    assert send(father, "/help", f"{path}/cancel").status_code == 403
    pay(session, order, now)
    session.commit()
    shown = words(mother.get(path))
    for part in (
        "The pharmacy is at work",
        "Payment received Today, 10:00",
        "Prepared still to come",
        "南礼士路56号",
        "Sum",
    ):
        assert part in shown
    given(session, the_order(session), now)
    session.commit()
    assert "On its way to you" in words(mother.get(path))


def test_given_up_with_all_of_the_money_back(mother: FlaskClient, session: Session, page: str, now: datetime) -> None:
    order_it(mother, page)
    order = pay(session, the_order(session), now)
    session.commit()
    path = f"/medicine-orders/{order.id}"
    assert "all of the money comes back to you" in words(mother.get(f"{path}/cancel"))
    assert send(mother, f"{path}/cancel", f"{path}/cancel").location == path
    shown = words(mother.get(path))
    assert "You have cancelled it." in shown
    assert "on their way back to you" in shown
    assert mother.get(f"{path}/cancel").location == path
    assert the_order(session).status is OrderStatus.CANCELLED


def test_an_unpaid_one_is_given_up_at_once(mother: FlaskClient, session: Session, page: str) -> None:
    order_it(mother, page)
    path = f"/medicine-orders/{the_order(session).id}"
    assert "Nothing was paid." in words(mother.get(f"{path}/cancel"))
    send(mother, f"{path}/cancel", f"{path}/cancel")
    assert the_order(session).status is OrderStatus.CANCELLED


def test_once_the_work_has_begun_the_pharmacist_is_asked(
    mother: FlaskClient, session: Session, page: str, now: datetime
) -> None:
    order_it(mother, page)
    order = pay(session, the_order(session), now)
    begin(session, prepared(session, order, now), pharmacist(session), now)
    session.commit()
    path = f"/medicine-orders/{order.id}"
    assert "a pharmacist decides whether all, a part or nothing goes back" in words(mother.get(f"{path}/cancel"))
    send(mother, f"{path}/cancel", f"{path}/cancel")
    assert "A pharmacist decides, and WeChat tells you." in words(mother.get(path))
    assert mother.get(f"{path}/cancel").location == path


def test_a_recall_stands_above_everything(mother: FlaskClient, session: Session, page: str, now: datetime) -> None:
    order_it(mother, page)
    order = pay(session, the_order(session), now)
    given(session, order, now)
    lot = lots_of(session, medication(session))[0]
    recalling.recall(session, lot.id, "Found impure", by=pharmacist(session), now=now)
    session.commit()
    path = f"/medicine-orders/{order.id}"
    shown = mother.get(path)
    assert "A medicine of this order is recalled" in words(shown)
    assert "lot A1" in words(shown)
    told = re.search(rf'action="({path}/recalls/[^"]+)"', shown.text)
    assert told
    for _ in range(2):
        send(mother, "/help", told[1])
    assert "you have told us that you know" in words(mother.get(path))


def test_picked_up_with_a_code(mother: FlaskClient, session: Session, page: str, now: datetime) -> None:
    order_it(mother, page)
    order = pay(session, the_order(session), now)
    session.commit()
    path = f"/medicine-orders/{order.id}"
    assert order.pickup_code
    assert order.pickup_code not in words(mother.get(path)), "there is nothing to be had yet"
    given(session, order, now)
    session.commit()
    assert f"Pick-up code {order.pickup_code}" in words(mother.get(path))
    actions.completed(session, order.id, now + timedelta(hours=1))
    session.commit()
    assert "You have picked up the medicines" in words(mother.get(path))


def book_of(session: Session, who: Account) -> list[Address]:
    session.expire_all()
    return list(session.scalars(select(Address).where(Address.account_id == who.id, Address.removed_at.is_(None))))


def test_an_address_is_written_in_steps_without_a_script(
    mother: FlaskClient, session: Session, hospital: Hospital
) -> None:
    new = "/addresses/new"
    assert "西城区" in words(mother.get(new)), "the hospital's own province is chosen at first"
    step = send(mother, new, new, **(GOOD | {"province": "130000", "step": "1"}))
    assert step.status_code == 200
    assert "石家庄市" in words(step)
    assert "南礼士路56号3单元" in step.text, "what was typed stays"
    further = send(mother, new, new, **(GOOD | {"province": "130000", "city": "130100", "step": "1"}))
    assert "长安区" in words(further)
    saved = send(mother, new, new, **(GOOD | {"province": "130000", "city": "130100", "district": "130102"}))
    assert saved.location == "/addresses"
    (made,) = book_of(session, hospital.mother)
    assert (made.region, made.phone, made.default) == ("130102", "13800001234", True)
    assert "河北省石家庄市长安区南礼士路56号3单元" in words(mother.get("/addresses"))


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("city", "", "Please choose province, city and district."),
        ("city", "420102", "Please choose province, city and district."),
        ("province", "999999", "Please choose province, city and district."),
        ("street", "56", "Please enter street, house, floor and door"),
        ("name", "王", "Please enter the name of who takes the parcel."),
        ("phone", "010-59616161", "Please enter a mobile phone number of 11 digits."),
        ("phone", "1380000123", "Please enter a mobile phone number of 11 digits."),
    ],
)
def test_a_bad_address_is_refused_by_its_field(
    mother: FlaskClient, session: Session, hospital: Hospital, field: str, typed: str, said: str
) -> None:
    answer = send(mother, "/addresses/new", "/addresses/new", **(GOOD | {field: typed}))
    assert answer.status_code == 422
    assert said in words(answer)
    for name in {"street", "name", "phone"} - {field}:
        assert GOOD[name] in answer.text
    assert book_of(session, hospital.mother) == []


def test_the_address_book_is_its_owners(
    mother: FlaskClient, browser: Browser, session: Session, hospital: Hospital, now: datetime
) -> None:
    first, second = home(session, hospital.mother, now), home(session, hospital.mother, now, TIANJIN)
    session.commit()
    stranger = browser(hospital.stranger, "en")
    for path in (f"/addresses/{first.id}",):
        assert stranger.get(path).status_code == 404
        assert send(stranger, "/help", path, **GOOD).status_code == 404
        assert send(stranger, "/help", f"{path}/default").status_code == 404
        assert send(stranger, "/help", f"{path}/remove").status_code == 404
    send(mother, "/addresses", f"/addresses/{second.id}/default")
    changed = send(mother, f"/addresses/{second.id}", f"/addresses/{second.id}", **(GOOD | {"name": "李娜"}))
    assert changed.location == "/addresses"
    send(mother, "/addresses", f"/addresses/{first.id}/remove")
    (left,) = book_of(session, hospital.mother)
    assert (left.id, left.name, left.default) == (second.id, "李娜", True)
    assert mother.get(f"/addresses/{first.id}").status_code == 404
