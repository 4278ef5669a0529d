"""A phone's cookie jar for the account's pages: kept by the simulator, so that no two phones share a session."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any

Jar = list[dict[str, Any]]  # each: name, value, path, expires (unix seconds or None)


def take(jar: Jar, headers: list[str], request_path: str, now: float) -> Jar:
    """The jar after these Set-Cookie headers of an answer to `request_path`."""
    for header in headers:
        try:
            morsels = SimpleCookie(header).values()
        except CookieError:
            continue
        for morsel in morsels:
            cookie = _cookie(morsel, request_path, now)
            jar = [known for known in jar if (known["name"], known["path"]) != (cookie["name"], cookie["path"])]
            if cookie["expires"] is None or cookie["expires"] > now:
                jar = [*jar, cookie]
    return jar


def _cookie(morsel: Morsel[str], request_path: str, now: float) -> dict[str, Any]:
    path = morsel["path"] if morsel["path"].startswith("/") else request_path.rpartition("/")[0] or "/"
    return {"name": morsel.key, "value": morsel.coded_value, "path": path, "expires": _expires(morsel, now)}


def _expires(morsel: Morsel[str], now: float) -> float | None:
    """Max-Age wins over Expires; neither means until WeChat forgets."""
    try:
        if morsel["max-age"]:
            return now + int(morsel["max-age"])
        if morsel["expires"]:
            return parsedate_to_datetime(morsel["expires"]).timestamp()
    except ValueError:
        return None
    return None


def header(jar: Jar, path: str, now: float) -> str:
    """The Cookie header for a request to `path`: longer paths first; empty when there is nothing to send."""
    fitting = [c for c in jar if (c["expires"] is None or c["expires"] > now) and _covers(c["path"], path)]
    fitting.sort(key=lambda cookie: -len(cookie["path"]))
    return "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in fitting)


def _covers(cookie_path: str, path: str) -> bool:
    return path == cookie_path or path.startswith(cookie_path if cookie_path.endswith("/") else cookie_path + "/")
