"""A family orders medicines in a real Chromium, gives the order up and gets its money back, orders again, and picks
them up at the hospital's window by number and code."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from booking.models import Appointment
from booking.queries import visit as whole
from config.clock import today
from consultation.encounters.rooms import encounter_of
from prescriptions.stock import actions as stock
from prescriptions.writing.models import Prescription
from prescriptions.writing.queries import medicines
from tests.journeys.medicines import vouched
from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.prescribed import Person, check, pick, staff
from tests.journeys.rooms import database
from tests.journeys.service import Service
from tests.journeys.test_paying import ZHOU, bind, hold_a_number
from tests.prescriptions import made as made_rows

pytestmark = [pytest.mark.browser, pytest.mark.processes]
NEWS = "就诊动态通知"


def prescribed(service: Service) -> str:
    """The visit's prescription, approved, and its medicines in stock. Returns the prescription's id."""
    with vouched(service), database(service) as session:
        now = datetime.now(UTC)
        where = encounter_of(session, whole(session, session.scalars(select(Appointment.id)).one()), now)
        made: Prescription = made_rows.signed(session, None, now, encounter=where)  # type: ignore[arg-type]
        for one in medicines(session, made.id):
            expires = today(now) + timedelta(days=700)
            stock.receive(session, one.line.medication_id, "J2026", expires, 20, by=None, now=now)
        return str(made.id)


def test_order_give_it_up_and_pick_it_up(
    phone: Callable[[str], Phone],
    browser: Browser,
    service: Service,
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mother = phone("zhou-hui")
    mother.follow()
    bind(mother, ZHOU)
    hold_a_number(mother)
    prescription = prescribed(service)
    mother.page.locator("body").evaluate(f"() => location.assign('/prescriptions/{prescription}/order')")
    order_for_the_window(mother)
    give_up(mother)
    mother.go("查看处方")
    mother.go("去下单")
    order_for_the_window(mother)
    with staff(browser, service, pictures, "pharmacist-01", "pharmacist-02") as (picker, checker):
        pick(picker)
        check(checker)
        number, code = ready(mother)
        hand_over(checker, number, code)
    at_home(mother)


def order_for_the_window(mother: Phone) -> None:
    """Picking up is the quickest way and proposed first; paid at WeChat's cashier."""
    mother.heading("购买处方药品")
    main = mother.page.locator("main")
    expect(main).to_contain_text("到院自取最快")
    expect(mother.page.locator("[value=pickup]")).to_be_checked()
    mother.picture("offer")
    mother.press("提交订单并支付")
    expect(mother.page.locator("#left")).to_be_visible(timeout=PATIENCE)
    mother.picture("pay")
    mother.press("微信支付")
    mother.cashier("pay-confirm", "pay-done")
    mother.heading("药房处理中")
    mother.picture("paid")


def give_up(mother: Phone) -> None:
    """Before the pharmacy has begun all of the money goes back."""
    mother.go("取消订单")
    mother.picture("ask-cancel")
    mother.press("确定取消")
    mother.heading("订单已取消")
    expect(mother.page.locator("main")).to_contain_text("原路退")
    mother.picture("cancelled")


def ready(mother: Phone) -> tuple[str, str]:
    """The card says that it can be fetched; its page shows what is said at the window: number and code."""
    mother.tap("close")
    mother.card(NEWS, "药品订单已支付")
    mother.card(NEWS, "药已备好，请来取").click()
    mother.heading("可以取药")
    mother.picture("ready")
    return mother.text_of(".result__order").removeprefix("订单").strip(), mother.text_of(".result__number strong")


def hand_over(pharmacist: Person, number: str, code: str) -> None:
    """A wrong code opens nothing; the right one does."""
    page = pharmacist.open("/desk/pickup")
    expect(page.locator(".rows")).to_contain_text(number)
    for typed in (f"{(int(code) + 1) % 10**6:06}", code):
        page.locator("[name=number]").fill(number)
        page.locator("[name=code]").fill(typed)
        pharmacist.press("发给家长")
        expect(page.locator(".good" if typed == code else "#problem")).to_be_visible()
        pharmacist.picture("handed-over" if typed == code else "wrong-code")
    expect(page.locator(".good")).to_contain_text(number)
    expect(page.locator(".empty")).to_be_visible()


def at_home(mother: Phone) -> None:
    """The card leads to how to give it; the order's page says that it was fetched."""
    mother.tap("close")
    mother.card(NEWS, "怎么给孩子用：点这里").click()
    mother.heading("怎么给孩子用药")
    mother.picture("label")
    mother.go("返回订单")
    mother.heading("药品已取走")
    expect(mother.page.locator(".steps__open")).to_have_count(0)
    mother.picture("fetched")
