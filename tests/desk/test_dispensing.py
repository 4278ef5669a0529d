"""The pharmacy's pages over HTTP: picked by one, scanned by another, handed over at the window; parcels seen to."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from people.models import Practitioner, Role
from prescriptions.delivery.models import Delivery, DeliveryStatus
from prescriptions.dispensing import queries
from prescriptions.dispensing.models import DispenseStatus
from prescriptions.orders.models import MedicineOrder, OrderStatus
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.prescriptions.made import SIGNER
from tests.prescriptions.orders import FEVER
from tests.prescriptions.parcels import checked, in_pharmacy, paid, parcel
from tests.product import Hospital, account, member


@pytest.fixture
def people(session: Session, hospital: Hospital, now: datetime) -> list[Practitioner]:
    """Two pharmacists and a dispatcher."""
    roles = [Role.PHARMACIST, Role.PHARMACIST, Role.DISPATCHER]
    made = [member(session, f"RX{n}", account(session, f"o-rx{n}", now), role) for n, role in enumerate(roles)]
    session.commit()
    return made


@pytest.fixture
def order(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    found = paid(session, hospital, now, lots=2)
    in_pharmacy(session, found, now)
    session.commit()
    return found


def sheet_of(session: Session, order: MedicineOrder) -> str:
    work = queries.of_order(session, order.id)
    assert work
    return f"/desk/dispensing/{work.id}"


def picks(session: Session, order: MedicineOrder) -> dict[str, str]:
    return {
        f"take-{one.line.id}-{lot.id}": str(packages)
        for one in queries.sheet(session, order)
        for lot, packages in one.kept
    }


def test_from_the_queue_to_given_out(
    browse: Browse, session: Session, people: list[Practitioner], order: MedicineOrder
) -> None:
    picker, checker = browse(people[2]), browse(people[0])
    path = sheet_of(session, order)
    listed = picker.get("/desk/dispensing")
    assert path in listed.text
    assert "medicines: 1, packages: 1" in words(listed)
    assert path in picker.get("/desk/dispensing?show=pick").text
    assert path not in picker.get("/desk/dispensing?show=check").text
    assert "王小明" in picker.get(path).text
    assert post(picker, f"{path}/pick", path, **picks(session, order)).status_code == 303
    assert "picked by you" in words(picker.get("/desk/dispensing?show=check"))
    assert "to be checked" in words(checker.get("/desk/dispensing?show=check"))
    mine = picker.get(path)
    assert "somebody else must check it" in mine.text
    assert picker.get(f"{path}/labels.pdf").data.startswith(b"%PDF")
    wrong = post(checker, f"{path}/scan", path, code="ibuprofen-susp-20")
    assert wrong.status_code == 422
    assert "Wrong package: IBUPROFEN-SUSP-20" in wrong.text
    early = post(checker, f"{path}/complete", path)
    assert early.status_code == 422
    (one,) = queries.picked(session, queries.work(session, _id(path)).dispense)
    for _ in range(one.item.quantity):
        assert post(checker, f"{path}/scan", path, code=FEVER).status_code == 303
    assert post(checker, f"{path}/complete", path).status_code == 303
    assert "Given out: picked by Qian Ping" in checker.get(path).text
    assert "PARACE-0" in checker.get(path).text


def _id(path: str) -> UUID:
    return UUID(path.rsplit("/", 1)[1])


def test_a_dispatcher_picks_and_never_checks(
    browse: Browse, session: Session, people: list[Practitioner], order: MedicineOrder
) -> None:
    path = sheet_of(session, order)
    dispatcher = browse(people[2])
    post(browse(people[0]), f"{path}/pick", path, **picks(session, order))
    for verb in ("scan", "complete", "send-back", "decline"):
        assert post(dispatcher, f"{path}/{verb}", path).status_code == 403


def test_a_bad_pick_keeps_what_was_typed(
    browse: Browse, session: Session, people: list[Practitioner], order: MedicineOrder
) -> None:
    path, typed = sheet_of(session, order), picks(session, order)
    name = next(iter(typed))
    for value in ("7", "x", "", "-1", "9" * 30):
        answer = post(browse(people[0]), f"{path}/pick", path, **{name: value})
        assert answer.status_code == 422
        assert f'value="{value}"' in answer.text
    assert queries.work(session, _id(path)).dispense.status is DispenseStatus.PREPARATION


def test_sent_back_and_declined(
    browse: Browse, session: Session, people: list[Practitioner], order: MedicineOrder
) -> None:
    path, one, other = sheet_of(session, order), browse(people[0]), browse(people[1])
    post(one, f"{path}/pick", path, **picks(session, order))
    post(other, f"{path}/send-back", path, reason="Box is torn")
    assert "Sent back: Box is torn" in one.get(path).text
    assert post(one, f"{path}/decline", path, reason="because").status_code == 404
    assert post(one, f"{path}/decline", path, reason="damaged").status_code == 303
    assert "Declined: Damaged" in one.get(path).text


def test_the_window(
    browse: Browse, session: Session, hospital: Hospital, people: list[Practitioner], now: datetime
) -> None:
    order = paid(session, hospital, now, sent=False)
    checked(session, order, SIGNER, now)
    session.commit()
    desk = browse(people[2])
    assert order.number in desk.get("/desk/pickup").text
    wrong = post(desk, "/desk/pickup", "/desk/pickup", number=order.number, code="x")
    assert (wrong.status_code, f'value="{order.number}"' in wrong.text) == (422, True)
    right = post(desk, "/desk/pickup", "/desk/pickup", number=order.number, code=order.pickup_code)
    assert f"Given out: order {order.number}" in desk.get(right.location).text
    session.expire_all()
    assert order.status is OrderStatus.COMPLETED


@pytest.fixture
def sent(session: Session, hospital: Hospital, now: datetime) -> Delivery:
    order = paid(session, hospital, now)
    checked(session, order, SIGNER, now)
    found = parcel(session, order, now)
    session.commit()
    return found


def test_parcels_at_the_desk(
    browse: Browse, session: Session, people: list[Practitioner], sent: Delivery, now: datetime
) -> None:
    desk, path = browse(people[2]), f"/desk/deliveries/{sent.id}"
    assert path in desk.get("/desk/deliveries").text
    shown = desk.get(path).text
    assert "王芳" in shown
    assert sent.code not in shown
    assert post(desk, f"{path}/anew", path).status_code == 409
    wrong = "0000" if sent.code != "0000" else "1111"
    assert post(desk, f"{path}/steps", path, mark="delivered", code=wrong).status_code == 422
    assert post(desk, f"{path}/steps", path, mark="nonsense").status_code == 404
    assert post(desk, f"{path}/steps", path, mark="lost").status_code == 303
    session.expire_all()
    assert sent.status is DeliveryStatus.FAILED
    again = post(desk, f"{path}/anew", path)
    assert again.status_code == 303
    assert "Waits for the courier" in desk.get(again.location).text
    newest = session.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    assert newest
    assert again.location.endswith(str(newest.id))
    assert post(desk, f"{path}/ask", path).status_code == 303


def test_a_late_parcel_stands_first(
    browse: Browse, session: Session, people: list[Practitioner], sent: Delivery, now: datetime
) -> None:
    sent.due_at = now - timedelta(hours=1)
    session.commit()
    assert "late since" in browse(people[0]).get(f"/desk/deliveries/{sent.id}").text
    assert "· late" in browse(people[0]).get("/desk/deliveries").text


def test_other_staff_see_none_of_it(browse: Browse, hospital: Hospital, sent: Delivery) -> None:
    doctor: FlaskClient = browse(hospital.doctor)
    for path in ("/desk/dispensing", "/desk/deliveries", f"/desk/deliveries/{sent.id}", "/desk/pickup"):
        assert doctor.get(path).status_code == 403
