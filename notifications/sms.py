"""The port through which text messages leave the clinic; integrations/sms.py has its adapters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class TextMessage:
    """One text message: ``id`` is the same at every try, ``phone`` digits as the hospital has it on file, ``message``
    the catalogue's name, ``values`` what the provider's template for it takes, in order."""

    id: UUID
    phone: str
    message: str
    values: tuple[str, ...]


class Sms(Protocol):
    """Sends one text message. May take seconds: call with no transaction open, from several threads at once."""

    def send(self, text: TextMessage) -> str:
        """Send and return the provider's own id of the message. Raises notifications.channel.ChannelError."""
