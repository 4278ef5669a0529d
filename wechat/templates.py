"""The notification channel over WeChat's template messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import structlog

from notifications.channel import ChannelError, OutgoingMessage
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable

log = structlog.get_logger()

Retry = Literal["quick", "slow", "never"]

# WeChat's error code: our code, and whether and how soon trying again can help.
REFUSALS: dict[int, tuple[str, Retry]] = {
    -1: ("busy", "quick"),
    40001: ("token", "quick"),
    40014: ("token", "quick"),
    42001: ("token", "quick"),
    40003: ("not-a-follower", "never"),
    43004: ("not-a-follower", "never"),
    40036: ("no-template", "never"),
    40037: ("no-template", "never"),
    40039: ("bad-link", "never"),
    40249: ("forbidden-content", "never"),
    47001: ("bad-field", "never"),
    47003: ("bad-field", "never"),
    43116: ("template-limited", "slow"),
    45009: ("quota", "slow"),
    45011: ("quota", "slow"),
}
# The account's own trouble (IP list, permission): somebody repairs it.
OTHERWISE: tuple[str, Retry] = ("refused", "slow")


@dataclass(frozen=True)
class TemplateChannel:
    """notifications.channel.Channel over ``message/template/send``."""

    client: WeChatClient
    templates: Mapping[str, str]

    def send(self, message: OutgoingMessage) -> str:
        """Send; returns WeChat's message id. A second send of the same id within 10 minutes is dropped by WeChat.

        Raises ChannelError.
        """
        template = self.templates.get(message.message)
        if not template:
            raise ChannelError("no-template", "never")
        body = {
            "touser": message.openid,
            "template_id": template,
            "url": message.url,
            "client_msg_id": str(message.id),
            "data": {key: {"value": value} for key, value in message.data.items()},
        }
        try:
            answer = self.client.call("post", "message/template/send", body)
        except WeChatUnavailable as error:
            raise ChannelError("unavailable", "quick") from error
        except WeChatError as error:
            log.warning("template-refused", id=str(message.id), code=error.code, rid=error.rid)
            raise ChannelError(*REFUSALS.get(error.code, OTHERWISE)) from error
        return str(answer.get("msgid", ""))
