"""WeChat's error codes and the words that come with them."""

from __future__ import annotations

import secrets

TEXTS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40004: "invalid media type",
    40007: "invalid media_id",
    40008: "invalid message type",
    40005: "invalid file type",
    40009: "invalid image size",
    40010: "invalid voice size",
    40011: "invalid video size",
    40012: "invalid thumb size",
    40013: "invalid appid",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40024: "invalid sub button type",
    40025: "invalid sub button name size",
    40026: "invalid sub button key size",
    40027: "invalid sub button url size",
    40029: "invalid code",
    40030: "invalid refresh_token",
    40033: "invalid charset. please check your request, if include \\uxxxx will create fail!",
    40037: "invalid template_id",
    40039: "invalid url size",
    40054: "invalid sub button url domain",
    40055: "invalid button url domain",
    40125: "invalid appsecret",
    40163: "code been used",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41005: "media data missing",
    41008: "missing code",
    42001: "access_token expired",
    42002: "refresh_token expired",
    43001: "require GET method",
    43002: "require POST method",
    40032: "invalid openid list size",
    40052: "invalid expire_seconds",
    40053: "invalid action info",
    40164: "invalid ip, not in whitelist",
    40201: "action invalid",
    40202: "check_operator invalid",
    40203: "callback domain can't be resolved",
    40246: "invalid template_id_short",
    40247: "invalid keyword_name_list",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    45002: "content size out of limit",
    45009: "reach max api daily quota limit",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45026: "template count exceeds limit",
    45029: "qrcode count out of limit",
    45056: "too many tag now, no need to add new",
    45058: "can't modify sys tag",
    45059: "can not tag user, the user has too many tags",
    45007: "playtime out of limit",
    45008: "article size out of limit",
    45072: "command is neither Typing nor CancelTyping",
    45081: "already typing",
    45080: "user has not been active in the last 30 seconds",
    45157: "invalid tag name, it is used already",
    45158: "tag name too long",
    45159: "invalid tag id",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
    49003: "not match openid with appid",
    53600: "article_id is invalid",
    65301: "no menu to match",
    65309: "user_id is no follower",
    65315: "too many domains in conditional menus",
    65318: "there must be at least one match rule",
    65319: "match rule has an invalid value",
    65320: "match rule names what can't be matched",
    76001: "rid not found",
    76021: "cgi_path not found",
    200011: "template count exceeds limit",
    200014: "template tid is not found",
    200020: "keyword list is invalid",
    200021: "scene desc is invalid",
    9410010: "invalid long_data",
    9410011: "invalid expire_seconds",
    9410012: "short_key not found",
}


class ApiError(Exception):
    """An API call answered with an errcode; `detail` follows the code's own words."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.text = " ".join(filter(None, [TEXTS.get(code, "unknown error"), detail]))
        super().__init__(f"{code} {self.text}")


def request_id(now: float) -> str:
    """The rid WeChat puts at the end of an error: three groups of hex digits."""
    return f"{int(now):08x}-{secrets.token_hex(4)}-{secrets.token_hex(4)}"
