"""Pushes to the account's server: signed, in the account's mode, five seconds, three attempts, the answer shown."""

from __future__ import annotations

import secrets
import time
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests

from . import crypto, faults, xml
from .replies import BadReply, Dropped, read
from .state import Message, Phone
from .world import World

HEADERS = {"User-Agent": "Mozilla/4.0", "Accept": "*/*", "Pragma": "no-cache", "Connection": "close"}
QUIET = {"VIEW", "unsubscribe", "scancode_push", "TEMPLATESENDJOBFINISH"}  # nobody waits for an answer to these
Faults = dict[str, faults.Fault]
BROKEN = "该公众号提供的服务出现故障，请稍后再试"


@dataclass
class Delivery:
    """How a push went: `verdict` is `ok` or what was wrong; `reply` is the message shown, if any."""

    verdict: str
    attempts: int
    status: int
    event: str
    reply: Message | None = None

    def json(self) -> dict[str, Any]:
        """For the control API."""
        return asdict(self)


class NoAnswer(Exception):
    """Nothing usable came back in time; worth another attempt."""

    def __init__(self, why: str, status: int = 0) -> None:
        super().__init__(why)
        self.status = status


def push(world: World, phone: Phone, fields: dict[str, Any], shown: bool = True) -> Delivery:
    """Send one message or event until it is answered, and put the answer into the phone's chat when `shown`.

    Faults may hold it back for others to overtake it, or send it once more beside itself.
    """
    event = str(fields.get("Event") or fields["MsgType"])
    found = faults.take(world, "push", event)
    if held := found.pop("reordered", None):
        world.later(held.seconds(1.0), lambda: _deliver(world, phone, fields, shown, found))
        return Delivery("held back", 0, 0, event)
    if "duplicate" in found:
        world.later(0, lambda: _deliver(world, phone, fields, False, found))
    return _deliver(world, phone, fields, shown, found)


def _deliver(world: World, phone: Phone, fields: dict[str, Any], shown: bool, found: Faults) -> Delivery:
    settings, event = world.state.settings, str(fields.get("Event") or fields["MsgType"])
    delivery = Delivery("", 0, 0, event)
    for attempt in range(1, settings.webhook_attempts + 1):
        delivery.attempts = attempt
        try:
            _attempt(world, phone, fields, delivery, found)
            break
        except NoAnswer as error:
            delivery.verdict, delivery.status = str(error), error.status
            if attempt < settings.webhook_attempts and not world.closed:
                time.sleep(settings.webhook_pause)
    if not shown:
        delivery.reply = None
    elif delivery.reply:
        reply = dict(delivery.reply)
        delivery.reply = world.add_message(phone, "account", reply.pop("type"), **reply)
    elif delivery.verdict != "ok" and not delivery.verdict.startswith("dropped") and event not in QUIET:
        delivery.reply = world.add_message(phone, "system", "notice", text=BROKEN)
    return delivery


def _attempt(world: World, phone: Phone, fields: dict[str, Any], delivery: Delivery, found: Faults) -> None:
    query, body = envelope(world, phone.openid, fields, found)
    start = time.monotonic()
    status, text = 0, ""
    try:
        status, text = _post(world, query, body)
        if found.pop("dropped", None):
            raise NoAnswer("the answer was lost on its way", status)
        delivery.status, delivery.verdict = status, "ok"
        delivery.reply = read(world, phone, text, fields)
    except NoAnswer as error:
        status, delivery.verdict = error.status, str(error)
        raise
    except BadReply as error:
        delivery.verdict = f"bad reply: {error}"
    except Dropped as error:
        delivery.verdict = f"dropped: {error}"
    finally:
        world.record(
            "out",
            method="POST",
            path=f"{urlsplit(world.config.webhook).path}?{urlencode(query)}",
            status=status,
            verdict=delivery.verdict,
            ms=round((time.monotonic() - start) * 1000),
            event=delivery.event,
            attempt=delivery.attempts,
            phone=phone.id,
            request=xml.build(fields),
            response=_plain(world, text),
        )


def _post(world: World, query: dict[str, str], body: str) -> tuple[int, str]:
    limit = world.state.settings.webhook_timeout
    url = _address(world, query)
    start = time.monotonic()
    try:
        answer = requests.post(
            url, body.encode(), headers={**HEADERS, "Content-Type": "text/xml"}, timeout=limit, allow_redirects=False
        )
    except requests.Timeout as error:
        raise NoAnswer(f"no answer within {limit:g} s") from error
    except requests.RequestException as error:
        raise NoAnswer(f"can't reach the server: {type(error).__name__}") from error
    if time.monotonic() - start > limit:
        raise NoAnswer(f"no complete answer within {limit:g} s", answer.status_code)
    if answer.status_code != requests.codes.ok:
        raise NoAnswer(f"HTTP {answer.status_code}", answer.status_code)
    return answer.status_code, answer.content.decode("utf-8", "replace")


def _address(world: World, query: dict[str, str]) -> str:
    webhook = world.config.webhook
    return f"{webhook}{'&' if urlsplit(webhook).query else '?'}{urlencode(query)}"


def envelope(world: World, openid: str, fields: dict[str, Any], found: Faults) -> tuple[dict[str, str], str]:
    """Query and body of a push in the account's mode; time stamp and nonce are new each time."""
    config, mode = world.config, world.state.settings.mode
    if "signature" in found:
        config = replace(config, token=f"not {config.token}")
    skew = found["skew"].number(600.0) if "skew" in found else 0.0
    stamp, nonce = str(int(world.now + skew)), str(secrets.randbelow(2_000_000_000))
    query = {"signature": crypto.sign(config.token, stamp, nonce), "timestamp": stamp, "nonce": nonce, "openid": openid}
    plain = xml.build(fields)
    if mode == "plain":
        return query, plain
    sealed = crypto.encrypt(plain, config.aes_key, config.appid)
    query |= {"encrypt_type": "aes", "msg_signature": crypto.sign(config.token, stamp, nonce, sealed)}
    if mode == "compatible":
        return query, xml.build({**fields, "Encrypt": sealed})
    return query, xml.build({"ToUserName": config.account_id, "Encrypt": sealed})


def _plain(world: World, text: str) -> str:
    """A reply for the log: opened when it is encrypted and can be."""
    try:
        sealed = str(xml.parse(text)["Encrypt"])
        return crypto.decrypt(sealed, world.config.aes_key, world.config.appid)
    except (xml.XmlError, crypto.CryptoError, KeyError, UnicodeError):
        return text[:20000]


def verify_url(world: World) -> Delivery:
    """The check WeChat makes when the address is saved: GET with a random echostr that must come back as it is."""
    stamp, nonce, echo = str(int(world.now)), secrets.token_hex(5), str(secrets.randbelow(10**19))
    query = {
        "signature": crypto.sign(world.config.token, stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "echostr": echo,
    }
    try:
        answer = requests.get(_address(world, query), headers=HEADERS, timeout=5, allow_redirects=False)
        good = answer.status_code == requests.codes.ok and answer.text == echo
        verdict, status, text = "ok" if good else "the answer is not the echostr", answer.status_code, answer.text
    except requests.RequestException as error:
        verdict, status, text = f"can't reach the server: {type(error).__name__}", 0, ""
    path = f"{urlsplit(world.config.webhook).path}?{urlencode(query)}"
    world.record(
        "out", method="GET", path=path, status=status, verdict=verdict, event="verify URL", response=text[:2000]
    )
    return Delivery(verdict, 1, status, "verify URL")
