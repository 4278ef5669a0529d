"""A full period: two mothers wait, a father gives his number back, the first takes it with one tap and pays; when she
gives it back, the second is asked."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.database import keep_all_others
from tests.journeys.paper import Paper
from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.service import Service
from tests.journeys.test_paying import CHEN, ZHANG, ZHOU, bind

pytestmark = [pytest.mark.browser, pytest.mark.processes]
BOOKED, OFFERED = "预约挂号成功通知", "候补号源到号通知"


def test_the_first_in_line_takes_it_the_second_is_next(phone: Callable[[str], Phone], service: Service) -> None:
    father, visit, period, schedule = hold_the_last(service)
    first, second = phone("li-na"), phone("zhou-hui")
    for mother, family in ((first, CHEN), (second, ZHOU)):
        mother.follow()
        bind(mother, family)
        join(mother, period, schedule)
    expect(first.page.locator("main")).to_contain_text("您排在第一位", timeout=PATIENCE)
    expect(second.page.locator("main")).to_contain_text("前面人数 1", timeout=PATIENCE)
    first.picture("first-in-line")
    second.picture("second-in-line")
    for mother in (first, second):
        mother.tap("close")

    father.open(f"{visit}/cancel")
    father.send(f"{visit}/cancel")
    take_and_pay(first)
    assert not second.shell.get_by_test_id("card").filter(has_text=OFFERED).count(), "asked out of turn"

    first.go("取消预约")
    first.press("确定取消")
    first.heading("已取消")
    second.card(OFFERED, "周**").click()
    second.heading("已为您留号")
    second.picture("the-next-is-asked")


def hold_the_last(service: Service) -> tuple[Paper, str, str, str]:
    """A father holds a number of the last open period, and there is no other. Returns his browser, the paths of his
    visit and of the period, and the schedule's id."""
    service.api("POST", "/phones/zhang-wei/follow")
    delivery = service.api("POST", "/phones/zhang-wei/tap", entry="1", picture=ZHANG.picture)["delivery"]
    ticket = re.search(r'href="([^"]*ticket=[^"]*)"', delivery["reply"]["text"])
    assert ticket
    father = Paper(service, "zhang-wei")
    father.open(ticket[1])
    father.send("/consents", online_of_care="permit", child_of_data="permit", recording="permit")
    proof = {"name": ZHANG.child, "birth_date": ZHANG.born, "phone_tail": ZHANG.tail}
    father.send("/children/bind", **proof, guardian=ZHANG.guardian, relation=ZHANG.relation)
    father.open("/internet-diagnosis/respiratory")
    period = re.findall(r'href="(/internet-diagnosis/respiratory/\d[^"]+)"', father.html)[-1]
    father.open(period)
    schedule = father.link('/schedules/[^"]+/book')
    father.open(schedule)
    father.send("/visits")
    father.send(father.path, none="1")  # the health questions
    father.send("/visits")
    keep_all_others(service, schedule.split("/")[2])
    return father, father.path.removesuffix("/pay"), period, schedule.split("/")[2]


def join(mother: Phone, period: str, schedule: str) -> None:
    """From the menu to the full period and its waiting list."""
    mother.menu(0, 0)
    mother.go("呼吸")
    mother.page.locator(f"a[href='{period}']").first.click()
    mother.page.locator(f"a[href='/schedules/{schedule}/wait']").first.click()
    mother.heading("加入候补")
    mother.picture("full")
    mother.press("加入候补")
    mother.press("以上都没有（全部答“否”）")
    mother.heading("加入候补")
    mother.press("加入候补")
    mother.heading("候补中")


def take_and_pay(mother: Phone) -> None:
    """The card opens the offer; one tap takes it, and WeChat's cashier opens on the next page."""
    card = mother.card(OFFERED, "陈**")
    mother.picture("card")
    card.click()
    mother.heading("已为您留号")
    mother.picture("offered")
    mother.press("要这个号，支付50元")
    expect(mother.page.locator("#left")).to_be_visible(timeout=PATIENCE)
    mother.press("微信支付")
    mother.cashier("pay-confirm", "pay-done")
    mother.heading("已预约")
    mother.picture("booked")
    mother.tap("close")
    mother.card(BOOKED, "陈**").click()
    mother.heading("已预约")
