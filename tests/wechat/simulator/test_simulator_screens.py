"""The phones' screens in a real browser: the cashier, the account's codes, asking for notices, the panel of faults."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask, request
from playwright.sync_api import Page, expect, sync_playwright

from tests.wechat.simulator.merchant import Merchant
from tests.wechat.simulator.test_simulator_pay import merchant
from tests.wechat.simulator.toy import APPID, Served

__all__ = ["merchant"]  # the fixture
pytestmark = pytest.mark.browser

PAGE = """<!doctype html><meta charset=utf-8><title>Page</title><p id=out></p><button id=bridge>b</button>
<button id=choose>c</button><script src="{sdk}"></script>
<wx-open-subscribe id=ask template="{template}"><script type="text/wxtag-template"><b>notices</b></script>
</wx-open-subscribe><script>
const say = (text) => out.textContent = text;
wx.config({config}); wx.ready(() => say("ready"));
bridge.onclick = () => WeixinJSBridge.invoke("getBrandWCPayRequest", {params}, (r) => say(r.err_msg));
choose.onclick = () => wx.chooseWXPay({{...{params}, timestamp: {params}.timeStamp,
  success: (r) => say(r.errMsg), cancel: (r) => say(r.errMsg), fail: (r) => say(r.errMsg)}});
ask.addEventListener("success", (e) => say(JSON.parse(Object.values(JSON.parse(e.detail.subscribeDetails))[0]).status));
</script>"""


def account(merchant: Merchant, template: str) -> Flask:
    """A page that pays and asks for notices."""
    app, sim = Flask(__name__), merchant.sim
    ticket = sim.api("GET", "/cgi-bin/ticket/getticket", type="jsapi")["ticket"]

    @app.get("/page")
    def page() -> str:
        text = f"jsapi_ticket={ticket}&noncestr=n&timestamp=1&url={request.url}"
        config: dict[str, Any] = {
            "appId": APPID,
            "timestamp": "1",
            "nonceStr": "n",
            "signature": hashlib.sha1(text.encode()).hexdigest(),
        }
        config |= {"jsApiList": ["chooseWXPay"], "openTagList": ["wx-open-subscribe"]}
        params = merchant.params(merchant.order().json()["prepay_id"])
        sdk = f"{sim.origin}/open/js/jweixin-1.6.0.js"
        return PAGE.format(sdk=sdk, template=template, config=json.dumps(config), params=json.dumps(params))

    return app


@pytest.fixture
def screens(merchant: Merchant) -> Iterator[Page]:
    """The simulator's page with li-na, who follows, and the stranger, who does not."""
    sim = merchant.sim
    sim.clock.time = time.time()
    made = sim.api("POST", "/wxaapi/newtmpl/addtemplate", {"tid": 1001, "kidList": [1, 2], "sceneDesc": ""})
    served = Served(account(merchant, made["priTmplId"]))
    sim.world.config = replace(sim.world.config, backend=served.origin)
    button = {"type": "view", "name": "看", "url": f"{served.origin}/page"}
    sim.api("POST", "/cgi-bin/menu/create", {"button": [button]})
    sim.post("/phones/li-na/follow")
    path = next(p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.goto(f"{sim.origin}/?phones=li-na,stranger")
        page.wait_for_selector("body[data-ready]")
        yield page
        browser.close()
    served.stop()


def test_the_cashier(screens: Page, merchant: Merchant) -> None:
    phone = screens.get_by_test_id("phone-li-na")
    phone.get_by_test_id("menu-0").click()
    frame = phone.frame_locator("iframe")
    frame.locator("#out", has_text="ready").wait_for()
    frame.locator("#bridge").click()
    expect(phone.get_by_test_id("pay-amount")).to_have_text("¥50.00")
    phone.get_by_test_id("pay-cancel").click()
    expect(frame.locator("#out")).to_have_text("get_brand_wcpay_request:cancel")
    frame.locator("#choose").click()
    phone.get_by_test_id("pay-confirm").click()
    phone.get_by_test_id("pay-done").click()
    expect(frame.locator("#out")).to_have_text("chooseWXPay:ok")
    assert merchant.wait(1)[0]["plain"]["trade_state"] == "SUCCESS"
    frame.locator("#bridge").click()
    phone.get_by_text("该订单已支付").wait_for()
    phone.get_by_test_id("sheet-cancel").click()
    expect(frame.locator("#out")).to_have_text("get_brand_wcpay_request:fail")


def test_a_page_asks_for_notices(screens: Page, merchant: Merchant) -> None:
    phone = screens.get_by_test_id("phone-li-na")
    phone.get_by_test_id("menu-0").click()
    frame = phone.frame_locator("iframe")
    frame.locator("#out", has_text="ready").wait_for()
    for choice, word in ((1, "reject"), (0, "accept")):
        frame.locator("wx-open-subscribe").click()
        phone.get_by_test_id(f"sheet-{choice}").click()
        expect(frame.locator("#out")).to_have_text(word)
    assert list(merchant.sim.world.state.phones["li-na"].subscriptions.values()) == [1]


def test_a_stranger_scans_a_code_and_follows(screens: Page, merchant: Merchant) -> None:
    sim = merchant.sim
    scene = {"action_name": "QR_STR_SCENE", "expire_seconds": 600, "action_info": {"scene": {"scene_str": "login"}}}
    sim.api("POST", "/cgi-bin/qrcode/create", scene)
    phone = screens.get_by_test_id("phone-stranger")
    phone.get_by_test_id("up").click()
    phone.get_by_test_id("scan").click()
    phone.get_by_test_id("scan-code-login").click()
    phone.get_by_test_id("sheet-0").click()
    phone.get_by_test_id("message-text").wait_for()
    assert sim.toy.wait_for("subscribe_scan").scene_id == "login"


def test_the_panel_of_faults(screens: Page, merchant: Merchant) -> None:
    sim = merchant.sim
    screens.get_by_test_id("inspect").click()
    screens.get_by_test_id("faults-panel").locator("summary").click()
    screens.get_by_test_id("fault-what").select_option("errcode")
    screens.get_by_test_id("fault-match").fill("/cgi-bin/menu")
    screens.get_by_test_id("fault-add").click()
    expect(screens.get_by_test_id("faults").locator("li")).to_have_count(1)
    assert sim.api("GET", "/cgi-bin/menu/get")["errcode"] == -1
    expect(screens.get_by_test_id("faults").locator("li")).to_have_count(0)
    screens.get_by_test_id("state-name").fill("before")
    screens.get_by_test_id("state-save").click()
    expect(screens.get_by_test_id("state-choice").locator("option")).to_have_count(1)
    sim.post("/phones/li-na/unfollow")
    screens.get_by_test_id("state-load").click()
    screens.get_by_test_id("phone-li-na").get_by_test_id("menu-0").wait_for()
    assert sim.get("/phones/li-na")["following"]
    token = sim.token()
    screens.get_by_test_id("killTokens").click()
    screens.get_by_test_id("log-entry").first.wait_for()
    sim.world.wait(lambda: all(known.ends <= sim.clock.time for known in sim.world.state.tokens), 60)
    assert sim.api("GET", "/cgi-bin/menu/get", token=token)["errcode"] == 40001
