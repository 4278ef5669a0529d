"""The product's real client, channel, menu and tags against the simulator: both read the platform in the same way."""

from __future__ import annotations

import time
from uuid import uuid4

import pytest
from redis import Redis

from config import redis
from config.settings import Settings
from notifications.channel import ChannelError, OutgoingMessage
from tests.product import make_settings
from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import AES_KEY, APPID, SECRET, TOKEN
from wechat import service
from wechat.errors import Busy, QuotaUsed, WeChatError
from wechat.service import WeChatService

LI_NA = "oSimParent000000000000000001"
TEMPLATE = "TPL_appointment_booked_000000000000000000001"
DATA = {
    "thing1": "陈**",
    "thing2": "内科",
    "thing3": "赵明远",
    "time4": "2026年11月25日 08:00",
    "character_string5": "1",
}
MENU = "/cgi-bin/menu/get"


@pytest.fixture
def store(redis_url: str) -> Redis:
    """This test's Redis, empty."""
    made = redis.connect(redis_url)
    made.flushdb()
    return made


@pytest.fixture
def wechat(sim: Sim, store: Redis) -> WeChatService:
    """The product's side, pointed at the simulator."""
    return service.connect(pointed_at(sim), store)


def pointed_at(sim: Sim) -> Settings:
    """Settings whose WeChat is the simulator, its clock at the real time."""
    sim.clock.time = time.time()
    return make_settings(
        "postgresql://localhost/x",
        "redis://localhost",
        clinic_origin=sim.config.backend,
        wechat_appid=APPID,
        wechat_secret=SECRET,
        wechat_token=TOKEN,
        wechat_aes_key=AES_KEY,
        wechat_api_origin=sim.origin,
        wechat_templates={"appointment-booked": TEMPLATE},
    )


def calls(sim: Sim, path: str) -> list[str]:
    """The verdicts of the calls of one API, oldest first."""
    return [entry["verdict"] for entry in sim.get("/log", after=0)["log"] if entry["path"].startswith(path)]


def message(**changes: str) -> OutgoingMessage:
    return OutgoingMessage(uuid4(), LI_NA, "appointment-booked", {**DATA, **changes}, "http://127.0.0.1:8000/visits/1")


def test_a_killed_token_is_renewed_once_and_the_call_succeeds(sim: Sim, wechat: WeChatService) -> None:
    wechat.client.call("get", "tags/get")
    wechat.client.call("get", "tags/get")
    assert len(calls(sim, "/cgi-bin/stable_token")) == 1
    sim.post("/tokens/kill")
    assert "tags" in wechat.client.call("get", "tags/get")
    assert len(calls(sim, "/cgi-bin/stable_token")) == 2


def test_a_template_message_arrives_and_its_double_is_dropped(sim: Sim, wechat: WeChatService) -> None:
    sim.post("/phones/li-na/follow")
    sent = message()
    assert wechat.channel.send(sent) == wechat.channel.send(sent)
    cards = [entry for entry in sim.chat("li-na") if entry["type"] == "template"]
    assert [(card["template_id"], card["url"], card["client_msg_id"]) for card in cards] == [
        (TEMPLATE, sent.url, str(sent.id))
    ]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"thing1": "一" * 21}, "bad-field"), ({"time4": "soon"}, "bad-field"), ({"thing2": ""}, "bad-field")],
)
def test_what_does_not_fit_is_refused_for_good(
    sim: Sim, wechat: WeChatService, changes: dict[str, str], code: str
) -> None:
    sim.post("/phones/li-na/follow")
    with pytest.raises(ChannelError) as refused:
        wechat.channel.send(message(**changes))
    assert (refused.value.code, refused.value.retry) == (code, "never")


def test_who_does_not_follow_can_not_be_told(sim: Sim, wechat: WeChatService) -> None:
    with pytest.raises(ChannelError) as refused:
        wechat.channel.send(message())
    assert (refused.value.code, refused.value.retry) == ("not-a-follower", "never")


def test_the_menus_are_published_once_and_the_staff_see_theirs(sim: Sim, wechat: WeChatService) -> None:
    assert wechat.menu.diff()
    assert wechat.menu.publish() == "published"
    assert (wechat.menu.publish(), wechat.menu.diff()) == ("unchanged", "")
    sim.post("/phones/li-na/follow")
    wechat.tags.tag(LI_NA)
    wechat.tags.tag(LI_NA)
    staff = wechat.client.call("post", "menu/trymatch", {"user_id": LI_NA})["menu"]["button"]
    wechat.tags.untag(LI_NA)
    parents = wechat.client.call("post", "menu/trymatch", {"user_id": LI_NA})["menu"]["button"]
    assert staff != parents
    assert parents[0]["name"] == "医疗服务"
    wechat.menu.delete()
    assert wechat.menu.published() == {"button": [], "conditional": []}


def test_busy_is_tried_again_and_a_quota_closes_the_api(sim: Sim, wechat: WeChatService) -> None:
    fault = {"on": "api", "what": "errcode", "match": MENU}
    sim.post("/settings", {"faults": [{**fault, "value": -1, "times": 1}]})
    with pytest.raises(WeChatError, match="46003"):  # busy once, then the true answer: there is no menu
        wechat.client.call("get", "menu/get")
    sim.post("/settings", {"faults": [{**fault, "value": -1, "times": 9}]})
    with pytest.raises(Busy):
        wechat.client.call("get", "menu/get")
    sim.post("/settings", {"faults": [{**fault, "value": 45009, "times": 1}]})
    for _ in range(2):
        with pytest.raises(QuotaUsed):
            wechat.client.call("get", "menu/get")
    asked = len(calls(sim, MENU))
    with pytest.raises(QuotaUsed):
        wechat.client.call("get", "menu/get")
    assert len(calls(sim, MENU)) == asked, "a closed API is not asked"


def test_a_code_from_the_sign_in_is_good_once(sim: Sim, wechat: WeChatService) -> None:
    query = f"appid={APPID}&redirect_uri={sim.config.backend}/cb&response_type=code&scope=snsapi_base&state=s"
    shown = sim.phone("li-na", f"/.wechat/connect/oauth2/authorize?{query}")
    code = shown.headers["Location"].split("code=")[1].split("&")[0]
    assert wechat.client.exchange(code)["openid"] == LI_NA
    with pytest.raises(WeChatError) as used:
        wechat.client.exchange(code)
    assert used.value.code == 40163
    assert used.value.rid


def test_a_page_is_signed_as_the_phone_checks_it(sim: Sim, wechat: WeChatService) -> None:
    url = f"{sim.config.backend}/scan?x=1"
    signed = wechat.jssdk.config(url)
    assert signed is not None
    shown = {**signed, "jsApiList": ["scanQRCode"]}
    page = url.replace(sim.config.backend, sim.config.phone_origin("li-na"), 1)
    assert sim.post("/phones/li-na/jssdk", {"params": shown, "page": page})["errMsg"] == "config:ok"
    wrong = {**shown, "nonceStr": "other"}
    assert sim.post("/phones/li-na/jssdk", {"params": wrong, "page": page})["errMsg"] != "config:ok"
