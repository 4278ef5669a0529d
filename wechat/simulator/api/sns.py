"""Web authorisation's server side: the code for an openid, the openid's profile."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from ..errors import ApiError
from ..oauth import CODE_SECONDS
from ..world import World
from . import Call, Endpoint

LIFETIME, REFRESH = 7200, 30 * 86400


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
        refresh = _grant(world, known, token)
    answer = {
        "access_token": token,
        "expires_in": LIFETIME,
        "refresh_token": refresh,
        "openid": known["openid"],
        "scope": known["scope"],
    }
    return answer | _unionid(world, known) | ({"is_snapshotuser": 1} if known["snapshot"] else {})


def _grant(world: World, known: dict[str, Any], token: str) -> str:
    """Keep a person's token; returns the one that renews it."""
    refresh = f"93_{secrets.token_urlsafe(64)}"
    world.user_tokens[token] = {**known, "at": world.now}
    world.refresh_tokens[refresh] = {**known, "at": world.now}
    return refresh


def _unionid(world: World, grant: dict[str, Any]) -> dict[str, str]:
    """The unionid of an account that belongs to an Open Platform account: with snsapi_userinfo only."""
    if not world.state.settings.unionid or grant["scope"] != "snsapi_userinfo":
        return {}
    return {"unionid": f"oUnion{hashlib.sha256(grant['openid'].encode()).hexdigest()[:22]}"}


def refresh_token(call: Call) -> dict[str, Any]:
    """GET /sns/oauth2/refresh_token: a fresh token, thirty days long."""
    world, given = call.world, call.query
    if given.get("grant_type") != "refresh_token":
        raise ApiError(40002)
    if given.get("appid") != world.config.appid:
        raise ApiError(40013)
    with world.change():
        known = world.refresh_tokens.get(given.get("refresh_token", ""))
        if known is None:
            raise ApiError(40030)
        if world.now - known["at"] >= REFRESH:
            raise ApiError(42002)
        token = f"93_{secrets.token_urlsafe(64)}"
        world.user_tokens[token] = {**known, "at": world.now}
    facts = {"expires_in": LIFETIME, "refresh_token": given["refresh_token"]}
    return {"access_token": token, **facts, "openid": known["openid"], "scope": known["scope"]}


def auth(call: Call) -> dict[str, Any]:
    """GET /sns/auth: whether a person's token still works."""
    grant = call.world.user_tokens.get(call.query.get("access_token", ""))
    if grant is None:
        raise ApiError(40001)
    if call.world.now - grant["at"] >= LIFETIME:
        raise ApiError(42001)
    if grant["openid"] != call.query.get("openid"):
        raise ApiError(40003)
    return {"errcode": 0, "errmsg": "ok"}


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
    return _unionid(world, grant) | {
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
    Endpoint("/sns/oauth2/refresh_token", "GET", False, refresh_token),
    Endpoint("/sns/auth", "GET", False, auth),
    Endpoint("/sns/userinfo", "GET", False, userinfo),
]
