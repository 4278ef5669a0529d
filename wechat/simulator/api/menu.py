"""The account's menu: create, get, delete."""

from __future__ import annotations

import re
from typing import Any

from .. import menu_rules
from ..errors import ApiError
from . import Call, Endpoint

OK = {"errcode": 0, "errmsg": "ok"}


def create(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/menu/create: refuses escapes and broken limits, then shows on every phone at once."""
    if re.search(rb"\\u[0-9a-fA-F]{4}", call.raw):
        raise ApiError(40033)
    menu = menu_rules.check(call.json())
    with call.world.change() as state:
        state.menu = menu
        call.world.publish("menu", menu=menu)
    return OK


def get(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/menu/get."""
    menu = call.world.state.menu
    if menu is None:
        raise ApiError(46003)
    return {"menu": menu}


def delete(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/menu/delete."""
    with call.world.change() as state:
        state.menu = None
        call.world.publish("menu", menu=None)
    return OK


ENDPOINTS = [
    Endpoint("/cgi-bin/menu/create", "POST", True, create),
    Endpoint("/cgi-bin/menu/get", "GET", True, get),
    Endpoint("/cgi-bin/menu/delete", "GET", True, delete),
]
