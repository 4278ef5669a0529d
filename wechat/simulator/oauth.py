"""open.weixin.qq.com: web authorisation, from the authorize address to the code."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from .state import Phone
from .world import World

CODE_SECONDS = 300.0
SCOPES = ("snsapi_base", "snsapi_userinfo")
STATE_BYTES = 128
ORDER = ["appid", "redirect_uri", "response_type", "scope", "state"]


@dataclass(frozen=True)
class Redirect:
    """Go to the account's page, in the account's own terms."""

    url: str


@dataclass(frozen=True)
class Consent:
    """Ask the person first."""

    allow: str  # where allowing leads: the same address with `confirmed=1`


@dataclass(frozen=True)
class Refusal:
    """An error page: WeChat's code and words."""

    code: int
    text: str


def authorize(world: World, phone: Phone, query: dict[str, str], confirmed: bool) -> Redirect | Consent | Refusal:
    """What happens when a phone's browser opens the authorize address with this query."""
    if refusal := _wrong(world, query):
        return refusal
    if query["scope"] == "snsapi_userinfo" and not confirmed and not phone.snapshot:
        return Consent(f"?{urlencode(query)}&confirmed=1")
    code = f"0{secrets.token_urlsafe(24)[:31]}"
    with world.change():
        world.codes = {
            name: known for name, known in world.codes.items() if world.now - known["at"] < CODE_SECONDS * 12
        }
        world.codes[code] = {
            "openid": virtual_openid(phone) if phone.snapshot else phone.openid,
            "phone": phone.id,
            "scope": query["scope"],
            "at": world.now,
            "snapshot": phone.snapshot,
            "used": False,
        }
    parts = urlsplit(query["redirect_uri"])
    answer = urlencode({"code": code, "state": query.get("state", "")})
    return Redirect(urlunsplit(parts._replace(query=f"{parts.query}&{answer}" if parts.query else answer)))


def virtual_openid(phone: Phone) -> str:
    """The openid a snapshot page gives: like a real one, but nobody's."""
    return "oVirtual" + hashlib.sha256(phone.openid.encode()).hexdigest()[:20]


def _wrong(world: World, query: dict[str, str]) -> Refusal | None:
    """The first thing WeChat's error page would name."""
    target = urlsplit(query.get("redirect_uri", ""))
    checks = [
        (not query.get("appid"), 10012, "appid 不能为空"),
        (query.get("appid") != world.config.appid, 40013, "AppID 参数错误"),
        (not query.get("redirect_uri"), 10011, "redirect_uri 不能为空"),
        (not query.get("scope"), 10010, "scope 不能为空"),
        (query.get("scope") not in SCOPES, 10005, "Scope 参数错误或没有 Scope 权限"),
        (query.get("response_type") != "code", 10004, "response_type 参数错误"),
        (
            target.scheme not in ("http", "https") or target.netloc != world.config.domain,
            10003,
            "redirect_uri 参数错误",
        ),
        (len(query.get("state", "").encode()) > STATE_BYTES, 10013, "state 参数过长"),
    ]
    return next((Refusal(code, text) for wrong, code, text in checks if wrong), None)


def in_order(names: list[str]) -> bool:
    """Whether the parameters stand in the order WeChat's documentation insists on."""
    known = [name for name in names if name in ORDER]
    return known == [name for name in ORDER if name in known]
