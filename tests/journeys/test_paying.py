"""Book and pay in a real Chromium, with the money back after cancelling; and money that comes too late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.journeys.database import end_the_hold
from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.processes]
BOOKED, CANCELLED, REFUNDED, LATE = "预约挂号成功通知", "预约取消通知", "退款到账通知", "支付超时退款通知"


def test_book_and_pay(phone: Callable[[str], Phone], service: Service) -> None:
    mother = phone("zhou-hui")
    mother.follow()
    bind(mother)
    hold_a_number(mother)
    mother.press("微信支付")
    mother.cashier("pay-cancel")
    expect(mother.page.get_by_role("alert")).to_contain_text("尚未支付", timeout=PATIENCE)
    mother.picture("not-paid-yet")
    mother.press("微信支付")
    expect(mother.shell.get_by_test_id("pay-amount")).to_contain_text("50.00")
    mother.picture("cashier")
    mother.cashier("pay-confirm", "pay-done")
    mother.heading("已预约")
    mother.picture("booked")
    mother.go("取消预约")
    mother.heading("要取消这次预约吗？")
    expect(mother.page.locator("main")).to_contain_text("50元")
    mother.picture("ask-cancel")
    mother.page.locator("form button").first.click()
    mother.heading("已取消")
    mother.picture("cancelled")
    mother.tap("close")
    mother.card(BOOKED, "周**")
    mother.card(CANCELLED, "周**")
    mother.card(REFUNDED, "50.00")
    mother.picture("refunded-card")
    mother.shell.get_by_test_id("card").filter(has_text=CANCELLED).last.click()
    expect(mother.page.locator("main")).to_contain_text("已原路退回", timeout=PATIENCE)
    mother.picture("paid-back")


@dataclass(frozen=True)
class Family:
    """A child of the demo: its picture to scan, and what proves whose it is."""

    picture: str
    child: str
    born: str
    tail: str
    guardian: str
    relation: str


ZHOU = Family("zhou-yichen", "周亦辰", "2013-04-30", "5772", "周慧", "mother")
ZHANG = Family("zhang-yan", "张䶮", "2019-02-20", "3141", "张伟", "father")
CHEN = Family("chen-yinuo", "陈一诺", "2026-03-08", "2718", "李娜", "mother")


def bind(parent: Phone, family: Family = ZHOU) -> None:
    """Bind the child by the menu's scanner."""
    parent.menu(1)
    parent.scan(family.picture)
    parent.says("已读到二维码").locator("a").first.click()
    parent.heading("请阅读并作出选择")
    parent.agree()
    parent.press("提交")
    parent.prove(family.child, family.born, family.tail, family.guardian, family.relation)
    parent.press("添加这个孩子")
    parent.heading(family.child)
    parent.tap("close")


def hold_a_number(mother: Phone) -> None:
    """Choose a doctor whose numbers have a fee, and hold one."""
    mother.menu(0, 0)
    mother.go("呼吸")
    mother.page.locator(".days tbody tr").nth(1).locator("a").first.click()
    mother.page.locator("a.doctor").first.click()
    mother.heading("确认挂号")
    mother.picture("confirm")
    mother.press("锁定号源并支付")
    mother.press("以上都没有（全部答“否”）")
    mother.heading("确认挂号")
    mother.press("锁定号源并支付")
    expect(mother.page.locator("#left")).to_be_visible(timeout=PATIENCE)
    mother.picture("held")


def test_money_that_comes_after_the_release_goes_back(phone: Callable[[str], Phone], service: Service) -> None:
    """The time for paying ends while the cashier is open. WeChat Pay does not find the order then, so it stays open
    there, and the father pays for a number that is gone."""
    father = phone("zhang-wei")
    father.follow()
    bind(father, ZHANG)
    hold_a_number(father)
    father.press("微信支付")
    expect(father.shell.get_by_test_id("pay-amount")).to_contain_text("50.00", timeout=PATIENCE)
    lost = {"on": "pay", "what": "error", "value": "ORDER_NOT_EXIST", "match": "/v3/pay/transactions", "times": -1}
    service.api("POST", "/settings", faults=[lost])
    visit = father.page.locator("#pay").get_attribute("data-then")
    assert visit
    end_the_hold(service, visit.removeprefix("/visits/"))
    assert "未在时限内支付" in str(cards(service, "zhang-wei", CANCELLED)[CANCELLED])
    service.api("POST", "/settings", faults=[])
    father.cashier("pay-confirm", "pay-done")
    father.heading("已取消")
    main = father.page.locator("main")
    expect(main).to_contain_text("未在时限内支付", timeout=PATIENCE)
    assert "超时支付" in str(cards(service, "zhang-wei", LATE, REFUNDED)[REFUNDED])
    father.picture("gone")
    father.tap("close")
    father.card(LATE, "50.00")
    father.picture("too-late")
    father.shell.get_by_test_id("card").filter(has_text=LATE).last.click()
    expect(main).to_contain_text("50元已原路退回", timeout=PATIENCE)
    father.picture("paid-back")


def cards(service: Service, person: str, *titles: str) -> dict[str, dict[str, Any]]:
    """A person's cards by title, once all of these have come."""
    found: dict[str, dict[str, Any]] = {}
    after = 0
    while not set(titles) <= set(found):
        new = service.api("GET", f"/phones/{person}/messages", after=after, wait=60)["messages"]
        assert new, f"{titles}: only {set(found)} came"
        after = new[-1]["n"]
        found |= {message["title"]: message for message in new if message["type"] == "template"}
    return found
