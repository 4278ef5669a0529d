"""The account's menus: the default one, conditional ones, and which a person sees."""

from __future__ import annotations

import re
from typing import Any

from .. import menu_rules, menus
from ..errors import ApiError
from ..world import World
from . import Call, Endpoint

OK = {"errcode": 0, "errmsg": "ok"}


def _no_escapes(call: Call) -> None:
    if re.search(rb"\\u[0-9a-fA-F]{4}", call.raw):
        raise ApiError(40033)


def _tell(world: World) -> None:
    """Every phone may show another menu now."""
    world.publish("menu", menu=world.state.menu)
    for phone in world.state.phones.values():
        world.publish_phone(phone)


def create(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/menu/create: refuses escapes and broken limits, then shows on every phone at once."""
    _no_escapes(call)
    menu = menu_rules.check(call.json())
    with call.world.change() as state:
        state.menu = menu
        _tell(call.world)
    return OK


def get(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/menu/get: conditional menus, newest first, beside the default one."""
    state = call.world.state
    if state.menu is None:
        raise ApiError(46003)
    if not state.conditional:
        return {"menu": state.menu}
    return {"menu": {**state.menu, "menuid": menus.DEFAULT_ID}, "conditionalmenu": state.conditional[::-1]}


def delete(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/menu/delete: all menus go."""
    with call.world.change() as state:
        state.menu, state.conditional = None, []
        _tell(call.world)
    return OK


def add_conditional(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/menu/addconditional: needs a default menu first."""
    _no_escapes(call)
    body = call.json()
    buttons = menu_rules.check(body)
    with call.world.change() as state:
        if state.menu is None:
            raise ApiError(65301)
        made = {**buttons, "matchrule": menus.rule(state, body.get("matchrule")), "menuid": state.last_menu + 1}
        menus.check_domains([*state.conditional, made])
        state.last_menu, state.conditional = made["menuid"], [*state.conditional, made]
        _tell(call.world)
    return {"menuid": str(made["menuid"])}


def delete_conditional(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/menu/delconditional."""
    number = str(call.json().get("menuid"))
    with call.world.change() as state:
        kept = [menu for menu in state.conditional if str(menu["menuid"]) != number]
        if len(kept) == len(state.conditional):
            raise ApiError(65301)
        state.conditional = kept
        _tell(call.world)
    return OK


def try_match(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/menu/trymatch: the menu a person (openid or WeChat ID) sees."""
    phone = call.world.phone(str(call.json().get("user_id")))
    if phone is None or not phone.following:
        raise ApiError(65309)
    menu = menus.shown_to(call.world.state, phone)
    if menu is None:
        raise ApiError(46003)
    return {"menu": {"button": menu["button"]}}


def current(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/get_current_selfmenu_info."""
    return menus.current(call.world.state.menu)


ENDPOINTS = [
    Endpoint("/cgi-bin/menu/create", "POST", True, create),
    Endpoint("/cgi-bin/menu/get", "GET", True, get),
    Endpoint("/cgi-bin/menu/delete", "GET", True, delete),
    Endpoint("/cgi-bin/menu/addconditional", "POST", True, add_conditional),
    Endpoint("/cgi-bin/menu/delconditional", "POST", True, delete_conditional),
    Endpoint("/cgi-bin/menu/trymatch", "POST", True, try_match),
    Endpoint("/cgi-bin/get_current_selfmenu_info", "GET", True, current),
]
