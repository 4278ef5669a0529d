"""The phones in a real browser: the road a person takes, on two phones at once."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.test_simulator_messages import DOCTOR, OPENID, send

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Page:
    """A page of a desktop-sized Chromium."""
    return browser.new_page(viewport={"width": 1280, "height": 860}, locale="zh-CN")


@pytest.fixture
def page(browser_page: Page, sim: Sim) -> Page:
    """The simulator's page, with a menu published."""
    backend = sim.config.backend
    top = [
        {"name": "服务", "sub_button": [{"type": "view", "name": "扫码页", "url": f"{backend}/scan"}]},
        {"type": "scancode_waitmsg", "name": "扫码", "key": "scan"},
        {"type": "click", "name": "帮助", "key": "help"},
    ]
    sim.api("POST", "/cgi-bin/menu/create", {"button": top})
    sim.toy.settings["ticket"] = sim.api("GET", "/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
    browser_page.goto(sim.origin)
    browser_page.evaluate("localStorage.clear()")
    browser_page.goto(sim.origin)
    browser_page.wait_for_selector("body[data-ready]")
    return browser_page


def phone(page: Page, name: str) -> Locator:
    return page.get_by_test_id(f"phone-{name}")


def web(where: Locator) -> FrameLocator:
    return where.frame_locator("iframe[name=webview]")


def test_follow_menu_page_scan_and_back(page: Page) -> None:
    me = phone(page, "li-na")
    me.get_by_test_id("follow").click()
    expect(me.get_by_test_id("message-text")).to_contain_text("you said subscribe")
    me.get_by_test_id("menu-0").click()
    me.get_by_test_id("submenu-0-0").click()
    expect(web(me).locator("#out")).to_have_text("ready")
    expect(me.get_by_test_id("webview-title")).to_have_text("Scan page")
    web(me).locator("#go").click()
    me.get_by_test_id("scan-choice-patient-2001").click()
    expect(web(me).locator("#out")).to_have_text("HP-2001")
    me.get_by_test_id("close").click()
    expect(me.get_by_test_id("chat")).to_be_visible()


def test_cards_arrive_live_on_both_phones_and_open_their_page(page: Page, sim: Sim) -> None:
    phone(page, "li-na").get_by_test_id("follow").click()
    expect(phone(page, "li-na").get_by_test_id("message-text")).to_be_visible()
    for openid in (OPENID, DOCTOR):
        send(sim, openid=openid, url=f"{sim.config.backend}/page")
    for name in ("li-na", "doctor-01"):
        card = phone(page, name).get_by_test_id("card")
        expect(card).to_contain_text("就诊时间")
        card.click()
        expect(web(phone(page, name)).locator("p")).to_have_text("1")
    web(phone(page, "li-na")).get_by_text("next").click()
    phone(page, "li-na").get_by_test_id("back").click()
    expect(web(phone(page, "li-na")).locator("p")).to_have_text("2")
    phone(page, "doctor-01").get_by_test_id("close").click()
    phone(page, "doctor-01").get_by_test_id("card").click()
    expect(web(phone(page, "doctor-01")).locator("p")).to_have_text("2")


def test_menu_scan_text_and_image_in_the_chat(page: Page, sim: Sim) -> None:
    me = phone(page, "doctor-01")
    me.get_by_test_id("menu-1").click()
    me.get_by_test_id("scan-choice-patient-2001").click()
    expect(me.get_by_test_id("message-text").last).to_contain_text("scancode_waitmsg")
    me.get_by_test_id("menu-toggle").click()
    me.get_by_test_id("message-input").fill("你好")
    me.get_by_test_id("send").click()
    expect(me.get_by_test_id("message-text").last).to_contain_text("you said 你好")
    me.get_by_test_id("plus").click()
    me.get_by_test_id("plus-image").click()
    me.get_by_test_id("image-choice-patient-2001").click()
    expect(me.get_by_test_id("message-text").last).to_contain_text("you said image")
    assert sim.toy.received[-3].scan_result == "HP-2001"


def test_unfollow_and_phones_can_be_added(page: Page, sim: Sim) -> None:
    me = phone(page, "doctor-01")
    me.get_by_test_id("profile").click()
    me.get_by_test_id("unfollow").click()
    me.get_by_test_id("sheet-0").click()
    expect(me.get_by_test_id("follow")).to_be_visible()
    assert sim.toy.wait_for("unsubscribe")
    page.get_by_test_id("pick-zhang-wei").click()
    expect(phone(page, "zhang-wei")).to_be_visible()
    page.get_by_test_id("pick-doctor-01").click()
    expect(me).to_have_count(0)


def test_english_and_the_inspector(page: Page, sim: Sim) -> None:
    page.get_by_test_id("language").click()
    expect(phone(page, "li-na").get_by_test_id("follow")).to_have_text("Follow")
    page.get_by_test_id("inspect").click()
    phone(page, "li-na").get_by_test_id("follow").click()
    expect(page.get_by_test_id("log-entry").first).to_contain_text("subscribe")
    sim.post("/settings", {"language": "zh"})
    expect(page.get_by_test_id("language")).to_have_text("EN")


def test_a_snapshot_page_is_marked_and_left(page: Page, sim: Sim) -> None:
    sim.post("/phones/doctor-01", {"snapshot": True})
    me = phone(page, "doctor-01")
    me.get_by_test_id("menu-0").click()
    me.get_by_test_id("submenu-0-0").click()
    expect(web(me).locator("#out")).to_contain_text("snapshot")
    me.get_by_test_id("full-service").click()
    expect(web(me).locator("#out")).to_have_text("ready")
