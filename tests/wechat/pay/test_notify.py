"""Notifications: WeChat Pay's own vector, and each way in which one must not be believed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from payments.gateway import Order, Payment, Refund, RefundState, TradeState
from tests.wechat.pay.conftest import client_of
from tests.wechat.pay.standin import API_KEY, MCHID, PUBLIC_KEY_ID, Platform, WeChatPay
from wechat.pay.keys import PlatformKeys, plain
from wechat.pay.notify import Notices, once
from wechat.pay.signing import Seal, Unverified, unseal

VECTOR = json.loads((Path(__file__).parent / "vector.json").read_text())
ORDER = Order("T20261125-0001", "内科", 5000, "oPayer", datetime(2026, 11, 25, 3, 0, tzinfo=UTC))
Nonces = set[str]


def never(nonce: str) -> bool:
    return True


def vector_key() -> RSAPublicKey:
    key = load_pem_x509_certificate(VECTOR["cert_pem"].encode()).public_key()
    assert isinstance(key, RSAPublicKey)
    return key


def test_the_vector_of_wechat_pays_own_library() -> None:
    seal, body = Seal.of(VECTOR["headers"]), VECTOR["body"].encode()
    then = datetime.fromtimestamp(int(VECTOR["headers"]["Wechatpay-Timestamp"]), UTC)
    seal.check(vector_key(), body, then)
    plain = unseal(VECTOR["apiv3_key"].encode(), json.loads(body)["resource"])
    assert plain.decode() == VECTOR["plaintext"]
    certificate = load_pem_x509_certificate(VECTOR["cert_pem"].encode())
    assert seal.serial == f"{certificate.serial_number:X}"
    for wrong, why in ((body[:-1], "bad-signature"), (body + b" ", "bad-signature")):
        with pytest.raises(Unverified, match=why):
            seal.check(vector_key(), wrong, then)
    for moment in (then + timedelta(seconds=300), then - timedelta(seconds=300)):
        with pytest.raises(Unverified, match="stale"):
            seal.check(vector_key(), body, moment)
    seal.check(vector_key(), body, then + timedelta(seconds=299))


@pytest.fixture
def notices(pay: WeChatPay) -> Notices:
    """The merchant's reader, during a switch: both modes."""
    seen: Nonces = set()

    def first_time(nonce: str) -> bool:
        new = nonce not in seen
        seen.add(nonce)
        return new

    return Notices(client_of(pay, public=True).keys, API_KEY.encode(), MCHID, first_time)


def paid(pay: WeChatPay) -> tuple[dict[str, str], bytes]:
    client_of(pay, public=True).order(ORDER)
    pay.pay(ORDER.number)
    return pay.paid(ORDER.number)


def test_a_payment(pay: WeChatPay, notices: Notices) -> None:
    notice = notices.read(*paid(pay), datetime.now(UTC))
    assert (notice.id, notice.kind) == ("EV-1", "TRANSACTION.SUCCESS")
    moment = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
    assert notice.about == Payment(
        ORDER.number, TradeState.SUCCESS, "4200001234202611250000000001", 5000, "oPayer", moment
    )


def test_a_payment_signed_with_the_public_key(pay: WeChatPay, notices: Notices) -> None:
    pay.signer = (PUBLIC_KEY_ID, pay.public)
    assert notices.read(*paid(pay), datetime.now(UTC)).kind == "TRANSACTION.SUCCESS"


@pytest.mark.parametrize("state", list(RefundState))
def test_a_refund(pay: WeChatPay, notices: Notices, state: RefundState) -> None:
    resource = {
        "mchid": MCHID,
        "out_trade_no": "T1",
        "out_refund_no": "R1",
        "refund_id": "503",
        "refund_status": str(state),
        "success_time": "2026-11-25T10:00:00+08:00",
        "amount": {"total": 5000, "refund": 2000, "payer_total": 5000, "payer_refund": 2000},
    }
    notice = notices.read(*pay.notice(f"REFUND.{state}", "refund", resource), datetime.now(UTC))
    moment = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
    assert notice.about == Refund("R1", "T1", state, "503", 2000, 5000, moment)


def test_a_replay_is_refused_and_a_new_try_is_not(pay: WeChatPay, notices: Notices) -> None:
    headers, body = paid(pay)
    notices.read(headers, body, datetime.now(UTC))
    with pytest.raises(Unverified, match="replayed"):
        notices.read(headers, body, datetime.now(UTC))
    assert notices.read(pay.seal(body), body, datetime.now(UTC)).id == "EV-1"


def test_a_forged_notice_does_not_use_up_a_nonce(pay: WeChatPay, notices: Notices) -> None:
    headers, body = paid(pay)
    with pytest.raises(Unverified, match="bad-signature"):
        notices.read(headers, body.replace(b"EV-1", b"EV-2"), datetime.now(UTC))
    assert notices.read(headers, body, datetime.now(UTC)).id == "EV-1"


def test_nonces_are_remembered_in_redis_and_all_are_new_without_it(redis_url: str) -> None:
    store = Redis.from_url(redis_url)
    store.flushdb()
    first_time = once(store)
    assert [first_time("a"), first_time("a"), first_time("b")] == [True, False, True]
    assert 300 <= int(store.ttl("wechat:pay:nonce:a")) <= 600
    assert once(Redis.from_url("redis://127.0.0.1:9/0"))("a")
    store.close()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}, "probe"),
        ({"Wechatpay-Signature": ""}, "unsigned"),
        ({"Wechatpay-Signature": "not base64!"}, "bad-signature"),
        ({"Wechatpay-Signature": "AAAA"}, "bad-signature"),
        ({"Wechatpay-Timestamp": "soon"}, "bad-signature"),
        ({"Wechatpay-Timestamp": "1"}, "stale"),
        ({"Wechatpay-Nonce": "another"}, "bad-signature"),
        ({"Wechatpay-Serial": "ABCDEF"}, "unknown-key"),
        ({"Wechatpay-Serial": "PUB_KEY_ID_0000000000000000000000000000000000"}, "unknown-key"),
    ],
)
def test_what_is_not_wechat_pays(pay: WeChatPay, notices: Notices, change: dict[str, str], why: str) -> None:
    headers, body = paid(pay)
    with pytest.raises(Unverified) as error:
        notices.read(headers | change, body, datetime.now(UTC))
    assert error.value.code == why


def test_headers_count_in_any_case(pay: WeChatPay, notices: Notices) -> None:
    headers, body = paid(pay)
    assert notices.read({name.upper(): value for name, value in headers.items()}, body, datetime.now(UTC))


@pytest.mark.parametrize(
    ("kind", "original", "resource", "why"),
    [
        ("TRANSACTION.SUCCESS", "transaction", {"mchid": "1"}, "another-merchant"),
        ("TRANSACTION.SUCCESS", "transaction", {"mchid": MCHID}, "malformed"),
        ("TRANSACTION.SUCCESS", "transaction", {"out_trade_no": "1", "trade_state": "NEW"}, "malformed"),
        ("PAYSCORE.USER_PAID", "payscore", {"mchid": MCHID}, "unknown-kind"),
    ],
)
def test_what_says_nothing_to_us(
    pay: WeChatPay, notices: Notices, kind: str, original: str, resource: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unverified) as error:
        notices.read(*pay.notice(kind, original, resource), datetime.now(UTC))
    assert error.value.code == why


def test_sealed_with_another_key(pay: WeChatPay, notices: Notices) -> None:
    headers, body = paid(pay)
    other = Notices(notices.keys, b"x" * 32, MCHID, never)
    with pytest.raises(Unverified, match="undecipherable"):
        other.read(headers, body, datetime.now(UTC))


@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=80)
    | st.recursive(st.none() | st.text(max_size=8), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_nothing_posted_raises_anything_else(body: bytes) -> None:
    platform = FUZZ.setdefault("platform", Platform())
    fake = WeChatPay.__new__(WeChatPay)
    fake.signer = (platform.serial, platform.key)
    keys = PlatformKeys(API_KEY.encode(), None, lambda: ({}, b""))
    keys._certificates, keys._asked = {plain(platform.serial): platform.certificate}, float("inf")
    with pytest.raises(Unverified):
        Notices(keys, API_KEY.encode(), MCHID, never).read(fake.seal(body), body, datetime.now(UTC))
    with pytest.raises(Unverified):
        Notices(keys, API_KEY.encode(), MCHID, never).read(
            {"Wechatpay-Serial": body.decode("latin1")}, body, datetime.now(UTC)
        )


FUZZ: dict[str, Any] = {}
