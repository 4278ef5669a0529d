"""Short-lived tickets for scanned codes, so that the content of a child's QR code never stands in an address."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from redis import Redis

from config.encryption import DecryptionError, ring
from config.redis import attempt

SECONDS = 600
CONTEXT = "ticket.code"


@dataclass(frozen=True)
class Tickets:
    """Codes kept in Redis, encrypted, for ten minutes."""

    store: Redis

    def put(self, code: str) -> str | None:
        """Keep a scanned code. Returns its ticket, or None when Redis is down."""
        ticket = secrets.token_urlsafe(18)
        sealed = base64.b64encode(ring().encrypt(code, CONTEXT)).decode()
        return ticket if attempt(lambda: self.store.set(_key(ticket), sealed, ex=SECONDS), None) else None

    def get(self, ticket: str) -> str | None:
        """The code again, or None when the ticket is unknown or older than ten minutes, or Redis is down."""
        sealed = attempt(lambda: self.store.get(_key(ticket)), None)
        if sealed is None:
            return None
        try:
            return ring().decrypt(base64.b64decode(sealed), CONTEXT)
        except (DecryptionError, ValueError, IndexError):
            return None


def _key(ticket: str) -> str:
    return f"wechat:ticket:{ticket[:64]}"
