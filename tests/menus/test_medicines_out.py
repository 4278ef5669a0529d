"""The family's pages of medicines on their way and at home, and the courier's push."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

import app as front
import config.database
from config.settings import Settings
from integrations.couriers import digest
from people.tasks import Task
from prescriptions.delivery import actions
from prescriptions.delivery.couriers import Mark, Step, Told
from prescriptions.delivery.models import Delivery, DeliveryStatus, DeliveryStep
from prescriptions.orders.models import MedicineOrder
from tests.integrations.couriers import GIVEN
from tests.menus.conftest import Browser, send, words
from tests.prescriptions.made import SIGNER
from tests.prescriptions.orders import FEVER
from tests.prescriptions.parcels import checked, paid, parcel
from tests.product import Hospital, make_settings


@pytest.fixture
def order(session: Session, hospital: Hospital, now: datetime) -> MedicineOrder:
    found = paid(session, hospital, now, FEVER, "montmorillonite-3g")
    checked(session, found, SIGNER, now)
    session.commit()
    return found


@pytest.fixture
def sent(session: Session, order: MedicineOrder, now: datetime) -> Delivery:
    made = parcel(session, order, now)
    session.commit()
    return made


def test_the_labels_say_how_to_give_it(mother: FlaskClient, order: MedicineOrder) -> None:
    page = mother.get(f"/medicine-orders/{order.id}/labels")
    said = words(page)
    assert "王小明" in said
    assert "each time (" in said
    assert "Only when needed, at most" in said
    assert "Take montmorillonite 2 hours apart from other medicines" in said
    assert "Lot PARACE-0, use before" in said
    assert page.text.count('<svg class="dose"') == 1
    assert 'role="img" aria-label="' in page.text


def test_no_labels_before_it_was_checked(
    mother: FlaskClient, session: Session, hospital: Hospital, now: datetime
) -> None:
    found = paid(session, hospital, now)
    session.commit()
    assert mother.get(f"/medicine-orders/{found.id}/labels").status_code == 404
    assert mother.get(f"/medicine-orders/{found.id}/delivery").status_code == 404


def test_the_trace_and_the_code(mother: FlaskClient, session: Session, sent: Delivery, now: datetime) -> None:
    path = f"/medicine-orders/{sent.order_id}/delivery"
    assert sent.code in words(mother.get(path))
    steps = (Step(Mark.COLLECTED, now), Step(Mark.OUT, now, "北京市", "派件人：李师傅，电话：13900001111"))
    actions.hear(session, Told(sent.id, "SF1", steps), "fengqiao", now)
    session.commit()
    page = mother.get(path)
    assert 'href="tel:13900001111"' in page.text
    assert "On its way" in words(page)
    assert "Out for delivery" in words(page)
    actions.hear(session, Told(sent.id, "SF1", (Step(Mark.DELIVERED, now),)), "fengqiao", now)
    session.commit()
    after = words(mother.get(path))
    assert "Delivered" in after
    assert sent.code not in after.replace(str(now.year), "")


def test_something_is_wrong(mother: FlaskClient, session: Session, sent: Delivery) -> None:
    path = f"/medicine-orders/{sent.order_id}"
    answer = send(mother, f"{path}/delivery", f"{path}/wrong", what="not-here")
    assert "we look into it" in words(mother.get(answer.location)).lower()
    assert session.scalars(select(Task).where(Task.subject_id == sent.id)).one()
    assert send(mother, f"{path}/delivery", f"{path}/wrong", what="nonsense").status_code == 404


def test_a_stranger_sees_nothing(browser: Browser, hospital: Hospital, sent: Delivery) -> None:
    stranger = browser(hospital.stranger, "en")
    path = f"/medicine-orders/{sent.order_id}"
    for page in ("delivery", "labels"):
        assert stranger.get(f"{path}/{page}").status_code == 404
    assert send(stranger, "/help", f"{path}/wrong", what="damaged").status_code == 404


# The courier's push


@pytest.fixture
def carried(settings: Settings, database: Any, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with the platform's courier."""
    monkeypatch.setattr(config.database, "connect", lambda _url: database.engine)
    return front.create_app(make_settings(settings.database_url, settings.redis_url, **GIVEN))


def form(routes: object, now: datetime, **changes: str) -> dict[str, str]:
    data, stamp = json.dumps({"Body": {"WaybillRoute": routes}}), str(int(now.timestamp() * 1000))
    key = GIVEN["courier_checkword"]
    said = {"partnerID": GIVEN["courier_partner"], "serviceCode": "RoutePushService", "timestamp": stamp}
    return said | {"msgData": data, "msgDigest": digest(data, stamp, key)} | changes


def route(one: Delivery, code: str = "50", at: str = "2026-11-25 10:00:00") -> dict[str, str]:
    return {"orderid": one.id.hex, "mailno": "SF1", "opCode": code, "acceptTime": at, "acceptAddress": "北京市"}


def test_a_push_is_heard_once(carried: Flask, session: Session, sent: Delivery, now: datetime) -> None:
    courier = carried.test_client()
    told = form([route(sent), route(sent, "80", "2026-11-25 10:30:00")], now)
    for _ in range(2):
        answer = courier.post("/courier/routes", data=told)
        assert (answer.status_code, answer.json) == (200, {"return_code": "0000", "return_msg": "成功"})
    session.expire_all()
    assert sent.status is DeliveryStatus.DELIVERED
    assert len(session.scalars(select(DeliveryStep)).all()) == 2


def test_what_is_not_signed_changes_nothing(carried: Flask, session: Session, sent: Delivery, now: datetime) -> None:
    courier = carried.test_client()
    for told in (form([route(sent, "80")], now, msgDigest="x"), form([route(sent, "80")], now, timestamp="1"), {}):
        answer = courier.post("/courier/routes", data=told)
        assert (answer.status_code, answer.json and answer.json["return_code"]) == (401, "1000")
    session.expire_all()
    assert sent.status is DeliveryStatus.ORDERED


def test_without_a_courier_there_is_no_such_page(client: FlaskClient) -> None:
    assert client.post("/courier/routes").status_code == 404


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.fixed_dictionaries(
    {}, optional={name: ANYTHING for name in ("orderid", "mailno", "opCode", "acceptTime", "acceptAddress", "remark")}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(routes=ANYTHING | st.lists(ANYTHING | FIELDS, max_size=3), signed=st.booleans())
def test_garbage_is_answered(carried: Flask, sent: Delivery, now: datetime, routes: Any, signed: bool) -> None:
    """Signed garbage, too: nothing that a courier sends is a fault of ours."""
    for row in routes if isinstance(routes, list) else ():
        if isinstance(row, dict) and "orderid" in row:
            row |= {"orderid": sent.id.hex}
    told = form(routes, now, **({} if signed else {"msgDigest": "x"}))
    answer = carried.test_client().post("/courier/routes", data=told)
    assert answer.status_code in {200, 401}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(body=st.binary(max_size=200), kind=st.sampled_from(["application/json", "text/xml", "multipart/form-data", ""]))
def test_other_bodies_are_answered(carried: Flask, body: bytes, kind: str) -> None:
    answer = carried.test_client().post("/courier/routes", data=body, content_type=kind)
    assert answer.status_code in {400, 401, 413}
