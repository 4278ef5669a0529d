"""When a person may be answered by a customer-service message: what they did opens a window for a few messages.

Source: WeChat's page on customer-service messages: a message of the person 5 within 48 hours; a menu tap, following and
scanning a code of the account 3 within a minute each. Kept in Redis; what is not known there is not allowed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from redis import Redis

from config.redis import attempt
from wechat.messages import Clicked, Followed, Inbound, Message, Scanned, ScanShown, SceneScanned, Text

MINUTE, HOURS_48 = 60, 48 * 3600
KINDS = ("menu", "follow", "scan", "message")  # those that close soonest are used first
SPEND = """
for _, key in ipairs(KEYS) do
  if tonumber(redis.call('get', key) or '0') > 0 then
    redis.call('decr', key)
    return 1
  end
end
return 0
"""


def opened_by(message: Inbound) -> tuple[str, int, int] | None:
    """The window that a message or event opens: kind, seconds, messages; None for none."""
    if isinstance(message, Clicked | Scanned | ScanShown) or (isinstance(message, Text) and message.menu_id):
        return ("menu", MINUTE, 3)
    if isinstance(message, Followed):
        return ("follow", MINUTE, 3)
    if isinstance(message, SceneScanned):
        return ("scan", MINUTE, 3)
    return ("message", HOURS_48, 5) if isinstance(message, Message) else None


def opening(message: Inbound) -> tuple[str, str, str] | None:
    """The window as Redis remembers it: key, messages, seconds; None for what opens none."""
    window = opened_by(message)
    if window is None:
        return None
    kind, seconds, count = window
    return (_key(message.openid, kind), str(count), str(seconds))


@dataclass(frozen=True)
class Windows:
    """What is left to say to each person."""

    store: Redis

    def spend(self, openid: str) -> bool:
        """Use one message of an open window; False when there is none, or Redis is down."""
        keys = [_key(openid, kind) for kind in KINDS]
        return bool(attempt(lambda: self.store.eval(SPEND, len(keys), *keys), 0))

    def close(self, openid: str) -> None:
        """WeChat says that nothing may be said any more."""
        attempt(lambda: self.store.delete(*(_key(openid, kind) for kind in KINDS)), None)


def _key(openid: str, kind: str) -> str:
    return f"wechat:window:{hashlib.sha256(openid.encode()).hexdigest()[:32]}:{kind}"
