"""notifications.answers.Answers over WeChat's customer-service messages, within the windows that WeChat gives."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from wechat.client import WeChatClient
from wechat.errors import NotReachable, WeChatError, WeChatUnavailable
from wechat.replies import TEXT_BYTES, cut
from wechat.windows import Windows

log = structlog.get_logger()


@dataclass(frozen=True)
class CustomerService:
    """Customer-service texts; may hold ``<a href>`` links."""

    client: WeChatClient
    windows: Windows

    def say(self, openid: str, text: str) -> bool:
        """Say it if a window is open; returns whether WeChat took it."""
        if not self.windows.spend(openid):
            log.info("answer-not-allowed")
            return False
        message = {"touser": openid, "msgtype": "text", "text": {"content": cut(text, TEXT_BYTES)}}
        try:
            self.client.call("post", "message/custom/send", message)
        except NotReachable as error:  # 45015, 45047: WeChat has counted otherwise; or the person has left
            self.windows.close(openid)
            log.warning("answer-refused", code=error.code, rid=error.rid)
            return False
        except WeChatError as error:
            log.warning("answer-refused", code=error.code, rid=error.rid)
            return False
        except WeChatUnavailable as error:
            log.warning("answer-lost", why=str(error))
            return False
        return True
