"""A visit in writing in two browsers: booked so, told of, a picture sent; the doctor is checked, answers, signs."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.consultation.answering import COMPLETE
from tests.journeys.paper import Paper
from tests.journeys.service import Service
from tests.journeys.test_call import sees_picture
from tests.journeys.test_line import PIN, doctor_of, window
from tests.journeys.test_reminders import book, cards
from tests.journeys.test_visit import fill

pytestmark = [pytest.mark.browser, pytest.mark.processes]
TOLD: dict[str, dict[str, str | list[str]]] = COMPLETE | {
    "signs": {},
    "contacts": {},
    "body": COMPLETE["body"] | {"weight": "8.6"},
    "medicines": COMPLETE["medicines"] | {"low-birth-weight": "no"},
}


def test_a_visit_in_writing(browser: Browser, service: Service, pictures: Path) -> None:
    book(service)
    mother = Paper(service, "li-na")
    mother.open("/visits")
    visit = mother.link("/visits/[0-9a-f-]{36}")
    mother.open(visit)
    mother.open(f"{visit}/room")
    mother.send(f"{visit}/in-writing")
    phone = window(browser, service, "li-na", f"{visit}/room", "phone")
    tell(phone, pictures)
    begin(phone, visit, pictures)
    desk = window(browser, service, doctor_of(service, visit), "/desk", "desk")
    expect(desk.locator(".queue")).to_contain_text("请在")
    desk.screenshot(path=pictures / "desk-list.png", full_page=True)
    answer(phone, desk, pictures)
    [card] = cards(service, "就诊动态通知", 1)
    assert "医生已答复" in {row["value"].split("，")[0] for row in card["rows"]}
    sign(phone, desk, pictures)
    for page in (phone, desk):
        page.close()


def tell(phone: Page, pictures: Path) -> None:
    """First the child is told of."""
    expect(phone.locator("main")).to_contain_text("请先在下方填写孩子的情况")
    phone.screenshot(path=pictures / "phone-1-before.png", full_page=True)
    phone.get_by_role("link", name="开始填写").click()
    for step, typed in TOLD.items():
        phone.wait_for_url(f"**/intake/{step}*")
        for name, value in typed.items():
            fill(phone, name, value)
        phone.locator("#told [name=none]").or_(phone.locator("#told .actions button").first).first.click()
    phone.get_by_role("button", name="看总览").click()
    phone.get_by_role("button", name="填好了，给医生看").click()


def begin(phone: Page, visit: str, pictures: Path) -> None:
    """A phone that rings, a guardian with the child; then words and a picture."""
    phone.wait_for_url(f"**{visit}")
    phone.screenshot(path=pictures / "phone-2-visit.png", full_page=True)
    phone.get_by_role("link", name="进入诊室").click()
    phone.get_by_role("button", name="开始留言").click()
    expect(phone.locator(".problem").first).to_be_visible()
    phone.locator("#phone").fill("13800002718")
    phone.locator("[name=present]").check()
    phone.screenshot(path=pictures / "phone-3-begin.png", full_page=True)
    phone.get_by_role("button", name="开始留言").click()
    expect(phone.locator("#line-title")).to_have_text("等待医生回复")
    expect(phone.locator("#call")).to_have_count(0)
    phone.locator("#chat textarea").fill("咳嗽3天，这是今天的皮疹")
    phone.locator("[name=picture]").set_input_files("docs/images/phones.png")
    phone.locator(".chat__send").click()
    expect(phone.locator(".chat__left")).to_contain_text("19")
    sees_picture(phone)
    phone.screenshot(path=pictures / "phone-4-written.png", full_page=True)


def answer(phone: Page, desk: Page, pictures: Path) -> None:
    """The doctor is checked, ticks who is there without the page being loaded anew, and answers; WeChat tells."""
    desk.locator(".queue__rows a").first.click()
    desk.get_by_role("link", name="本人实名核验").first.click()
    desk.locator("[name=pin]").fill(PIN)
    desk.locator("[name=again]").fill(PIN)
    desk.get_by_role("button", name="确认").click()
    expect(desk.locator("#line")).to_contain_text("图文问诊")
    expect(desk.locator(".chat__bubble img")).to_be_visible()
    desk.evaluate("window.kept = 'half written'")
    for name in ("child", "guardian", "specialty"):
        desk.locator(f"[name={name}]").check()
    desk.locator(".ticks button").click()
    expect(desk.locator(".queue")).to_contain_text("已全部核对")
    desk.locator("#chat textarea").fill("看到了。皮疹不要紧，多喝水，体温高于38.5℃时再联系。")
    desk.screenshot(path=pictures / "desk-visit.png", full_page=True)
    desk.locator(".chat__send").click()
    expect(desk.locator(".queue")).to_contain_text("已于")
    assert desk.evaluate("window.kept") == "half written"
    expect(phone.locator(".chat__line:not(.chat__line--mine) p")).to_contain_text("皮疹不要紧")
    expect(phone.locator("#line-title")).to_have_text("医生已回复")
    phone.screenshot(path=pictures / "phone-5-answered.png", full_page=True)


def sign(phone: Page, desk: Page, pictures: Path) -> None:
    """The record ends the visit, as any; the family reads it."""
    desk.get_by_role("button", name="普通感冒").click()
    expect(desk.locator("[name=outcome][value=home]")).to_be_checked()
    desk.locator("[name=epidemiology_confirmed]").check()
    expect(desk.locator("#record-saved")).to_contain_text("✓")
    desk.get_by_role("button", name="签名并结束就诊").click()
    expect(desk.locator("#record")).to_have_attribute("data-mode", "signed")
    desk.screenshot(path=pictures / "desk-signed.png", full_page=True)
    expect(phone.locator("#line-title")).to_have_text("本次就诊已结束")
    phone.get_by_role("link", name="查看").click()
    expect(phone.locator("main")).to_contain_text("急性鼻咽炎（感冒）")
