"""How often a path may be called a day and a minute, and what was called."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from .errors import ApiError
from .state import State
from .world import CHINA

DAILY = {  # the platform's published numbers; a path that is not named here has DEFAULT
    "/cgi-bin/token": 2_000,
    "/cgi-bin/stable_token": 500_000,
    "/cgi-bin/ticket/getticket": 1_000_000,
    "/cgi-bin/menu/create": 1_000,
    "/cgi-bin/menu/get": 10_000,
    "/cgi-bin/menu/delete": 1_000,
    "/cgi-bin/menu/addconditional": 2_000,
    "/cgi-bin/menu/delconditional": 2_000,
    "/cgi-bin/menu/trymatch": 20_000,
    "/cgi-bin/message/custom/send": 500_000,
    "/cgi-bin/message/template/send": 100_000,
    "/cgi-bin/qrcode/create": 100_000,
    "/cgi-bin/user/get": 500,
    "/cgi-bin/user/info": 5_000_000,
    "/cgi-bin/media/upload": 100_000,
    "/cgi-bin/media/get": 200_000,
}
MINUTELY = {"/cgi-bin/stable_token": 10_000, "/sns/oauth2/access_token": 50_000, "/sns/userinfo": 50_000}
DEFAULT, CLEARS_A_MONTH = 1_000_000, 10
FREE = {"/cgi-bin/clear_quota", "/cgi-bin/clear_quota/v2", "/cgi-bin/openapi/quota/get", "/cgi-bin/openapi/rid/get"}


def day(now: float) -> str:
    """The day by which quotas are counted: China's."""
    return datetime.fromtimestamp(now, CHINA).strftime("%Y-%m-%d")


def daily(state: State, path: str) -> int:
    """How many calls of a path a day allows."""
    return int(state.settings.quotas.get(path, DAILY.get(path, DEFAULT)))


def used(state: State, path: str, now: float) -> int:
    """How many calls of a path there were today."""
    known = state.usage.get(path)
    return int(known["count"]) if known and known["day"] == day(now) else 0


def count(state: State, path: str, now: float) -> None:
    """Count one call; raises ApiError 45009 when the day's are used up, 45011 when the minute's are."""
    if path in FREE or not path.startswith(("/cgi-bin", "/sns", "/wxa")):
        return
    minutely = state.settings.minute_quotas.get(path, MINUTELY.get(path))
    minute = int(now // 60)
    known: dict[str, Any] = state.usage.get(path) or {}
    in_minute = known.get("in_minute", 0) if known.get("minute") == minute else 0
    today = used(state, path, now)
    if today >= daily(state, path):
        raise ApiError(45009)
    if minutely is not None and in_minute >= minutely:
        raise ApiError(45011)
    state.usage[path] = {"day": day(now), "count": today + 1, "minute": minute, "in_minute": in_minute + 1}


def use_up(state: State, path: str, now: float) -> None:
    """Leave nothing of a path's day."""
    state.usage[path] = {"day": day(now), "count": daily(state, path), "minute": 0, "in_minute": 0}


def clear(state: State, now: float) -> None:
    """All paths may be called again; raises ApiError 48006 after ten times a month."""
    month = day(now)[:7]
    state.clears = [moment for moment in state.clears if moment.startswith(month)]
    if len(state.clears) >= CLEARS_A_MONTH:
        raise ApiError(48006)
    state.clears.append(day(now))
    state.usage.clear()
