"""A plain cold in a real browser: from the call to the signed record in a dozen taps, with nothing typed; a page that
goes on while the record is saved, two pages that don't overwrite each other, the keyboard."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy.orm import Session

import desk.told
from consultation.encounters.models import EncounterStatus
from consultation.encounters.rooms import encounter_of, move
from desk import record
from tests.product import Hospital, visit_ahead

pytestmark = pytest.mark.browser


@pytest.fixture
def path(session: Session, hospital: Hospital, now: datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The visit's page; the child was called, and the family has said why it comes."""
    visit = visit_ahead(session, hospital, hospital.child, now, ahead=1)
    encounter = encounter_of(session, visit, now)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by="test", why="called")
    session.commit()
    said = {"complaint": "流涕、咳嗽2天"}
    monkeypatch.setattr(record, "for_record", lambda *_: said)
    return f"/desk/visits/{visit.appointment.id}"


class Taps:
    """Counts taps; nothing else touches the page."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def on(self, role: Any, name: str) -> None:
        self.page.get_by_role(role, name=name, exact=True).click()
        self.count += 1


def test_a_plain_cold_is_signed_in_a_dozen_taps_with_nothing_typed(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.goto(path)
    page.evaluate("window.still = true")
    tap = Taps(page)
    tap.on("button", "普通感冒")
    expect(page.get_by_text("J00 急性鼻咽炎（感冒）")).to_be_visible()
    expect(page.get_by_label("主诉")).to_have_value("流涕、咳嗽2天")
    tap.on("checkbox", "已询问并确认流行病学史")
    expect(page.locator("#record-saved")).to_contain_text("✓")
    assert page.evaluate("window.still"), "the page was not left: a call would go on"
    tap.on("button", "签名并结束就诊")
    expect(page.get_by_text("赵医生 · 主治医师于")).to_be_visible()
    assert tap.count <= 12


def test_what_is_missing_gets_the_focus(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.goto(path)
    page.keyboard.press("Alt+1")
    expect(page.get_by_text("J00 急性鼻咽炎（感冒）")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.locator("[name=epidemiology_confirmed]")).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("赵医生 · 主治医师于")).to_be_visible()


def test_the_keyboard_finds_a_diagnosis_and_expands_a_phrase(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.goto(path)
    page.keyboard.press("Alt+d")
    page.keyboard.type("szkb")
    expect(page.locator("#record-found button")).to_have_text(["B08.4 手足口病"])
    page.keyboard.press("Enter")
    expect(page.locator(".condition")).to_contain_text("手足口病")
    expect(page.locator("#record-query")).to_be_focused()
    advice = page.get_by_label("处理意见")
    advice.press_sequentially(";dhs ")
    expect(advice).to_have_value("少量多次饮水，清淡饮食，充分休息。")


def test_two_pages_lose_nothing(context: BrowserContext, path: str) -> None:
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(path)
    first.get_by_label("处理意见").fill("第一页写的")
    expect(first.locator("#record-saved")).to_contain_text("✓")
    second.get_by_label("处理意见").fill("第二页写的")
    expect(second.get_by_role("heading", name="在别处保存的内容")).to_be_visible()
    expect(second.locator(".record__theirs")).to_contain_text("第一页写的")
    expect(second.get_by_label("处理意见")).to_have_value("第二页写的")
    second.get_by_role("button", name="以表单里的为准").click()
    expect(second.locator(".record__theirs")).to_have_count(0)
    first.reload()
    expect(first.get_by_label("处理意见")).to_have_value("第二页写的")


def test_typed_text_survives_a_lost_connection(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.goto(path)
    context.set_offline(True)
    page.get_by_label("处理意见").fill("断网时写的")
    expect(page.locator("#record-unsaved")).to_be_visible()
    context.set_offline(False)
    expect(page.locator("#record-saved")).to_contain_text("✓", timeout=15_000)
    expect(page.locator("#record-unsaved")).to_be_hidden()
    page.reload()
    expect(page.get_by_label("处理意见")).to_have_value("断网时写的")


def test_what_is_typed_and_chosen_before_the_script_runs_is_kept(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    asked: list[Route] = []
    page.route("**/record.js*", lambda route: asked.append(route))  # noqa: PLW0108 -- a built-in is no handler
    with page.expect_request("**/record.js*"):
        page.goto(path, wait_until="commit")
    page.get_by_label("处理意见").fill("脚本之前写的")
    page.locator("[name=outcome][value=followup]").check()
    expect(page.locator("[name=days]")).to_have_count(0)
    asked.pop().continue_()
    expect(page.locator("[name=days]")).to_be_visible()
    expect(page.get_by_label("处理意见")).to_have_value("脚本之前写的")


def test_a_contradiction_stands_beside_its_field_while_the_text_denies(
    context: BrowserContext, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"effort": True}
    monkeypatch.setattr(desk.told, "facts", lambda *_: told)
    monkeypatch.setattr(desk.told, "_affirmed", lambda *_: "呼吸费力")
    page = context.new_page()
    page.goto(path)
    beside = page.locator("[data-against=present]")
    expect(beside).to_be_hidden()
    page.get_by_role("button", name="普通感冒").click()
    expect(beside).to_have_text("家属填写与此不符： 呼吸费力")
    page.get_by_role("link", name="与家属填写不符，请核对").click()
    expect(page.get_by_label("现病史")).to_be_focused()
    page.get_by_label("现病史").fill("安静时鼻翼扇动")
    expect(beside).to_be_hidden()
    expect(page.locator("#record-against")).to_be_hidden()
    page.get_by_label("现病史").fill("无呼吸费力")
    expect(beside).to_be_visible()
