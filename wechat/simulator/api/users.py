"""What the account may know about a person."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError
from . import Call, Endpoint


def info(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/user/info: without nickname and picture since 2021; next to nothing for who does not follow."""
    world, openid = call.world, call.query.get("openid", "")
    phone = world.phone(openid)
    if phone is None or phone.openid != openid:
        raise ApiError(40003)
    if not phone.following:
        return {"subscribe": 0, "openid": openid, "tagid_list": []}
    return {
        "subscribe": 1,
        "openid": openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN" if world.state.settings.language == "zh" else "en",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "subscribe_time": phone.subscribed_at,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE" if phone.scene else "ADD_SCENE_SEARCH",
        "qr_scene": 0,
        "qr_scene_str": phone.scene,
    }


ENDPOINTS = [Endpoint("/cgi-bin/user/info", "GET", True, info)]
