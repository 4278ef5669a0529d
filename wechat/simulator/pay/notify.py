"""Notices to the merchant: encrypted, signed, repeated by WeChat Pay's schedule until the merchant answers."""

from __future__ import annotations

import json
import secrets
import time
from typing import Any

import requests

from .. import faults
from ..world import World
from . import shown
from .records import Notice
from .signing import lines, nonce, seal, sign

RETRIES = (15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10800, 10800, 10800, 21600, 21600)  # seconds
SUMMARIES = {
    "TRANSACTION.SUCCESS": "支付成功",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.ABNORMAL": "退款异常",
    "REFUND.CLOSED": "退款关闭",
}
PROBE = "WECHATPAY/SIGNTEST/"


def begin(world: World, event: str, number: str, address: str) -> None:
    """Tell the merchant of a payment or refund, now and until it has heard."""
    notice = Notice(secrets.token_hex(16), event, number, address, world.now)
    with world.change() as state:
        state.notices = [*state.notices[-1000:], notice]
    world.later(0, lambda: attempt(world, notice))


def resume(world: World) -> None:
    """After a restart: go on with what was not heard."""
    for notice in world.state.notices:
        if not notice.done:
            world.later(0, lambda notice=notice: attempt(world, notice))  # type: ignore[misc]  # bound in the loop


def attempt(world: World, notice: Notice) -> None:
    """Send a notice once more and plan the next time if it was not heard."""
    found = faults.take(world, "notify", notice.event)
    if held := found.get("reordered"):
        world.later(held.seconds(1.0), lambda: attempt(world, notice))
        return
    notice.attempts += 1
    heard = deliver(world, notice, found)
    if "duplicate" in found:
        deliver(world, notice, found)
    with world.change() as state:
        notice.done = heard or notice.attempts > len(RETRIES)
        scale = state.settings.pay_notify_scale
    if not notice.done:
        world.later(RETRIES[notice.attempts - 1] * scale, lambda: attempt(world, notice))


def deliver(world: World, notice: Notice, found: dict[str, faults.Fault]) -> bool:
    """One request to the merchant: whether it answered 200 or 204 in time."""
    start, status, answer, plain = time.monotonic(), 0, "", _resource(world, notice)
    body = _body(world, notice, plain)
    try:
        response = _post(world, notice.url, body, _headers(world, body, found))
        status, answer = response.status_code, response.text[:2000]
        verdict = "ok" if status in (200, 204) else f"HTTP {status}"
    except requests.Timeout:
        verdict = f"no answer within {world.state.settings.pay_notify_timeout:g} s"
    except requests.RequestException as error:
        verdict = f"can't reach the server: {type(error).__name__}"
    world.record(
        "out",
        method="POST",
        path=notice.url,
        status=status,
        verdict=verdict,
        ms=round((time.monotonic() - start) * 1000),
        event=notice.event,
        attempt=notice.attempts,
        request=json.dumps(plain, ensure_ascii=False),
        response=answer,
    )
    return verdict == "ok" and not found.keys() & {"dropped"}


def _post(world: World, url: str, body: str, headers: dict[str, str]) -> requests.Response:
    timeout = world.state.settings.pay_notify_timeout
    return requests.post(url, body.encode(), headers=headers, timeout=timeout, allow_redirects=False)


def _resource(world: World, notice: Notice) -> dict[str, Any]:
    """What the notice is about, in the clear."""
    with world.change() as state:
        if notice.event.startswith("REFUND"):
            return shown.of_refund_told(world, state.refunds[notice.number])
        return shown.of_order(world, state.orders[notice.number]) | {"trade_state": "SUCCESS"}


def _body(world: World, notice: Notice, resource: dict[str, Any]) -> str:
    kind = "refund" if notice.event.startswith("REFUND") else "transaction"
    sealed = seal(world.keys.apiv3, json.dumps(resource, ensure_ascii=False), kind)
    facts = {
        "id": notice.id,
        "create_time": shown.at(notice.created),
        "resource_type": "encrypt-resource",
        "event_type": notice.event,
        "summary": SUMMARIES[notice.event],
        "resource": {"original_type": kind, **sealed},
    }
    return json.dumps(facts, ensure_ascii=False)


def signed(world: World, body: str, by_public_key: bool, skew: float = 0.0) -> dict[str, str]:
    """The Wechatpay-* headers over a body: of an answer or a notice."""
    keys, stamp, once = world.keys, str(int(world.now + skew)), nonce()
    key, serial = keys.platforms[-1].key, keys.platforms[-1].serial
    if by_public_key:
        key, serial = keys.public, world.config.public_key_id
    return {
        "Wechatpay-Timestamp": stamp,
        "Wechatpay-Nonce": once,
        "Wechatpay-Serial": serial,
        "Wechatpay-Signature": sign(key, lines(stamp, once, body)),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048",
    }


def _headers(world: World, body: str, found: dict[str, faults.Fault]) -> dict[str, str]:
    mode = world.state.settings.pay_keys
    public = mode == "public-key" or (mode == "switching" and secrets.randbelow(2) == 1)
    skew = found["skew"].number(600.0) if "skew" in found else 0.0
    headers = signed(world, body, public, skew)
    if "signature" in found:
        headers["Wechatpay-Signature"] = sign(world.keys.merchant, body)
    return headers | {"Content-Type": "application/json", "User-Agent": "Mozilla/4.0", "Accept": "*/*"}


def probe(world: World, url: str) -> dict[str, Any]:
    """The check WeChat Pay makes of the merchant's verifying: a bad signature that must be refused."""
    body = _body(world, Notice(secrets.token_hex(16), "TRANSACTION.SUCCESS", "", url, world.now), {"probe": True})
    headers = signed(world, body, world.state.settings.pay_keys == "public-key")
    headers |= {"Wechatpay-Signature": PROBE + nonce(200), "Content-Type": "application/json"}
    try:
        status = _post(world, url, body, headers).status_code
        verdict = "ok" if status >= 400 else f"HTTP {status}: a wrong signature was believed"
    except requests.RequestException as error:
        status, verdict = 0, f"can't reach the server: {type(error).__name__}"
    world.record("out", method="POST", path=url, status=status, verdict=verdict, event="signature probe", request=body)
    return {"verdict": verdict, "status": status}
