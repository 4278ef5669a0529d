"""A family orders medicines in a real Chromium: an address in steps, what it costs and when it comes, WeChat's cashier,
the order's page; and the stock at the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from booking.models import Appointment
from booking.queries import visit as whole
from config.clock import today
from consultation.encounters.rooms import encounter_of
from dev.environment import development
from prescriptions.signing.authority import SetupAuthority, trust
from prescriptions.signing.keys import KeptKeys
from prescriptions.stock import actions as stock
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import medicines
from tests.journeys.phones import Phone
from tests.journeys.rooms import database
from tests.journeys.service import Service
from tests.journeys.test_paying import ZHOU, bind, hold_a_number
from tests.prescriptions import made as made_rows

pytestmark = [pytest.mark.browser, pytest.mark.processes]
ORDER = "就诊动态通知"


def prescribed(service: Service, monkeypatch: pytest.MonkeyPatch) -> str:
    """The visit's prescription, approved, and its medicines in stock. Returns the prescription's id."""
    authority = SetupAuthority(development(service.var, {})["BLIND_INDEX_KEY"].encode())  # the service's own
    trust(authority.roots)
    monkeypatch.setattr(made_rows, "SIGNER", KeptKeys(authority))
    with database(service) as session:
        now = datetime.now(UTC)
        where = encounter_of(session, whole(session, session.scalars(select(Appointment.id)).one()), now)
        made: Prescription = made_rows.signed(session, None, now, encounter=where)  # type: ignore[arg-type]
        for one in medicines(session, made.id):
            expires = today(now) + timedelta(days=700)
            stock.receive(session, one.line.medication_id, "J2026", expires, 20, by=None, now=now)
        return str(made.id)


def test_order_and_pay(phone: Callable[[str], Phone], service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    mother = phone("zhou-hui")
    mother.follow()
    bind(mother, ZHOU)
    hold_a_number(mother)
    prescription = prescribed(service, monkeypatch)
    mother.page.locator("body").evaluate(f"() => location.assign('/prescriptions/{prescription}/order')")
    mother.heading("购买处方药品")
    mother.picture("offer")
    main = mother.page.locator("main")
    expect(main).to_contain_text("到院自取最快")
    mother.go("新增地址")
    mother.heading("新增地址")
    mother.page.locator("#city").select_option(label="西城区")
    mother.page.locator("#street").fill("南礼士路56号3单元201")
    mother.page.locator("#name").fill("周慧")
    mother.page.locator("#phone").fill("13800005772")
    mother.picture("address")
    mother.press("保存")
    mother.heading("购买处方药品")
    mother.page.get_by_text("配送给周慧").click()
    mother.picture("to-the-door")
    mother.press("提交订单并支付")
    expect(mother.page.locator("#left")).to_be_visible()
    expect(main).to_contain_text("最晚送达")
    mother.picture("pay")
    mother.press("微信支付")
    mother.cashier("pay-confirm", "pay-done")
    mother.heading("药房处理中")
    expect(main).to_contain_text("南礼士路56号3单元201")
    mother.picture("paid")
    mother.go("取消订单")
    mother.picture("ask-cancel")
    mother.press("确定取消")
    mother.heading("订单已取消")
    expect(main).to_contain_text("原路退")
    mother.picture("cancelled")
    mother.tap("close")
    mother.card(ORDER, "周**")
