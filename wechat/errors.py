"""What can go wrong when WeChat's API is asked: one exception class for each kind of refusal, by WeChat's code."""

from __future__ import annotations

import re

QUOTA_USED = 45009
_RID = re.compile(r"\s*,?\s*rid: ([0-9A-Za-z-]+)")


class WeChatError(Exception):
    """WeChat answered with an error code. ``rid`` is the request id that WeChat's support asks for."""

    def __init__(self, code: int, message: str) -> None:
        found = _RID.search(message)
        self.code, self.rid = code, found[1] if found else ""
        self.message = _RID.sub("", message)
        super().__init__(f"{code} {self.message} rid={self.rid}")


class WeChatUnavailable(Exception):
    """WeChat did not answer, or not in a way that can be read. Carries a kind of error, never an address or a key."""


class TooLarge(Exception):
    """A file of WeChat's has more bytes than we take."""


class NoSuchMedia(WeChatError):
    """The file is not there, or no longer: WeChat keeps what people send for three days."""


class Busy(WeChatError):
    """WeChat asks to try again in a moment; nothing was done."""


class StaleToken(WeChatError):
    """The access token is not the latest, or has run out. (On fetching one, 40001 means a wrong secret.)"""


class BadCredentials(WeChatError):
    """The AppID or the AppSecret is wrong, missing or frozen: WECHAT_APPID, WECHAT_SECRET."""


class AddressRefused(WeChatError):
    """This machine's address is not in the account's IP whitelist, or an administrator has to confirm it."""


class OverLimit(WeChatError):
    """Asked too often: WeChat does not do this any more for a while (wechat/limits.py keeps for how long)."""


class QuotaUsed(OverLimit):
    """The day's calls of this API are used up; WeChat counts anew at midnight in Beijing."""


class TooFast(OverLimit):
    """The minute's calls of this API are used up."""


class NotAllowed(WeChatError):
    """The account has no permission for this API, or is restricted."""


class NotReachable(WeChatError):
    """This person can't be written to: not a follower, no subscription left, or the time for an answer is over."""


class BadTag(WeChatError):
    """A tag that can't be made, found or given."""


_KINDS: dict[type[WeChatError], tuple[int, ...]] = {
    Busy: (-1,),
    StaleToken: (40001, 40014, 42001),
    BadCredentials: (40002, 40013, 40125, 40243, 41002, 41004),
    AddressRefused: (40164, 89503, 89506, 89507),
    QuotaUsed: (QUOTA_USED,),
    TooFast: (45011,),
    NotAllowed: (48001, 50002, 50005),
    NotReachable: (40003, 43004, 43101, 45015, 45047, 49003),
    NoSuchMedia: (40007,),
    BadTag: (45056, 45058, 45059, 45157, 45158, 45159),
}
_CLASSES = {code: kind for kind, codes in _KINDS.items() for code in codes}


def refusal(code: int, message: str) -> WeChatError:
    """The exception for an error code; a plain WeChatError for a code without a kind of its own."""
    return _CLASSES.get(code, WeChatError)(code, message)
