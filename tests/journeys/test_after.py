"""After a visit, in two browsers: a score in two taps, a question and its answer, that it got worse, a complaint."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from booking.queries import visit as whole
from config.policy import Policy
from consultation.encounters.models import Ending
from consultation.encounters.rooms import known
from consultation.line.actions import finish
from people import staff
from people.models import Account, Practitioner, Role
from tests.journeys.phones import PATIENCE
from tests.journeys.rooms import begin, database
from tests.journeys.service import Service
from tests.journeys.test_line import SIZES
from tests.journeys.test_reminders import cards
from tests.journeys.walk import AXE, LOOK

pytestmark = [pytest.mark.browser, pytest.mark.processes]
QUESTION, ANSWER = "晚上还咳，可以洗澡吗？", "可以洗澡，水温38度左右，十分钟以内。"
COMPLAINT, REPLY = "约的八点半，九点四十才叫到我们。", "当天前面有两位急症患儿，让您久等，抱歉。已请科室调整间隔。"


@pytest.fixture
def ended(service: Service) -> tuple[str, str, str]:
    """A visit that is over, the phone of its doctor, and that of the head of the department: another doctor."""
    begun = begin(service)
    now = datetime.now(UTC)
    with database(service) as session:
        encounter = known(session, begun.id)
        assert encounter
        finish(session, encounter, Ending.ANSWERED, now, Policy(), "test")
        department = whole(session, begun.id).department
        head = session.scalars(
            select(Practitioner)
            .where(Practitioner.department_id == department.id, Practitioner.id != encounter.practitioner_id)
            .order_by(Practitioner.code)
        ).first()
        assert head
        staff.grant(session, head, Role.DEPARTMENT_HEAD, department.id, by=None, now=now)
        openid = session.get_one(Account, head.account_id).openid
    return f"/visits/{begun.id}", begun.doctor, f"doctor-{openid[-2:]}"


def test_what_a_family_still_has_to_say(
    browser: Browser, service: Service, ended: tuple[str, str, str], pictures: Path
) -> None:
    visit, doctor, head = ended
    phone = window(browser, service, "li-na", visit, "phone")
    desk = window(browser, service, doctor, "/desk/tasks", "desk")
    score(phone, pictures)
    question(service, phone, desk, visit, pictures)
    worse(service, phone, desk, visit, pictures)
    leading = window(browser, service, head, "/desk/feedback", "desk")
    complaint(service, phone, leading, visit, pictures)
    for page in (phone, desk, leading):
        page.close()


def window(browser: Browser, service: Service, who: str, path: str, size: str) -> Page:
    """A window on one of our pages as a phone of the simulator shows it, into which axe may be put."""
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height}, locale="zh-CN", bypass_csp=True)
    page.set_default_timeout(PATIENCE)
    page.goto(f"http://{who}.localhost:{urlsplit(service.simulator).port}{path}")
    return page


def shot(page: Page, folder: Path, name: str) -> None:
    """The whole page, in which axe finds no fault."""
    page.wait_for_load_state()
    page.screenshot(path=folder / f"{name}.png", full_page=True)
    page.add_script_tag(path=AXE)
    for only in (None, "color-contrast"):
        page.emulate_media(color_scheme="dark" if only else "light")
        assert page.evaluate(LOOK, only) == [], page.url
    page.emulate_media(color_scheme="light")


def again(page: Page, path: str) -> None:
    """Another of our pages, on the same host."""
    here = urlsplit(page.url)
    page.goto(f"{here.scheme}://{here.netloc}{path}")


def score(phone: Page, pictures: Path) -> None:
    """Two taps: a score, and why."""
    shot(phone, pictures, "visit")
    phone.get_by_role("button", name="4").click()
    expect(phone.locator("h1")).to_have_text("谢谢您")
    phone.get_by_role("button", name="耐心和气").click()
    expect(phone.get_by_role("button", name="耐心和气")).to_have_attribute("aria-pressed", "true")
    shot(phone, pictures, "rating")
    phone.get_by_role("link", name="返回").click()
    expect(phone.get_by_role("button", name="4")).to_have_attribute("aria-pressed", "true")


def question(service: Service, phone: Page, desk: Page, visit: str, pictures: Path) -> None:
    """Asked on the phone, a task at the desk, answered there, read on the phone."""
    phone.get_by_role("link", name="提问").click()
    phone.locator("#text").wait_for()
    shot(phone, pictures, "question")
    phone.locator("#text").fill(QUESTION)
    phone.get_by_role("button", name="发给医生").click()
    expect(phone.locator("#question ~ .after__words")).to_contain_text(QUESTION)
    desk.reload()
    desk.locator(".task").get_by_role("link", name="去处理").click()
    expect(desk.locator("#question")).to_contain_text(QUESTION)
    desk.locator("[name=answer]").fill(ANSWER)
    shot(desk, pictures, "desk-question")
    desk.get_by_role("button", name="发送答复").click()
    expect(desk.locator("#question .typed").last).to_have_text(ANSWER)
    assert cards(service, "就诊动态通知", 1)[-1]["rows"][-1]["value"] == "医生已答复，请查看"
    again(phone, visit)
    expect(phone.locator("#question ~ .after__words")).to_contain_text(ANSWER)
    shot(phone, pictures, "answered")


def worse(service: Service, phone: Page, desk: Page, visit: str, pictures: Path) -> None:
    """One tap; help first, then the questions; the doctor sees the sign, and says that it was seen to."""
    phone.get_by_role("button", name="加重了，马上通知医生").click()
    expect(phone.locator("h1")).to_have_text("已经通知医生和团队")
    shot(phone, pictures, "worse")
    phone.locator("[name=q-breathing][value=yes]").check(force=True)
    phone.get_by_role("button", name="以上都没有").click()
    expect(phone.locator("h1")).to_contain_text("120")
    shot(phone, pictures, "worse-now")
    again(desk, "/desk/tasks")
    desk.locator(".task").get_by_role("link", name="去处理").first.click()
    expect(desk.locator(".signs")).to_contain_text("呼吸")
    shot(desk, pictures, "desk-worse")
    desk.locator("[name=note]").fill("已电话，家属正在来院途中")
    desk.get_by_role("button", name="我已处理").click()
    expect(desk.locator(".task")).to_have_count(0)
    again(phone, visit)
    expect(phone.locator(".after__worse")).to_contain_text("团队已处理")


def complaint(service: Service, phone: Page, leading: Page, visit: str, pictures: Path) -> None:
    """Acknowledged at once with number and day; answered by the head of the department; read, and closed."""
    phone.get_by_role("link", name="写投诉").click()
    phone.locator("[value=waiting]").check()
    phone.locator("#text").fill(COMPLAINT)
    shot(phone, pictures, "complain")
    phone.get_by_role("button", name="提交投诉").click()
    expect(phone.locator("h1")).to_have_text("投诉已受理")
    number = phone.locator(".result__time").inner_text()
    shot(phone, pictures, "complaint")
    leading.reload()
    leading.get_by_role("link", name=number).wait_for()
    shot(leading, pictures, "desk-feedback")
    leading.get_by_role("link", name=number).click()
    expect(leading.locator(".typed")).to_have_text(COMPLAINT)
    leading.locator("[name=answer]").fill(REPLY)
    shot(leading, pictures, "desk-complaint")
    leading.get_by_role("button", name="发送答复").click()
    expect(leading.locator(".typed").last).to_have_text(REPLY)
    told = cards(service, "申诉结果通知", 2)
    assert [card["rows"][1]["value"] for card in told] == ["已受理", "已答复"]
    assert told[0]["rows"][0]["value"] == number
    phone.reload()
    expect(phone.locator("main")).to_contain_text(REPLY)
    phone.get_by_role("button", name="我没有疑问了").click()
    expect(phone.locator("h1")).to_have_text("投诉已结束", timeout=PATIENCE)
    shot(phone, pictures, "closed")
    leading.reload()
    expect(leading.locator("header p")).to_contain_text("已阅读")
