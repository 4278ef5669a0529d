"""What WeChat pushes (POST /wechat): checked, opened, answered once, and quickly. GET is WeChat's check of the address.

Whatever cannot be WeChat's is refused with 4xx. Redis remembers the first answer to each message for WeChat's retries;
without Redis a retry is handled again, which the handlers allow. Pushes are answered in front of Flask: sessions, form
tokens and the headers of pages are not for them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from itertools import count
from secrets import token_hex
from time import monotonic, sleep
from typing import TYPE_CHECKING, Literal, Protocol
from urllib.parse import parse_qsl

import structlog
from flask import Blueprint, Response, request
from prometheus_client import Counter, Histogram
from redis import Redis
from structlog.contextvars import bind_contextvars, clear_contextvars
from werkzeug.wsgi import get_input_stream

from config.clock import real_now
from config.metrics import PUSHES, REQUESTS
from config.redis import Direct, attempt
from config.settings import Settings
from wechat.crypto import Crypto, Forged
from wechat.inbound import BadMessage, encrypted_part, parse
from wechat.messages import Inbound
from wechat.replies import SUCCESS, Reply
from wechat.signin import public
from wechat.windows import opening

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = structlog.get_logger()
Query = Mapping[str, str]

PATH = "/wechat"
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


STATUS: dict[type[Exception], HTTPStatus] = {
    Forged: HTTPStatus.FORBIDDEN,
    BadMessage: HTTPStatus.BAD_REQUEST,
    TooLong: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
}


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

    def open(self, body: bytes, query: Query) -> tuple[str | bytes, Crypto | None]:
        """The message in this push, and what opened it and will seal the answer; None for plain text.

        Raises Forged, BadMessage.
        """
        stamp, nonce = stamp_and_nonce(query)
        if abs(int(stamp) - real_now().timestamp()) > FRESH:
            raise Forged("old")
        if query.get("encrypt_type", "raw") == "aes":
            return self._opened(encrypted_part(body), (query.get("msg_signature", ""), stamp, nonce))
        if self.mode == "safe":
            raise Forged("plain text in safe mode")
        self.crypto.check(query.get("signature", ""), stamp, nonce)
        return body, None

    def _opened(self, sealed: str, signed: tuple[str, str, str]) -> tuple[str, Crypto]:
        try:
            return self.crypto.open(sealed, *signed), self.crypto
        except Forged:
            if self.previous is None:
                raise
            return self.previous.open(sealed, *signed), self.previous


def close(answer: str, crypto: Crypto | None, nonce: str) -> str:
    """The answer as the push wants it, sealed by what opened it; an empty one is ``success``, never encrypted."""
    if not answer:
        return SUCCESS
    if crypto is None:
        return answer
    return crypto.seal(answer, str(int(real_now().timestamp())), nonce)


def stamp_and_nonce(query: Query) -> tuple[str, str]:
    """A request's timestamp and nonce. Raises Forged for what WeChat would never send."""
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not STAMP.fullmatch(stamp) or not NONCE.fullmatch(nonce):
        raise Forged("timestamp or nonce")
    return stamp, nonce


def blueprint(envelope: Envelope) -> Blueprint:
    """WeChat's check of the address."""
    inbox = Blueprint("webhook", __name__, url_prefix=PATH)

    @inbox.get("")
    @public
    def check() -> Response:
        """The echostr comes back when the signature is right."""
        answer, status = request.args.get("echostr", ""), 200
        try:
            envelope.crypto.check(request.args.get("signature", ""), *stamp_and_nonce(request.args))
        except Forged:
            answer, status = "", 403
        return Response(answer, status, {"X-Content-Type-Options": "nosniff"}, mimetype="text/plain")

    return inbox


class Inbox:
    """WSGI: answers WeChat's pushes and leaves every other request to the application behind."""

    def __init__(self, behind: WSGIApplication, envelope: Envelope, memory: Memory, desk: Desk) -> None:
        self.behind, self.envelope, self.memory, self.desk = behind, envelope, memory, desk
        self.series, self.numbers = token_hex(4), count()  # a name for each push; nothing rests on its being a secret

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; counted and named in the log like those of pages."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST":
            return self.behind(environ, start_response)
        started = monotonic()
        clear_contextvars()
        bind_contextvars(request_id=f"{self.series}-{next(self.numbers):x}")
        status, text = self._answered(environ)
        body = text.encode()
        kind = "application/xml" if text.startswith("<") else "text/plain"
        start_response(_line(status), [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))])
        _requests(status).observe(monotonic() - started)
        return [body]

    def _answered(self, environ: WSGIEnvironment) -> tuple[HTTPStatus, str]:
        """The status and the body for one push; a fault of ours is logged, and WeChat asks again."""
        try:
            query = _query(environ["QUERY_STRING"])
            xml, crypto = self.envelope.open(_body(environ), query)
            answer = first_answer(self.memory, parse(xml), self.desk)
            return HTTPStatus.OK, close(answer, crypto, query["nonce"])
        except (Forged, BadMessage, TooLong) as error:
            status = STATUS[type(error)]
            log.warning("webhook-refused", kind=type(error).__name__, why=str(error))
            _pushes("unread", f"refused-{status.value}").inc()
            return status, ""
        except Exception as error:
            log.exception("webhook-failed", error=type(error).__name__)
            return HTTPStatus.INTERNAL_SERVER_ERROR, ""


def _query(text: str) -> Query:
    """Names and values; of two equal names the first counts. WeChat's are plain, which is quicker to read."""
    if "%" in text or "+" in text:
        return dict(reversed(parse_qsl(text, keep_blank_values=True)))
    pairs = [pair.partition("=") for pair in text.split("&")]
    return {name: value for name, _, value in reversed(pairs)}


@cache
def _line(status: HTTPStatus) -> str:
    return f"{status.value} {status.phrase}"


@cache
def _requests(status: HTTPStatus) -> Histogram:
    return REQUESTS.labels("POST", "webhook.receive", status.value)


@cache
def _pushes(kind: str, outcome: str) -> Counter:
    return PUSHES.labels(kind, outcome)


def _body(environ: WSGIEnvironment) -> bytes:
    """What was posted. Raises TooLong, and BadMessage when it breaks off."""
    length = environ.get("CONTENT_LENGTH") or ""
    try:
        if length.isdecimal():  # gunicorn looks again for more than there is
            body: bytes = environ["wsgi.input"].read(min(int(length), BODY_BYTES + 1))
        else:
            body = get_input_stream(environ).read(BODY_BYTES + 1)
    except Exception as error:  # each server has errors of its own for this
        raise BadMessage(type(error).__name__) from None
    if len(body) > BODY_BYTES:
        raise TooLong
    return body


class Memory:
    """The first answers, in Redis: by the plain client, and by the quick one for what every push needs."""

    def __init__(self, store: Redis) -> None:
        self.store, self.direct = store, Direct(store)

    def claim(self, key: str, message: Inbound) -> bool:
        """Whether this delivery is the first; so says a Redis that is down, too. The first opens the window in which
        the person may be answered later; that waits for nothing, as who answers later has to fetch something before."""
        first = bool(attempt(lambda: self.direct.ask("SET", key, PENDING, "NX", "EX", str(WORKING)), True))
        if first and (window := opening(message)):
            name, messages, seconds = window
            self.direct.hold("SET", name, messages, "EX", seconds)
        return first

    def keep(self, key: str, answer: str) -> None:
        """Remember the answer; it may take its time, since a retry that comes before it waits."""
        self.direct.hold("SET", key, answer, "EX", str(REMEMBERED))

    def drop(self, key: str) -> None:
        """Let a retry be handled anew."""
        attempt(lambda: self.store.delete(key), None)

    def awaited(self, key: str) -> str | None:
        """The first delivery's answer, or None when it is not known in good time."""
        end = monotonic() + PATIENCE
        while True:
            known: str | None = attempt(lambda: self.store.get(key), None)
            if known != PENDING:
                return known
            if monotonic() > end:
                return None
            sleep(STEP)


def first_answer(memory: Memory, message: Inbound, desk: Desk) -> str:
    """The answer's XML, empty for none: a retry gets the answer that the first delivery got."""
    key, kind = memory_key(message), type(message).__name__
    known = None if memory.claim(key, message) else memory.awaited(key)
    if known is not None:
        _pushes(kind, "repeated").inc()
        return known
    try:
        reply = desk.answer(message)
    except BaseException:
        memory.drop(key)
        _pushes(kind, "failed").inc()
        raise
    _pushes(kind, type(reply).__name__).inc()
    answer = reply.xml(to=message.openid, sender=message.account, at=int(real_now().timestamp()))
    memory.keep(key, answer)
    return answer


def memory_key(message: Inbound) -> str:
    """Where Redis keeps the answer to a message; tells nothing of who sent it."""
    return "wechat:seen:" + hashlib.sha256("\0".join(message.identity).encode()).hexdigest()
