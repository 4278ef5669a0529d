"""A whole visit in two browsers with cameras: told beforehand with a red flag, checked in, called, seen and heard over
a reload, written about, signed; and what the family then reads, on the page and on paper."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pypdf import PdfReader

from tests.consultation.answering import COMPLETE
from tests.journeys.paper import Paper
from tests.journeys.phones import SIZE
from tests.journeys.service import Service, running
from tests.journeys.test_call import SPY, browser, call, sees, sees_picture  # noqa: F401 - a browser with cameras
from tests.journeys.test_line import doctor_of, own_check
from tests.journeys.test_reminders import book, shift

pytestmark = [pytest.mark.browser, pytest.mark.processes]
DESK: ViewportSize = {"width": 1280, "height": 800}
PATIENCE = 60_000  # milliseconds: two browsers code video beside the service
TOLD: dict[str, dict[str, str | list[str]]] = COMPLETE | {
    "signs": {"effort": "yes"},
    "body": {"drinks": "usual", "urine": "under-4", "spirit": "well", "weight": "8.6"},
    "medicines": COMPLETE["medicines"] | {"low-birth-weight": "no"},
    "contacts": {},
}
OPENED = """async (path) => {
  const answer = await fetch(path);
  const body = [...new Uint8Array(await answer.arrayBuffer())];
  return { status: answer.status, type: answer.headers.get("content-type"), body };
}"""
PLACE = "朝阳区望京街1号院2号楼3单元402"


class Window:
    """One browser with a camera on one person's pages; ``page`` is the page that is open."""

    def __init__(self, browser: Browser, service: Service, who: str, folder: Path) -> None:  # noqa: F811
        self.name = "desk" if who.startswith("doctor") else "phone"
        self.folder, self.count = folder, 0
        self.origin = f"http://{who}.localhost:{urlsplit(service.simulator).port}"
        self.context = browser.new_context(viewport=DESK if self.name == "desk" else SIZE, locale="zh-CN")
        self.context.add_init_script(SPY.replace("POLICY", "all"))
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)

    def open(self, path: str) -> Page:
        """Open one of our pages."""
        self.page.goto(self.origin + path)
        return self.page

    def picture(self, name: str) -> None:
        """A numbered picture of the whole page."""
        self.count += 1
        self.page.screenshot(path=self.folder / f"{self.count:02}-{self.name}-{name}.png", full_page=True)


def test_a_visit_from_the_number_to_the_paper(browser: Browser, var: Path, pictures: Path) -> None:  # noqa: F811
    with running(var) as service:
        begins = book(service)
        mother = Paper(service, "li-na")
        mother.open("/visits")
        visit = mother.link("/visits/[0-9a-f-]{36}")
    with running(var, CLINIC_CLOCK=shift(begins - timedelta(minutes=20))) as service:
        doctor = doctor_of(service, visit)
        phone, desk = (Window(browser, service, who, pictures) for who in ("li-na", doctor))
        tell(phone, visit)
        overrule(desk, visit)
        check_in(phone, visit)
        begin(phone, desk, visit, pictures)
        talk(phone, desk)
        write(desk)
        read(phone, visit)
        for window in (phone, desk):
            window.context.close()


def tell(phone: Window, visit: str) -> None:
    """The mother answers on her phone; one of the signs is a warning, and she is told at once what to do."""
    page = phone.open(f"{visit}/room")
    expect(page.locator("#line-title")).to_have_text("签到")
    phone.picture("before")
    page.get_by_role("link", name="开始填写").click()
    for step, typed in TOLD.items():
        page.wait_for_url(f"**/intake/{step}*")
        for name, value in typed.items():
            fill(page, name, value)
        page.locator("#told [name=none]").or_(page.locator("#told .actions button").first).first.click()
        if step == "signs":
            expect(page.locator("h1")).to_contain_text("120")
            phone.picture("now")
            page.get_by_role("link", name="我知道了，继续填写").click()
            phone.picture("signs")
            page.get_by_role("button", name="下一步").last.click()
    page.get_by_role("button", name="看总览").click()
    expect(page.locator("h1")).to_have_text("医生会看到的内容")
    phone.picture("overview")
    page.get_by_role("button", name="填好了，给医生看").click()
    expect(page.locator(".urgent")).to_contain_text("危险")
    phone.picture("told")


def fill(page: Page, name: str, value: str | list[str]) -> None:
    """Answer one question of the intake."""
    for each in [value] if isinstance(value, str) else value:
        choice = page.locator(f'input[name="{name}"][value="{each}"]:not([type=text])')
        if choice.count():
            choice.check(force=True)
        else:
            page.locator(f'[name="{name}"]').fill(each)


def overrule(desk: Window, visit: str) -> None:
    """The warning is a task and a flag at the desk; the doctor looks and decides otherwise, with a reason."""
    page = desk.open("/desk")
    expect(page.locator(".flag--stop")).to_have_text("紧急")
    desk.picture("list")
    page = desk.open("/desk/tasks")
    expect(page.locator(".task")).to_contain_text("陈**")
    desk.picture("tasks")
    page.locator(".task").get_by_role("link", name="去处理").click()
    page.wait_for_url(f"**/desk{visit}")
    expect(page.locator(".told .signs")).to_contain_text("鼻翼扇动")
    page.locator(".told summary").click()
    page.locator("[name=level]").select_option("doctor-decides")
    page.locator("[name=reason]").select_option("mistaken")
    page.locator("[name=text]").fill("电话核实：安静时无呼吸费力，家长误点")
    desk.picture("alert")
    page.get_by_role("button", name="保存改判").click()
    expect(page.locator(".told")).to_contain_text("家长误点")
    expect(page.locator(".told h2 .flag")).to_have_text("请医生判断")
    desk.picture("overruled")
    desk.open("/desk/tasks")
    expect(page.locator(".task")).to_have_count(0)


def check_in(phone: Window, visit: str) -> None:
    """The mother says where they are, and waits."""
    page = phone.open(f"{visit}/room")
    expect(page.locator(".urgent")).to_have_count(0)
    page.locator("#place").fill(PLACE)
    page.locator("#phone").fill("13800002718")
    page.locator("[name=present]").check()
    page.get_by_role("button", name="签到").click()
    expect(page.locator("#line-title")).to_have_text("下一位就是您")
    phone.picture("waiting")


def begin(phone: Window, desk: Window, visit: str, pictures: Path) -> None:
    """The doctor calls the child in, without having to load a page; the mother joins with a tap."""
    desk.open("/desk")
    own_check(desk.page, pictures)
    desk.page.get_by_role("button", name="呼叫下一位").click()
    desk.page.wait_for_url(f"**/desk{visit}")
    desk.picture("called")
    expect(phone.page.locator("#line-title")).to_have_text("医生正在呼叫您")
    phone.picture("called")
    phone.page.get_by_role("button", name="立即进入").click()
    expect(phone.page.get_by_role("button", name="视频接听")).to_be_visible()
    phone.picture("inside")
    expect(desk.page.get_by_role("button", name="视频呼叫")).to_be_visible()
    desk.picture("inside")


def talk(phone: Window, desk: Window) -> None:
    """They see and hear each other, write, and are back by themselves after a reload."""
    call(desk.page, phone.page)
    for name in ("child", "guardian", "specialty"):
        desk.page.locator(f"[name={name}]").check()
    phone.page.locator("#chat textarea").fill("夜里咳得厉害，这是昨天的皮疹")
    phone.page.locator("[name=picture]").set_input_files("docs/images/phones.png")
    phone.page.locator(".chat__send").click()
    sees_picture(desk.page)
    expect(desk.page.locator(".chat__bubble p")).to_have_text("夜里咳得厉害，这是昨天的皮疹")
    desk.page.locator("#chat textarea").fill("看到了，皮疹不要紧")
    desk.page.locator(".chat__send").click()
    expect(phone.page.locator(".chat__line:not(.chat__line--mine) p")).to_have_text("看到了，皮疹不要紧")
    for window in (phone, desk):
        window.picture("call")
    phone.page.reload()
    for window in (phone, desk):
        sees(window.page)
    phone.picture("back")
    desk.page.locator(".ticks button").first.click()
    expect(desk.page.locator(".queue")).to_contain_text("已全部核对")
    for window in (desk, phone):
        sees(window.page)


def write(desk: Window) -> None:
    """The record: a template fills it, what was asked is ticked, and it is signed; the call is not disturbed before."""
    page = desk.page
    page.get_by_role("button", name="普通感冒").click()
    expect(page.locator(".condition")).to_contain_text("J00")
    expect(page.locator("[name=outcome][value=home]")).to_be_checked()
    page.locator("[name=present]").fill("咳嗽3天，夜间明显。精神、进食可，安静时无呼吸费力，无抽搐。")
    page.locator("[name=epidemiology_confirmed]").check()
    expect(page.locator("#record-saved")).to_contain_text("✓")
    sees(page)
    desk.picture("record")
    page.get_by_role("button", name="签名并结束就诊").click()
    expect(page.locator("#record")).to_have_attribute("data-mode", "signed")
    desk.picture("signed")


def read(phone: Window, visit: str) -> None:
    """The mother's page has turned to what the doctor wrote; the same as PDF, with the hospital's own signs."""
    page = phone.page
    expect(page.locator("#line-title")).to_have_text("本次就诊已结束")
    phone.picture("over")
    page.get_by_role("link", name="查看").click()
    expect(page.locator("main")).to_contain_text("急性鼻咽炎（感冒）")
    expect(page.locator("main")).to_contain_text("不需要抗菌药物")
    phone.picture("summary")
    paper = page.get_by_role("link", name="打开PDF").get_attribute("href")
    assert paper
    opened = page.evaluate(OPENED, paper)
    assert (opened["status"], opened["type"]) == (200, "application/pdf")
    (phone.folder / "summary.pdf").write_bytes(bytes(opened["body"]))
    text = "".join(leaf.extract_text() for leaf in PdfReader(BytesIO(bytes(opened["body"]))).pages)
    for words in ("陈一诺", "急性鼻咽炎", "不需要抗菌药物"):
        assert words in re.sub(r"\s", "", text)
