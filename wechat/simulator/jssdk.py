"""What wx.config asks of WeChat: is this page signed, on the account's domain, and what may it call."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from . import tokens
from .crypto import sign_page
from .state import Phone
from .world import World

APIS = [
    "checkJsApi",
    "scanQRCode",
    "chooseWXPay",
    "closeWindow",
    "getNetworkType",
    "hideMenuItems",
    "showMenuItems",
    "hideOptionMenu",
    "showOptionMenu",
    "hideAllNonBaseMenuItem",
    "showAllNonBaseMenuItem",
    "updateAppMessageShareData",
    "updateTimelineShareData",
    "onMenuShareAppMessage",
    "onMenuShareTimeline",
]


def configure(world: World, phone: Phone, params: dict[str, Any], page: str) -> dict[str, Any]:
    """The answer to wx.config: errMsg `config:ok` with the APIs granted, or why not."""
    url = page.replace(world.config.phone_origin(phone.id), world.config.backend, 1)
    with world.change() as state:
        ticket = tokens.ticket(state, world.now).value
    signature = sign_page(ticket, str(params.get("nonceStr")), str(params.get("timestamp")), url)
    wrong = [
        (phone.snapshot, "config:fail, the page is a snapshot"),
        (params.get("appId") != world.config.appid, "config:invalid appid"),
        (urlsplit(url).netloc != world.config.domain, "config:invalid url domain"),
        (params.get("signature") != signature, "config:invalid signature"),
        (not isinstance(params.get("jsApiList"), list), "config:fail, jsApiList is not a list"),
    ]
    verdict = next((text for bad, text in wrong if bad), "config:ok")
    granted = [name for name in params["jsApiList"] if name in APIS] if verdict == "config:ok" else []
    world.record(
        "page", method="", path=f"wx.config {url.partition('#')[0]}", status=0, verdict=verdict, phone=phone.id
    )
    tags = params.get("openTagList") if verdict == "config:ok" else None
    return {"errMsg": verdict, "apis": granted, "tags": tags if isinstance(tags, list) else []}
