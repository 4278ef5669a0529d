"""The client believes nothing that WeChat Pay has not signed, says what went wrong, and never shows a key."""

from __future__ import annotations

import base64
import socket
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from payments.gateway import GatewayError, Order
from tests.wechat.pay.conftest import client_of, pay_settings
from tests.wechat.pay.standin import APPID, PUBLIC_KEY_ID, Platform, WeChatPay, pem, rsa_key
from wechat.pay import client as module
from wechat.pay import keys as keys_module
from wechat.pay.client import PayClient, connect

EXPIRES = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
ORDER = Order("T20261125-0001", "内科 视频复诊", 5000, "oPayer", EXPIRES)


def code(error: pytest.ExceptionInfo[GatewayError]) -> tuple[str, bool]:
    return error.value.code, error.value.again


def test_the_cashier_opens_with_a_signature_of_the_merchant(pay: WeChatPay, client: PayClient) -> None:
    checkout = client.order(ORDER)
    made = checkout.parameters
    assert set(made) == {"timestamp", "nonceStr", "package", "signType", "paySign"}
    assert made["package"] == f"prepay_id={checkout.prepay_id}"
    signed = f"{APPID}\n{made['timestamp']}\n{made['nonceStr']}\n{made['package']}\n".encode()
    pay.merchant.public_key().verify(base64.b64decode(made["paySign"]), signed, PKCS1v15(), SHA256())


def test_what_an_order_says(pay: WeChatPay, client: PayClient) -> None:
    client.order(ORDER)
    data = pay.orders[ORDER.number]["data"]
    assert data["time_expire"] == "2026-11-25T11:00:00+08:00"
    assert data["notify_url"] == "http://127.0.0.1:8000/pay/notify"
    assert (data["description"], data["amount"]) == ("内科 视频复诊", {"total": 5000, "currency": "CNY"})


def changed(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, headers, body.replace(b"wx", b"xw")


def unsigned(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, {}, body


def old(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, headers | {"Wechatpay-Timestamp": str(int(headers["Wechatpay-Timestamp"]) - 301)}, body


def not_json(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return 502, {}, b"<html>bad gateway</html>"


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [(changed, "unverified"), (unsigned, "unverified"), (old, "unverified"), (not_json, "unavailable")],
)
def test_an_answer_that_is_not_wechat_pays_is_not_believed(
    pay: WeChatPay, client: PayClient, spoil: Any, expected: str
) -> None:
    client.order(ORDER)
    pay.spoil = spoil
    with pytest.raises(GatewayError) as error:
        client.order(ORDER)
    assert code(error) == (expected, True)


def test_an_empty_answer_is_verified_too(pay: WeChatPay, client: PayClient) -> None:
    client.order(ORDER)
    pay.spoil = unsigned
    with pytest.raises(GatewayError, match="unverified"):
        client.close(ORDER.number)


def test_nobody_there(pay: WeChatPay) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        made = connect(pay_settings(pay, wechat_pay_origin=f"http://127.0.0.1:{listener.getsockname()[1]}"))
        assert made
        with pytest.raises(GatewayError) as error:
            made.query("T123456")
    assert code(error) == ("unavailable", True)


def test_a_refusal_keeps_the_code_and_drops_the_words(pay: WeChatPay, client: PayClient) -> None:
    with pytest.raises(GatewayError) as error:
        client.query("T-unknown")
    assert "invented" not in str(error.value)
    pay.merchant = rsa_key()
    with pytest.raises(GatewayError) as error:
        client.query("T-unknown")
    assert code(error) == ("SIGN_ERROR", False)


def test_a_number_can_not_leave_its_place_in_the_path(pay: WeChatPay, client: PayClient) -> None:
    with pytest.raises(GatewayError):
        client.query("../../certificates?x=1")
    assert pay.asked[-1][1].startswith("/v3/pay/transactions/out-trade-no/..%2F..%2Fcertificates%3Fx%3D1?mchid=")


def test_certificates_are_fetched_once_and_again_for_a_new_one(
    pay: WeChatPay, client: PayClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.order(ORDER)
    client.query(ORDER.number)
    assert fetched(pay) == 1
    pay.certificates = [*pay.certificates, Platform()]
    with pytest.raises(GatewayError, match="unknown-key"):
        client.query(ORDER.number)
    assert fetched(pay) == 1, "an invented serial must not make us fetch each time"
    monkeypatch.setattr(keys_module, "PAUSE", 0.0)
    client.query(ORDER.number)
    client.query(ORDER.number)
    assert fetched(pay) == 2


def fetched(pay: WeChatPay) -> int:
    return sum(target == "/v3/certificates" for _, target, _ in pay.asked)


def test_a_certificate_that_has_ended_verifies_nothing(pay: WeChatPay, client: PayClient) -> None:
    pay.certificates = [Platform(days=9)]
    with pytest.raises(GatewayError, match="unverified unknown-key"):
        client.order(ORDER)


def test_certificates_sealed_with_another_key_are_none(pay: WeChatPay) -> None:
    made = connect(pay_settings(pay, wechat_pay_apiv3_key="x" * 32))
    assert made
    with pytest.raises(GatewayError, match="unverified unknown-key"):
        made.order(ORDER)


def test_both_modes_at_once_during_a_switch(pay: WeChatPay) -> None:
    switching = client_of(pay, public=True)
    switching.order(ORDER)
    assert pay.asked[0][2]["Wechatpay-Serial"] == PUBLIC_KEY_ID
    pay.signer = (PUBLIC_KEY_ID, pay.public)
    switching.query(ORDER.number)
    pay.signer = None
    switching.query(ORDER.number)
    pay.signer = (PUBLIC_KEY_ID, pay.merchant)
    with pytest.raises(GatewayError, match="bad-signature"):
        switching.query(ORDER.number)


def test_a_public_key_nobody_gave_us_is_unknown_and_asks_for_no_certificates(pay: WeChatPay, client: PayClient) -> None:
    pay.signer = (PUBLIC_KEY_ID, pay.public)
    with pytest.raises(GatewayError, match="unknown-key"):
        client.order(ORDER)
    assert fetched(pay) == 0


def test_the_bill_is_checked_against_its_hash(pay: WeChatPay, client: PayClient) -> None:
    pay.bills["2026-11-24"] = "交易时间,公众账号ID\n`2026-11-24 10:00:00,`wx1\n".encode()
    assert client.bill(date(2026, 11, 24)) == pay.bills["2026-11-24"]
    assert pay.asked[-1][1] == "/v3/billdownload/file?token=2026-11-24"
    pay.spoil = lambda status, headers, body: (status, headers, body.replace(b"wx1", b"wx2"))
    with pytest.raises(GatewayError, match="unverified hash"):
        client.bill(date(2026, 11, 24))
    pay.spoil = None
    with pytest.raises(GatewayError, match="NO_STATEMENT_EXIST"):
        client.bill(date(2026, 11, 23))


def test_every_call_has_a_time_limit(monkeypatch: pytest.MonkeyPatch, pay: WeChatPay) -> None:
    monkeypatch.setattr(module, "TIMEOUT", (0.2, 0.2))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        made = connect(pay_settings(pay, wechat_pay_origin=f"http://127.0.0.1:{listener.getsockname()[1]}"))
        assert made
        with pytest.raises(GatewayError, match="unavailable ReadTimeout"):
            made.order(ORDER)


def test_keys_come_from_files_or_from_the_environment(pay: WeChatPay, tmp_path: Path) -> None:
    kept = tmp_path / "key.pem"
    kept.write_text(pem(pay.merchant))
    for given in (str(kept), pem(pay.merchant), pem(pay.merchant).replace("\n", "\\n")):
        made = connect(pay_settings(pay, wechat_pay_private_key=given))
        assert made
        assert made.order(ORDER).prepay_id
    assert connect(pay_settings(pay, **unset(*ALL))) is None


def unset(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "")


ALL = ("wechat_pay_mchid", "wechat_pay_serial", "wechat_pay_private_key", "wechat_pay_apiv3_key")


@pytest.mark.parametrize("missing", ALL)
def test_the_settings_of_a_merchant_go_together(pay: WeChatPay, missing: str) -> None:
    with pytest.raises(ValueError, match=missing.upper()):
        pay_settings(pay, **unset(missing))


def test_the_settings_say_what_is_wrong(pay: WeChatPay) -> None:
    with pytest.raises(ValueError, match="32 characters"):
        pay_settings(pay, wechat_pay_apiv3_key="short")
    with pytest.raises(ValueError, match="go together"):
        pay_settings(pay, wechat_pay_public_key_id=PUBLIC_KEY_ID)
