"""The port through which messages leave the clinic; wechat/templates.py is its adapter for WeChat's messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

Retry = Literal["quick", "slow", "never"]


@dataclass(frozen=True)
class OutgoingMessage:
    """One message as the channel takes it.

    ``id`` is the same at every try, so the channel can drop a double (WeChat's ``client_msg_id``). ``message`` is the
    catalogue's name, ``data`` the typed keys (``thing1``) with values that fit, ``url`` the absolute address it opens.
    """

    id: UUID
    openid: str
    message: str
    data: dict[str, str]
    url: str


class ChannelError(Exception):
    """The message was not taken, or (``unknown``) perhaps it was: the answer did not come. ``code`` says why,
    ``retry`` whether and how soon trying again can help."""

    def __init__(self, code: str, retry: Retry, *, unknown: bool = False) -> None:
        super().__init__(code)
        self.code, self.unknown = code, unknown
        self.retry: Retry = retry


class Channel(Protocol):
    """Sends one message. May take seconds: call with no transaction open, from several threads at once."""

    def send(self, message: OutgoingMessage) -> str:
        """Send and return the channel's own id of the message. Raises ChannelError."""
