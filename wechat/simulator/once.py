"""The older one-time subscription's page on mp.weixin.qq.com: a person agrees, for one scene, to one message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from .addresses import MP
from .errors import ApiError
from .state import Phone
from .world import World

PAGE = "/mp/subscribemsg"
TEMPLATE = "TPL_once_00000000000000000000000000000000001"
SCENES = 10000


@dataclass(frozen=True)
class Question:
    """What the page asks: the addresses to which yes and no lead."""

    yes: str
    no: str


@dataclass(frozen=True)
class Answered:
    """Where the person's answer leads."""

    url: str


def ask(world: World, phone: Phone, query: dict[str, str]) -> Question | str:
    """The question of an address of the page, or why it is none."""
    wanted = query.get("redirect_url", "")
    scene = query.get("scene", "")
    wrong = [
        (query.get("action") != "get_confirm", "action 错误"),
        (query.get("appid") != world.config.appid, "appid 错误"),
        (query.get("template_id") != TEMPLATE, "template_id 错误"),
        (not scene.isdigit() or int(scene) > SCENES, "scene 为 0 到 10000 的整数"),
        (urlsplit(wanted).netloc != world.config.domain, "redirect_url 域名与后台配置不一致"),
    ]
    if said := next((text for bad, text in wrong if bad), ""):
        return said
    facts = {"openid": phone.openid, "template_id": TEMPLATE, "scene": scene, "reserved": query.get("reserved", "")}
    mark = "&" if urlsplit(wanted).query else "?"
    yes, no = (f"{wanted}{mark}{urlencode({**facts, 'action': action})}" for action in ("confirm", "cancel"))
    return Question(yes, no)


def visit(world: World, phone: Phone, query: dict[str, str]) -> Question | Answered | str:
    """The page as it is asked for: its question, where an answer (`confirmed`: yes or no) leads, or why it is none."""
    said = query.pop("confirmed", "")
    asked = ask(world, phone, query)
    if isinstance(asked, str) or said not in ("yes", "no"):
        return asked
    if said == "yes":
        with world.change():
            phone.once[query["scene"]] = phone.once.get(query["scene"], 0) + 1
    return Answered(asked.yes if said == "yes" else asked.no)


def step(world: World, phone: Phone, url: str) -> str | dict[str, Any] | None:
    """Open `url` without a screen: the next address, the page shown, or None when it is another page."""
    parts = urlsplit(url)
    if not url.startswith((world.config.origin, MP)) or parts.path != PAGE:
        return None
    shown = visit(world, phone, dict(parse_qsl(parts.query, keep_blank_values=True)))
    if isinstance(shown, Answered):
        return shown.url
    if isinstance(shown, Question):
        return {"status": 200, "title": "subscribe", "html": "", "allow": f"{url}&confirmed=yes"}
    return {"status": 200, "title": shown, "html": ""}


def use(phone: Phone, scene: str) -> None:
    """Send one message on what was agreed; raises ApiError 43101 without."""
    if phone.once.get(scene, 0) < 1:
        raise ApiError(43101)
    phone.once[scene] -= 1
