"""Two names for one page: what the account calls it, and where it stands on a phone's loopback host.

The account's pages live on its backend's origin and WeChat's own pages on open.weixin.qq.com (or this simulator's
origin, when the backend is told so). In a phone both stand on `http://<phone>.localhost`, the latter under `/.wechat`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote

from .config import Config

WECHAT = "/.wechat"
OPEN = "https://open.weixin.qq.com"
MP = "https://mp.weixin.qq.com"
SCRIPTS = (MP, "https://res.wx.qq.com", "http://res.wx.qq.com", "https://res2.wx.qq.com")


def to_phone(config: Config, phone: str, url: str) -> str:
    """Where the phone's browser shows `url`; other sites stay where they are, a bare path is the backend's."""
    home = config.phone_origin(phone)
    for origin, place in ((config.backend, home), *((name, home + WECHAT) for name in (config.origin, OPEN, MP))):
        if url == origin or url.startswith((origin + "/", origin + "?")):
            return place + url[len(origin) :]
    return url


def to_account(config: Config, phone: str, text: str) -> str:
    """The account's own words for addresses on the phone's host: in a Referer, an Origin, a query."""
    home = re.escape(config.phone_origin(phone)).replace(":", "(?::|%3A)").replace("/", "(?:/|%2F)")

    def ours(match: re.Match[str]) -> str:
        return quote(config.backend, safe="") if "%" in match[0] else config.backend

    return re.sub(home, ours, text, flags=re.IGNORECASE)


def rewrite_html(config: Config, phone: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A page as it streams by, with its absolute links to the account and to WeChat leading to the phone's host."""
    home = config.phone_origin(phone).encode()
    places = {config.backend.encode(): home, OPEN.encode(): home + WECHAT.encode()}
    places |= {origin.encode(): home + WECHAT.encode() for origin in SCRIPTS}
    pattern = re.compile(b"(" + b"|".join(map(re.escape, places)) + rb")(?![\w.:-])")
    kept = max(map(len, places)) + 1  # so much of the end may be the beginning of a match
    rest = b""
    for chunk in chunks:
        rest += chunk
        done, rest = _replaced(pattern, places, rest, len(rest) - kept)
        if done:
            yield done
    yield pattern.sub(lambda match: places[match[1]], rest)


def _replaced(pattern: re.Pattern[bytes], places: dict[bytes, bytes], text: bytes, cut: int) -> tuple[bytes, bytes]:
    """The text up to about `cut` with its matches replaced, and the untouched rest."""
    parts, position = [], 0
    for match in pattern.finditer(text):
        if match.end() > cut:
            cut = min(cut, match.start())
            break
        parts += [text[position : match.start()], places[match[1]]]
        position = match.end()
    cut = max(cut, position)
    return b"".join([*parts, text[position:cut]]), text[cut:]


def rewrite_policy(config: Config, phone: str, policy: str) -> str:
    """A Content-Security-Policy for the phone's host: WeChat's web view is no frame, and the host has no https."""
    parts = (part.strip() for part in policy.split(";"))
    kept = [part for part in parts if not part.lower().startswith(("frame-ancestors", "upgrade-insecure-requests"))]
    text = "; ".join(filter(None, kept))
    for origin in (config.backend, OPEN, *SCRIPTS):
        text = re.sub(re.escape(origin) + r"(?![\w.:-])", config.phone_origin(phone), text)
    return text
