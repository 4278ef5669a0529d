"""The waiting room on a phone, the line at a desk: checked in, waiting live, called by a card, joined; a miss."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.paper import Paper
from tests.journeys.phones import PATIENCE
from tests.journeys.service import Service, running
from tests.journeys.test_reminders import book, cards, shift

pytestmark = [pytest.mark.browser, pytest.mark.processes]
SIZES = {"phone": (390, 844), "desk": (1280, 800)}
PIN = "280519"


def window(browser: Browser, service: Service, who: str, path: str, size: str) -> Page:
    """A window on one of our pages as a phone of the simulator shows it, with the browser's own camera."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN")
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://{who}.localhost:{urlsplit(service.simulator).port}{path}")
    return page


def doctor_of(service: Service, visit: str) -> str:
    """The phone of the doctor on whose list the visit is."""
    for n in range(1, 13):
        name = f"doctor-{n:02}"
        if visit in Paper(service, name).open("/desk"):
            return name
    raise AssertionError("no doctor has this visit on the list")


def pictures_of(page: Page, folder: Path, name: str) -> None:
    """Both languages, the whole page."""
    page.screenshot(path=folder / f"{name}.png", full_page=True)


def test_checked_in_called_joined_and_missed(browser: Browser, var: Path, pictures: Path) -> None:
    with running(var) as service:
        begins = book(service)
        mother = Paper(service, "li-na")
        mother.open("/visits")
        visit = mother.link("/visits/[0-9a-f-]{36}")
    with running(var, CLINIC_CLOCK=shift(begins - timedelta(minutes=12))) as service:
        phone = window(browser, service, "li-na", f"{visit}/room", "phone")
        check_in(phone, pictures)
        doctor = doctor_of(service, visit)
        desk = window(browser, service, doctor, "/desk", "desk")
        own_check(desk, pictures)
        call(phone, desk, pictures)
        desk.get_by_role("button", name="过号，请下一位").click()
        expect(phone.locator("main")).to_contain_text("已过号 1 次", timeout=PATIENCE)
        pictures_of(phone, pictures, "phone-missed")
        desk.get_by_role("button", name="呼叫该患儿").click()
        assert len(cards(service, "医生呼叫通知", 2)) == 2
        expect(phone.get_by_role("button", name="立即进入")).to_be_visible(timeout=PATIENCE)
        phone.get_by_role("button", name="立即进入").click()
        expect(phone.locator("main")).to_contain_text("正在由")
        pictures_of(phone, pictures, "phone-inside")
        expect(desk.locator(".queue h2")).to_contain_text("就诊中", timeout=PATIENCE)
        tick_and_end(phone, desk, pictures)
        for page in (phone, desk):
            page.close()


def check_in(phone: Page, pictures: Path) -> None:
    """A first try without a phone number, then the right one, and the camera is tried."""
    phone.locator("#place").fill("朝阳区望京街1号院2号楼3单元402")
    phone.locator("#phone").fill("12345")
    pictures_of(phone, pictures, "phone-form")
    phone.get_by_role("button", name="签到").click()
    expect(phone.locator(".problem").first).to_be_visible()
    expect(phone.locator("#place")).to_have_value("朝阳区望京街1号院2号楼3单元402")
    pictures_of(phone, pictures, "phone-problems")
    phone.locator("#phone").fill("13800001234")
    phone.locator("[name=present]").check()
    phone.get_by_role("button", name="签到").click()
    expect(phone.locator("#line-title")).to_have_text("下一位就是您")
    phone.get_by_role("button", name="测试摄像头和麦克风").click()
    expect(phone.locator(".try__said")).not_to_be_empty()
    pictures_of(phone, pictures, "phone-waiting")


def own_check(desk: Page, pictures: Path) -> None:
    """The doctor chooses a PIN, once."""
    expect(desk.locator(".queue")).to_contain_text("陈**")
    pictures_of(desk, pictures, "desk-list")
    desk.get_by_role("link", name="本人实名核验").first.click()
    desk.locator("[name=pin]").fill(PIN)
    desk.locator("[name=again]").fill(PIN)
    pictures_of(desk, pictures, "desk-pin")
    desk.get_by_role("button", name="Confirm").or_(desk.get_by_role("button", name="确认")).click()
    expect(desk.get_by_role("button", name="呼叫下一位")).to_be_visible()


def call(phone: Page, desk: Page, pictures: Path) -> None:
    """Called at the desk, seen on the phone without a touch."""
    desk.get_by_role("button", name="呼叫下一位").click()
    expect(desk.locator(".queue h2").first).to_contain_text("呼叫中")
    pictures_of(desk, pictures, "desk-called")
    expect(phone.locator("#line-title")).to_have_text("医生正在呼叫您", timeout=PATIENCE)
    pictures_of(phone, pictures, "phone-called")


def tick_and_end(phone: Page, desk: Page, pictures: Path) -> None:
    """Who is there is confirmed; then the visit is ended by rule, and the phone says so by itself."""
    desk.reload()
    for name in ("child", "guardian", "specialty"):
        desk.locator(f"[name={name}]").check()
    desk.locator(".ticks button").click()
    expect(desk.locator(".queue")).to_contain_text("已全部核对")
    desk.get_by_text("本次就诊不能继续").click()
    pictures_of(desk, pictures, "desk-inside")
    desk.locator("[name=ending][value=not-followup]").check()
    desk.get_by_role("button", name="以此原因结束就诊").click()
    expect(desk.locator(".queue")).to_contain_text("不属于复诊")
    expect(phone.locator("#line-title")).to_have_text("本次就诊已结束", timeout=PATIENCE)
    pictures_of(phone, pictures, "phone-over")
