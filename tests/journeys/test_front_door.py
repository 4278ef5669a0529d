"""The whole road in a real Chromium: follow, menu, page, scan, bind, book, cards, cancel, and the doctor's phone."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from config.settings import ROOT
from tests.journeys.phones import SIZE, Phone
from tests.journeys.service import Service

pytestmark = [pytest.mark.browser, pytest.mark.processes]

DOCTORS = [
    doctor["name"]["zh_CN"] for doctor in tomllib.loads((ROOT / "config/demo/doctors.toml").read_text())["doctor"]
]
BOOKED, CANCELLED, NEW, WITHDRAWN = "预约挂号成功通知", "预约取消通知", "新增预约通知", "患者取消预约通知"


def test_from_following_to_a_booked_visit(phone: Callable[[str], Phone], service: Service, pictures: Path) -> None:
    mother = phone("li-na")
    look_around(mother)
    bind_by_the_menus_scanner(mother)
    doctor_name = book_the_day_after_tomorrow(mother)
    mother.tap("close")
    card = mother.card(BOOKED, "陈**")
    mother.picture("card")

    doctor = phone(f"doctor-{DOCTORS.index(doctor_name) + 1:02}")
    new = doctor.card(NEW, "陈**")
    doctor.picture("card")
    new.click()
    doctor.heading("出诊列表")
    expect(doctor.page.locator("main")).to_contain_text("陈**")
    doctor.picture("list")
    doctor.tap("close")

    card.click()
    cancel(mother)
    mother.card(CANCELLED, "陈**")
    mother.picture("cancelled-card")
    doctor.card(WITHDRAWN, "陈**")
    doctor.picture("cancelled-card")
    both_phones(mother, doctor, service, pictures)
    assert service.api("GET", "/sends")["duplicates"] == 0


def look_around(mother: Phone) -> None:
    """Follow, open the menu and see the department."""
    mother.picture("before-following")
    mother.follow()
    mother.picture("welcome")
    mother.menu(0)
    mother.picture("submenu")
    mother.tap("submenu-0-0")
    mother.heading("互联网诊疗")
    mother.picture("departments")
    mother.go("内科")
    mother.heading("内科")
    mother.picture("department")
    mother.page.locator("#days").scroll_into_view_if_needed()
    mother.page.locator("#days").evaluate("days => days.scrollIntoView()")
    mother.picture("days")
    mother.tap("close")


def bind_by_the_menus_scanner(mother: Phone) -> None:
    """Scan the child's code from the account's menu, agree, prove, and see the child."""
    mother.menu(1)
    mother.shell.get_by_test_id("scan-choice-chen-yinuo").wait_for()
    mother.picture("scanner")
    mother.scan("chen-yinuo")
    link = mother.says("已读到二维码").locator("a").first
    mother.picture("scanned")
    link.click()
    mother.heading("请阅读并作出选择")
    mother.picture("consents")
    mother.agree()
    mother.press("提交")
    mother.heading("核对孩子的身份")
    mother.picture("proof-empty")
    mother.prove("陈一诺", "2026-03-08", "0000", "李娜", "mother")
    mother.press("添加这个孩子")
    expect(mother.page.get_by_role("alert").first).to_be_visible()
    assert mother.page.locator("#guardian").input_value() == "李娜", "what was typed is kept"
    mother.picture("proof-refused")
    mother.prove("陈一诺", "2026-03-08", "2718", "李娜", "mother")
    mother.press("添加这个孩子")
    mother.heading("陈一诺")
    mother.page.get_by_text("出示就诊二维码").click()
    mother.page.locator(".qr img").wait_for()
    mother.picture("child")
    mother.tap("close")


def book_the_day_after_tomorrow(mother: Phone) -> str:
    """Book the first doctor of the first period of the day after tomorrow; returns the doctor's name."""
    mother.menu(0, 0)
    mother.go("内科")
    mother.page.locator(".days tbody tr").nth(1).locator("a").first.click()
    mother.page.locator("a.doctor").first.wait_for()
    mother.picture("doctors")
    doctor = mother.text_of(".doctor__name strong")
    mother.page.locator("a.doctor").first.click()
    mother.heading("确认挂号")
    mother.picture("confirm")
    mother.press("确认挂号")
    mother.page.locator("fieldset.sign").first.wait_for()
    mother.picture("health-questions")
    mother.press("以上都没有（全部答“否”）")
    mother.heading("确认挂号")
    mother.press("确认挂号")
    mother.heading("已预约")
    mother.picture("booked")
    mother.go("我的就诊")
    mother.heading("我的就诊")
    mother.picture("my-visits")
    return doctor


def cancel(mother: Phone) -> None:
    """From the card's page: cancel, after being asked once."""
    mother.heading("已预约")
    mother.go("取消预约")
    mother.heading("要取消这次预约吗？")
    mother.picture("ask-cancel")
    mother.page.locator("form .actions button").first.click()
    mother.heading("已取消")
    mother.picture("cancelled")
    mother.tap("close")


def both_phones(mother: Phone, doctor: Phone, service: Service, pictures: Path) -> None:
    """The picture of two phones side by side, as somebody at a computer sees the simulator."""
    window = mother.window
    window.set_viewport_size({"width": 1280, "height": 900})
    window.goto(f"{service.simulator}/?phones={mother.name},{doctor.name}")
    window.locator("body[data-ready]").wait_for()
    window.screenshot(path=pictures / "phones.png", animations="disabled")


def test_scanning_on_the_page_and_english(phone: Callable[[str], Phone], service: Service) -> None:
    """The page's own scanner (JS-SDK), an English reader, and a booking that leads through binding and back."""
    father = phone("zhang-wei")
    father.follow()
    father.menu(0, 0)
    father.heading("互联网诊疗")
    father.press("Switch to English")
    father.heading("Internet Diagnosis")
    father.picture("departments")
    father.go("Internal Medicine")
    father.heading("Internal Medicine")
    father.picture("department")
    father.page.locator(".days tbody tr").nth(2).locator("a").first.click()
    father.page.locator("a.doctor").first.click()
    father.heading("Please read and decide")
    father.picture("consents")
    father.agree()
    father.press("Save my answers")
    father.heading("Scan the child's QR code")
    father.picture("scan")
    father.press("Scan now")
    father.scan("zhang-zixuan")
    father.page.locator("#name").wait_for()
    father.prove("张子轩", "2023-09-01", "3141", "张伟", "father")
    father.picture("proof")
    father.page.locator("form button.weui-btn_primary").click()
    father.heading("Confirm the booking")
    father.picture("confirm")
    father.press("Book this number")
    father.press("None of these: no to all")
    father.heading("Confirm the booking")
    father.press("Book this number")
    father.heading("Booked")
    father.picture("booked")
    father.tap("close")
    father.card(BOOKED, "张**")
    father.picture("card")
    assert SIZE["width"] == father.window.evaluate("document.documentElement.scrollWidth"), "nothing to scroll sideways"


def test_two_phones_in_one_browser_never_share_a_session(browser: Browser, service: Service) -> None:
    context = browser.new_context()
    found = {}
    for name in ("zhou-hui", "stranger"):
        page = context.new_page()
        page.goto(f"http://{name}.localhost:{service.simulator.rsplit(':', 1)[1]}/children")
        found[name] = service.api("POST", f"/phones/{name}/open", url=f"{service.clinic}/children")["html"]
        page.close()
    assert context.cookies() == [], "a phone's cookies live in the phone"
    context.close()
    assert all("zh-CN" in html for html in found.values())
