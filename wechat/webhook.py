"""What WeChat pushes (GET and POST /wechat): checked, opened, answered once, and quickly.

Whatever cannot be WeChat's is refused with 4xx. Redis remembers the first answer to each message for WeChat's retries;
without Redis a retry is handled again, which the handlers allow.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import Literal, Protocol

import structlog
from flask import Blueprint, Response, request
from redis import Redis

from config.clock import real_now
from config.metrics import PUSHES
from config.redis import attempt
from config.settings import Settings
from wechat.crypto import Crypto, Forged
from wechat.inbound import BadMessage, encrypted_part, parse
from wechat.messages import Inbound
from wechat.replies import SUCCESS, Reply
from wechat.signin import public

log = structlog.get_logger()

BODY_BYTES = 64 * 1024
FRESH = 300  # seconds that WeChat's clock and ours may differ; its retries within 15 s carry a stamp of their own
REMEMBERED = 2 * FRESH  # seconds: as long as the same push, sent again by somebody else, would be taken for fresh
WORKING = 6  # seconds after which a first delivery without an answer counts as lost
PATIENCE, STEP = 1.5, 0.1  # seconds a retry waits for the first delivery's answer, and between two looks
STAMP = re.compile(r"[0-9]{1,16}")
NONCE = re.compile(r"[0-9A-Za-z_.-]{1,128}")
PENDING = "…"


class TooLong(Exception):
    """Longer than anything that WeChat pushes."""


STATUS: dict[type[Exception], int] = {Forged: 403, BadMessage: 400, TooLong: 413}


class Desk(Protocol):
    """Answers messages."""

    def answer(self, message: Inbound) -> Reply:
        """The answer to one message."""


@dataclass(frozen=True)
class Envelope:
    """How messages come and answers go, in the account's mode."""

    crypto: Crypto
    mode: Literal["plain", "compatible", "safe"]
    previous: Crypto | None = None  # with the EncodingAESKey before a change: WeChat goes over to the new one by and by

    @classmethod
    def from_settings(cls, settings: Settings) -> Envelope:
        """The envelope of the settings' account."""
        token, before = settings.wechat_token.get_secret_value(), settings.wechat_aes_key_previous.get_secret_value()
        current = Crypto(token, settings.wechat_aes_key.get_secret_value(), settings.wechat_appid)
        return cls(current, settings.wechat_mode, replace(current, aes_key=before) if before else None)

    def open(self, body: str) -> tuple[str, Crypto | None]:
        """The message in this request's body, and what opened it and will seal the answer; None for plain text.

        Raises Forged, BadMessage.
        """
        stamp, nonce = stamp_and_nonce()
        if abs(int(stamp) - real_now().timestamp()) > FRESH:
            raise Forged("old")
        if encrypted():
            return self._opened(encrypted_part(body), (request.args.get("msg_signature", ""), stamp, nonce))
        if self.mode == "safe":
            raise Forged("plain text in safe mode")
        self.crypto.check(request.args.get("signature", ""), stamp, nonce)
        return body, None

    def _opened(self, sealed: str, signed: tuple[str, str, str]) -> tuple[str, Crypto]:
        try:
            return self.crypto.open(sealed, *signed), self.crypto
        except Forged:
            if self.previous is None:
                raise
            return self.previous.open(sealed, *signed), self.previous


def close(answer: str, crypto: Crypto | None) -> str:
    """The answer as the request wants it, sealed by what opened it; an empty one is ``success``, never encrypted."""
    if not answer:
        return SUCCESS
    if crypto is None:
        return answer
    return crypto.seal(answer, str(int(real_now().timestamp())), stamp_and_nonce()[1])


def encrypted() -> bool:
    """Whether this request says that its body is encrypted."""
    return request.args.get("encrypt_type", "raw") == "aes"


def stamp_and_nonce() -> tuple[str, str]:
    """This request's timestamp and nonce. Raises Forged for what WeChat would never send."""
    stamp, nonce = request.args.get("timestamp", ""), request.args.get("nonce", "")
    if not STAMP.fullmatch(stamp) or not NONCE.fullmatch(nonce):
        raise Forged("timestamp or nonce")
    return stamp, nonce


def blueprint(envelope: Envelope, store: Redis, desk: Desk) -> Blueprint:
    """The webhook's two routes."""
    inbox = Blueprint("webhook", __name__, url_prefix="/wechat")

    @inbox.get("")
    @public
    def check() -> Response:
        """WeChat's check of the address: the echostr comes back when the signature is right."""
        try:
            envelope.crypto.check(request.args.get("signature", ""), *stamp_and_nonce())
        except Forged:
            return plain("", 403)
        return plain(request.args.get("echostr", ""))

    @inbox.post("")
    @public
    def receive() -> Response:
        """One message or event."""
        try:
            message, crypto = read(envelope)
        except (Forged, BadMessage, TooLong) as error:
            log.warning("webhook-refused", kind=type(error).__name__, why=str(error))
            PUSHES.labels("unread", f"refused-{STATUS[type(error)]}").inc()
            return plain("", STATUS[type(error)])
        answer = first_answer(store, message, desk)
        return plain(close(answer, crypto), mimetype="text/plain" if not answer else "application/xml")

    return inbox


def read(envelope: Envelope) -> tuple[Inbound, Crypto | None]:
    """The message of this request, and what seals its answer. Raises Forged, BadMessage, TooLong."""
    body = request.stream.read(BODY_BYTES + 1)
    if len(body) > BODY_BYTES:
        raise TooLong
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise BadMessage("utf-8") from None
    xml, crypto = envelope.open(text)
    return parse(xml), crypto


def plain(text: str, status: int = 200, mimetype: str = "text/plain") -> Response:
    """A response that no browser takes for a page."""
    return Response(text, status, {"X-Content-Type-Options": "nosniff"}, mimetype=mimetype)


def first_answer(store: Redis, message: Inbound, desk: Desk) -> str:
    """The answer's XML, empty for none: a retry gets the answer that the first delivery got."""
    key = memory_key(message)
    known = None if attempt(lambda: store.set(key, PENDING, nx=True, ex=WORKING), True) else _awaited(store, key)
    if known is not None:
        PUSHES.labels(type(message).__name__, "repeated").inc()
        return known
    try:
        reply = desk.answer(message)
    except BaseException:
        attempt(lambda: store.delete(key), None)
        PUSHES.labels(type(message).__name__, "failed").inc()
        raise
    PUSHES.labels(type(message).__name__, type(reply).__name__).inc()
    answer = reply.xml(to=message.openid, sender=message.account, at=int(real_now().timestamp()))
    attempt(lambda: store.set(key, answer, ex=REMEMBERED), None)
    return answer


def memory_key(message: Inbound) -> str:
    """Where Redis keeps the answer to a message; tells nothing of who sent it."""
    return "wechat:seen:" + hashlib.sha256("\0".join(message.identity).encode()).hexdigest()


def _awaited(store: Redis, key: str) -> str | None:
    """The first delivery's answer, or None when it is not known in good time."""
    end = monotonic() + PATIENCE
    while True:
        known = attempt(lambda: store.get(key), None)
        if known != PENDING:
            return known
        if monotonic() > end:
            return None
        sleep(STEP)
