"""The notification channel over WeChat's template messages and, where there is no template, subscription notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import requests
import structlog
from urllib3.exceptions import NewConnectionError

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
    43101: ("no-subscription", "never"),
    47001: ("bad-field", "never"),
    47003: ("bad-field", "never"),
    43108: ("busy", "quick"),
    43116: ("template-limited", "slow"),
    45009: ("quota", "slow"),
    45011: ("quota", "slow"),
}
# The account's own trouble (IP list, permission): somebody repairs it.
OTHERWISE: tuple[str, Retry] = ("refused", "slow")


@dataclass(frozen=True)
class TemplateChannel:
    """notifications.channel.Channel over ``message/template/send``, else ``message/subscribe/bizsend``."""

    client: WeChatClient
    templates: Mapping[str, str]
    subscriptions: Mapping[str, str] = field(default_factory=dict)

    def send(self, message: OutgoingMessage) -> str:
        """Send; returns WeChat's message id. A second send of the same id within 10 minutes is dropped by WeChat.

        Raises ChannelError.
        """
        path, body = self._request(message)
        try:
            self.client.tokens.current()  # fetched first: what fails afterwards may have been sent
        except (WeChatError, WeChatUnavailable) as error:
            raise ChannelError("unavailable", "quick") from error
        try:
            answer = self.client.call("post", path, body)
        except WeChatUnavailable as error:
            raise ChannelError("unavailable", "quick", unknown=not _never_left(error)) from error
        except WeChatError as error:
            log.warning("template-refused", id=str(message.id), code=error.code, rid=error.rid)
            raise ChannelError(*REFUSALS.get(error.code, OTHERWISE)) from error
        return str(answer.get("msgid", ""))

    def _request(self, message: OutgoingMessage) -> tuple[str, dict[str, Any]]:
        """Where to send it and what. Raises ChannelError without a template and a notice."""
        common = {
            "touser": message.openid,
            "client_msg_id": str(message.id),
            "data": {key: {"value": value} for key, value in message.data.items()},
        }
        if template := self.templates.get(message.message):
            return "message/template/send", {**common, "template_id": template, "url": message.url}
        if notice := self.subscriptions.get(message.message):
            return "message/subscribe/bizsend", {**common, "template_id": notice, "page": message.url}
        raise ChannelError("no-template", "never")


def _never_left(error: WeChatUnavailable) -> bool:
    """Whether no connection came about, so that WeChat can't have got the message."""
    cause = error.__context__
    if isinstance(cause, requests.ConnectTimeout):
        return True
    reason = (
        getattr(cause.args[0], "reason", None) if isinstance(cause, requests.ConnectionError) and cause.args else None
    )
    return isinstance(reason, NewConnectionError)
