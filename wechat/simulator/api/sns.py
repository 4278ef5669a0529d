"""Web authorisation's server side: the code for an openid, the openid's profile."""

from __future__ import annotations

import secrets
from typing import Any

from ..errors import ApiError
from ..oauth import CODE_SECONDS
from . import Call, Endpoint

LIFETIME = 7200


def access_token(call: Call) -> dict[str, Any]:
    """GET /sns/oauth2/access_token: a code works once and for five minutes."""
    world, code = call.world, call.query.get("code", "")
    call.account(call.query)
    if call.query.get("grant_type") != "authorization_code":
        raise ApiError(40002)
    if not code:
        raise ApiError(41008)
    with world.change():
        known = world.codes.get(code)
        if known is None or world.now - known["at"] >= CODE_SECONDS:
            raise ApiError(40029)
        if known["used"]:
            raise ApiError(40163)
        known["used"] = True
        token = f"93_{secrets.token_urlsafe(64)}"
        world.user_tokens[token] = {**known, "at": world.now}
    answer = {
        "access_token": token,
        "expires_in": LIFETIME,
        "refresh_token": f"93_{secrets.token_urlsafe(64)}",
        "openid": known["openid"],
        "scope": known["scope"],
    }
    return answer | ({"is_snapshotuser": 1} if known["snapshot"] else {})


def userinfo(call: Call) -> dict[str, Any]:
    """GET /sns/userinfo: nickname and picture; the rest is blank since 2021."""
    world = call.world
    if not call.query.get("access_token"):
        raise ApiError(41001)
    grant = world.user_tokens.get(call.query["access_token"])
    if grant is None:
        raise ApiError(40001)
    if world.now - grant["at"] >= LIFETIME:
        raise ApiError(42001)
    if grant["scope"] != "snsapi_userinfo":
        raise ApiError(48001)
    if grant["openid"] != call.query.get("openid"):
        raise ApiError(40003)
    phone = world.state.phones[grant["phone"]]
    return {
        "openid": grant["openid"],
        "nickname": "微信用户" if grant["snapshot"] else phone.name,
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": f"{world.config.origin}/mmhead/{phone.id}.svg",
        "privilege": [],
    }


ENDPOINTS = [
    Endpoint("/sns/oauth2/access_token", "GET", False, access_token),
    Endpoint("/sns/userinfo", "GET", False, userinfo),
]
