"""A clinic is stopped at the desk: the parent's card opens the page where one tap books another time for the child."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.journeys.paper import Paper
from tests.journeys.phones import PATIENCE, Phone
from tests.journeys.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.processes]
BOOKED, STOPPED = "预约挂号成功通知", "停诊通知"


def test_stopped_and_rebooked_in_one_tap(phone: Callable[[str], Phone], service: Service) -> None:
    mother = phone("li-na")
    mother.follow()
    bind(mother)
    visit, day = book(mother)
    mother.tap("close")
    mother.card(BOOKED, "陈**")

    stop = stop_the_day(service, day)
    mother.card(STOPPED, "点此一键改约其他时间").click()
    mother.heading("已取消")
    expect(mother.page.locator("main")).to_contain_text("原因：临时其他任务")
    mother.picture("stopped")
    mother.page.get_by_role("button", name="预约").first.click()
    mother.heading("已预约")
    mother.picture("rebooked")
    expect(mother.page.locator("main")).to_contain_text("陈一诺", timeout=PATIENCE)
    mother.tap("close")
    assert "查看新的预约" in Paper(service, "li-na").open(visit)

    head = Paper(service, "doctor-01")
    assert re.search(r"已通知家庭</dt><dd[^>]*>1 / 1", head.open(stop))


def bind(mother: Phone) -> None:
    """Bind the child by the menu's scanner."""
    mother.menu(1)
    mother.scan("chen-yinuo")
    mother.says("已读到二维码").locator("a").first.click()
    mother.heading("请阅读并作出选择")
    mother.agree()
    mother.press("提交")
    mother.prove("陈一诺", "2026-03-08", "2718", "李娜", "mother")
    mother.press("添加这个孩子")
    mother.heading("陈一诺")
    mother.tap("close")


def book(mother: Phone) -> tuple[str, str]:
    """Book the next day's first doctor; returns the visit's path and its day."""
    mother.menu(0, 0)
    mother.go("内科")
    first = mother.page.locator(".days tbody tr").nth(1).locator("a").first
    day = re.search(r"\d{4}-\d\d-\d\d", first.get_attribute("href") or "")
    assert day
    first.click()
    mother.page.locator("a.doctor").first.click()
    mother.heading("确认挂号")
    mother.page.locator("main form button").first.click()
    mother.press("以上都没有（全部答“否”）")
    mother.heading("确认挂号")
    mother.page.locator("main form button").first.click()
    mother.heading("已预约")
    cancel = mother.page.get_by_role("link", name="取消").first.get_attribute("href")
    assert cancel
    return cancel.removesuffix("/cancel"), day[0]


def stop_the_day(service: Service, day: str) -> str:
    """The head of the department looks at the day, stops it, and sees it done; returns the stop's path."""
    head = Paper(service, "doctor-01")
    head.open("/desk/stops/new")
    span = {"first_day": day, "first_period": "morning", "last_day": day, "last_period": "afternoon"}
    page = head.send("/desk/stops", practitioner="", reason="duty", note="", **span)
    assert re.search(r"已预约患儿</dt><dd>1<", page), page
    head.send(f"{head.path}/confirm")
    return head.path
