"""What the account may know about people, and who follows it."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError
from ..state import Phone
from ..world import World
from . import Call, Endpoint
from .menu import OK
from .tags import follower

PAGE, BATCH, REMARK = 10000, 100, 30


def known(world: World, openid: Any) -> Phone:
    """The person with this openid; raises ApiError 40003."""
    phone = world.phone(str(openid))
    if phone is None or phone.openid != openid:
        raise ApiError(40003)
    return phone


def describe(world: World, phone: Phone) -> dict[str, Any]:
    """A person as the account sees them: no nickname and picture since 2021, next to nothing when not a follower."""
    if not phone.following:
        return {"subscribe": 0, "openid": phone.openid, "tagid_list": []}
    number = int(phone.scene) if phone.scene_number else 0
    return {
        "subscribe": 1,
        "openid": phone.openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN" if world.state.settings.language == "zh" else "en",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": phone.subscribed_at,
        "remark": phone.remark,
        "groupid": phone.tags[0] if phone.tags else 0,
        "tagid_list": list(phone.tags),
        "subscribe_scene": "ADD_SCENE_QR_CODE" if phone.scene else "ADD_SCENE_SEARCH",
        "qr_scene": number,
        "qr_scene_str": "" if number else phone.scene,
    }


def info(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/user/info."""
    return describe(call.world, known(call.world, call.query.get("openid", "")))


def batch(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/user/info/batchget: up to 100 people."""
    asked = call.json().get("user_list")
    if not isinstance(asked, list) or not 1 <= len(asked) <= BATCH:
        raise ApiError(40032)
    people = [known(call.world, entry.get("openid") if isinstance(entry, dict) else None) for entry in asked]
    return {"user_info_list": [describe(call.world, phone) for phone in people]}


def listed(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/user/get: the followers' openids after next_openid, 10,000 at most."""
    openids = [phone.openid for phone in call.world.state.phones.values() if phone.following]
    after = call.query.get("next_openid", "")
    if after and after not in openids:
        raise ApiError(40003)
    page = openids[openids.index(after) + 1 if after else 0 :][:PAGE]
    data = {"data": {"openid": page}} if page else {}
    return {"total": len(openids), "count": len(page), **data, "next_openid": page[-1] if page else ""}


def remark(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/user/info/updateremark."""
    body, text = call.json(), call.json().get("remark")
    if not isinstance(text, str) or len(text) > REMARK:
        raise ApiError(47001)
    with call.world.change():
        follower(call.world, body.get("openid")).remark = text
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/user/info", "GET", True, info),
    Endpoint("/cgi-bin/user/info/batchget", "POST", True, batch),
    Endpoint("/cgi-bin/user/info/updateremark", "POST", True, remark),
    Endpoint("/cgi-bin/user/get", "GET", True, listed),
]
