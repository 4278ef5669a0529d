"""What WeChat Pay tells us by itself: a payment was made, a refund ended. Verified, opened, parsed.

Who takes these in answers 200 or 204 within five seconds once what they mean is in the database, and a failure
otherwise; WeChat Pay then comes again over 24 hours, newly signed, with the same ``id``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from config.redis import attempt
from payments.gateway import Payment, Refund
from wechat.pay.keys import PlatformKeys
from wechat.pay.parsing import payment_of, refund_notified
from wechat.pay.signing import FRESH, Seal, Unverified, unseal

NOTIFY_PATH = "/pay/notify"  # behind the clinic's own origin, as orders and refunds name it

FirstTime = Callable[[str], bool]


@dataclass(frozen=True)
class Notice:
    """One notification: its ``id`` is the same at every try, ``kind`` is WeChat Pay's event type
    (``TRANSACTION.SUCCESS``, ``REFUND.ABNORMAL``, ...), ``about`` what became of which payment or refund."""

    id: str
    kind: str
    about: Payment | Refund


def once(store: Redis) -> FirstTime:
    """Remembers nonces in Redis for as long as a signature is fresh. Redis down: everything is new, and the ids of
    notices, kept by whoever handles them, are the last word."""

    def first_time(nonce: str) -> bool:
        key, seconds = f"wechat:pay:nonce:{nonce[:64]}", int(FRESH.total_seconds()) * 2
        return bool(attempt(lambda: store.set(key, "1", nx=True, ex=seconds), True))

    return first_time


@dataclass(frozen=True)
class Notices:
    """Reads notifications. ``first_time`` says whether a nonce has not been seen before."""

    keys: PlatformKeys
    api_key: bytes
    mchid: str
    first_time: FirstTime

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notice:
        """The notice in a POST of WeChat Pay. Raises Unverified: a probe, unsigned, stale, signed by somebody else,
        replayed, sealed with another key, about another merchant, or of a kind that is neither payment nor refund."""
        envelope = self.opened(headers, body, now)
        resource = _json(unseal(self.api_key, envelope["resource"]))
        if resource.get("mchid", self.mchid) != self.mchid:
            raise Unverified("another-merchant")
        kind, original = str(envelope.get("event_type")), envelope["resource"].get("original_type")
        try:
            if original == "transaction":
                return Notice(str(envelope["id"]), kind, payment_of(resource))
            if original == "refund":
                return Notice(str(envelope["id"]), kind, refund_notified(resource))
        except (KeyError, TypeError, ValueError):
            raise Unverified("malformed") from None
        raise Unverified("unknown-kind")

    def opened(self, headers: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
        """The envelope, verified and never seen before; its ``resource`` is sealed still. Raises Unverified."""
        seal = Seal.of(headers)
        seal.check(self.keys.key(seal.serial, now), body, now)
        if not self.first_time(seal.nonce):
            raise Unverified("replayed")
        envelope = _json(body)
        if not isinstance(envelope.get("resource"), dict):
            raise Unverified("malformed")
        return envelope


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        raise Unverified("malformed") from None
    if not isinstance(found, dict):
        raise Unverified("malformed")
    return found
