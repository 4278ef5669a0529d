"""WeChat Pay v3: orders, the cashier, notices, refunds, bills, certificates, and every refusal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.merchant import JSAPI, OPENID, REFUNDS, Merchant
from tests.wechat.simulator.toy import APPID
from wechat.simulator.config import from_environment

NUMBER = "/v3/pay/transactions/out-trade-no/order-0001"


@pytest.fixture
def merchant(sim: Sim) -> Iterator[Merchant]:
    """A merchant whose notices are retried at once."""
    made = Merchant(sim, sim.config.keys)
    assert sim.world.keys.serial
    made.serve()
    sim.post("/settings", {"pay_notify_scale": 0.0, "pay_refund_delay": 0.0, "pay_refund_pause": 0.0})
    yield made
    assert made.served
    made.served.stop()


def query(merchant: Merchant, path: str = NUMBER) -> dict[str, Any]:
    return dict(merchant.call("GET", f"{path}?mchid={merchant.sim.config.mchid}").json())


def test_an_order_is_paid_and_told(merchant: Merchant) -> None:
    answer = merchant.order(attach="visit")
    assert merchant.verifies(answer.headers, answer.text)
    assert query(merchant)["trade_state"] == "NOTPAY"
    params = merchant.params(answer.json()["prepay_id"])
    shown = merchant.sim.post("/phones/li-na/pay", {"params": params, "act": "show"})
    assert shown["order"] == {
        "out_trade_no": "order-0001",
        "description": "内科门诊 挂号费",
        "total": 5000,
        "payee": "北京儿童医院",
    }
    assert merchant.sim.post("/phones/li-na/pay", {"params": params})["result"] == "ok"
    (notice,) = merchant.wait(1)
    assert (notice["event_type"], notice["resource"]["original_type"]) == ("TRANSACTION.SUCCESS", "transaction")
    assert merchant.verifies(merchant.headers[0], merchant.bodies[0])
    paid = query(merchant)
    assert notice["plain"] == paid
    assert (paid["trade_state"], paid["attach"], paid["payer"]) == ("SUCCESS", "visit", {"openid": OPENID})
    assert paid["amount"] == {"total": 5000, "payer_total": 5000, "currency": "CNY", "payer_currency": "CNY"}
    assert query(merchant, f"/v3/pay/transactions/id/{paid['transaction_id']}") == paid
    assert merchant.sim.post("/phones/li-na/pay", {"params": params})["reason"] == "该订单已支付"


@pytest.mark.parametrize(
    "spoil",
    [
        {"mchid": "1"},
        {"serial_no": "AB"},
        {"timestamp": "1000"},
        {"signature": "AAAA"},
        {"signature": "no base64"},
        {"nonce_str": "another"},
    ],
)
def test_a_wrong_signature_is_refused(merchant: Merchant, spoil: dict[str, str]) -> None:
    answer = merchant.call("GET", f"{NUMBER}?mchid={merchant.sim.config.mchid}", spoil=spoil)
    assert (answer.status_code, answer.json()["code"]) == (401, "SIGN_ERROR")
    assert merchant.verifies(answer.headers, answer.text), "errors are signed too"


def test_an_unsigned_call_is_refused(sim: Sim) -> None:
    assert sim.session.post(sim.origin + JSAPI, json={}, timeout=60).status_code == 401


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"appid": "wxother"}, 400, "APPID_MCHID_NOT_MATCH"),
        ({"mchid": "1"}, 400, "APPID_MCHID_NOT_MATCH"),
        ({"description": None}, 400, "PARAM_ERROR"),
        ({"description": "长" * 43}, 400, "PARAM_ERROR"),
        ({"attach": "x" * 129}, 400, "PARAM_ERROR"),
        ({"out_trade_no": "short"}, 400, "PARAM_ERROR"),
        ({"out_trade_no": "x" * 33}, 400, "PARAM_ERROR"),
        ({"out_trade_no": "号码号码号码"}, 400, "PARAM_ERROR"),
        ({"amount": {"total": 0}}, 400, "PARAM_ERROR"),
        ({"amount": {"total": 1.5}}, 400, "PARAM_ERROR"),
        ({"amount": {"total": True}}, 400, "PARAM_ERROR"),
        ({"amount": {"total": 1, "currency": "USD"}}, 400, "PARAM_ERROR"),
        ({"payer": {"openid": "oNobody"}}, 400, "PARAM_ERROR"),
        ({"payer": "x"}, 400, "PARAM_ERROR"),
        ({"notify_url": "http://127.0.0.1/n?a=1"}, 400, "PARAM_ERROR"),
        ({"notify_url": "mailto:x"}, 400, "PARAM_ERROR"),
        ({"time_expire": "tomorrow"}, 400, "PARAM_ERROR"),
        ({"time_expire": "2026-01-01 10:00:00"}, 400, "PARAM_ERROR"),
    ],
)
def test_refused_orders(merchant: Merchant, changes: dict[str, Any], status: int, code: str) -> None:
    answer = merchant.order(**changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_the_same_order_again(merchant: Merchant) -> None:
    first, second = merchant.order().json()["prepay_id"], merchant.order().json()["prepay_id"]
    assert first != second
    answer = merchant.order(amount={"total": 1, "currency": "CNY"})
    assert (answer.status_code, answer.json()["code"]) == (403, "OUT_TRADE_NO_USED")
    assert merchant.sim.post("/phones/li-na/pay", {"params": merchant.params(first)})["result"] == "ok"
    assert merchant.order().json()["code"] == "OUT_TRADE_NO_USED"


def test_times_of_an_order(merchant: Merchant) -> None:
    soon = datetime.fromtimestamp(merchant.sim.clock.time, timezone(timedelta(hours=8))) + timedelta(seconds=5)
    prepay = merchant.order(time_expire=soon.isoformat()).json()["prepay_id"]
    merchant.sim.clock.time += 59
    show = {"params": merchant.params(prepay), "act": "show"}
    assert merchant.sim.post("/phones/li-na/pay", show)["result"] == "ok", "less than a minute is lifted to one"
    merchant.sim.clock.time += 1
    assert "已过期" in merchant.sim.post("/phones/li-na/pay", show)["reason"]
    assert query(merchant)["trade_state"] == "NOTPAY"
    merchant.sim.post("/settings", {"pay_expired": "CLOSED"})
    assert query(merchant)["trade_state"] == "CLOSED"
    prepay = merchant.order("order-0002").json()["prepay_id"]
    merchant.sim.clock.time += 7200
    show = {"params": merchant.params(prepay), "act": "show"}
    assert "已过期" in merchant.sim.post("/phones/li-na/pay", show)["reason"], "a prepay_id lives two hours"


def test_closing(merchant: Merchant) -> None:
    prepay = merchant.order().json()["prepay_id"]
    body = {"mchid": merchant.sim.config.mchid}
    for _ in range(2):
        answer = merchant.call("POST", f"{NUMBER}/close", body)
        assert (answer.status_code, answer.content) == (204, b"")
        assert merchant.verifies(answer.headers, "")
    assert query(merchant)["trade_state"] == "CLOSED"
    assert merchant.sim.post("/phones/li-na/pay", {"params": merchant.params(prepay)})["reason"] == "该订单已关闭"
    assert merchant.order().json()["code"] == "ORDER_CLOSED"
    merchant.pay("order-0002")
    assert merchant.call("POST", f"{NUMBER[:-1]}2/close", body).json()["code"] == "INVALID_REQUEST"


def test_unknown_numbers(merchant: Merchant) -> None:
    assert merchant.call("GET", f"{NUMBER}?mchid={merchant.sim.config.mchid}").status_code == 404
    assert merchant.call("GET", f"{NUMBER}?mchid=1").json()["code"] == "PARAM_ERROR"
    assert merchant.call("GET", f"{REFUNDS}/none").json()["code"] == "RESOURCE_NOT_EXISTS"
    assert merchant.call("POST", JSAPI, [1]).json()["code"] == "PARAM_ERROR"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"paySign": "AAAA"}, "签名失败"),
        ({"nonceStr": "other"}, "签名失败"),
        ({"signType": "MD5"}, "签名失败"),
        ({"appId": "wxother"}, "appId"),
        ({"package": ""}, "package"),
    ],
)
def test_what_the_cashier_refuses(merchant: Merchant, changes: dict[str, str], reason: str) -> None:
    params = merchant.params(merchant.order().json()["prepay_id"], **changes)
    answer = merchant.sim.post("/phones/li-na/pay", {"params": params})
    assert answer["result"] == "fail"
    assert reason in answer["reason"]
    assert query(merchant)["trade_state"] == "NOTPAY"


def test_who_and_where_may_pay(merchant: Merchant) -> None:
    params = merchant.params(merchant.order().json()["prepay_id"])
    assert "不一致" in merchant.sim.post("/phones/zhang-wei/pay", {"params": params})["reason"]
    foreign = {"params": params, "page": "http://elsewhere.invalid/"}
    assert "未注册" in merchant.sim.post("/phones/li-na/pay", foreign)["reason"]
    page = f"{merchant.sim.config.phone_origin('li-na')}/visits/1"
    own = {"params": params, "page": page, "act": "show"}
    assert merchant.sim.post("/phones/li-na/pay", own)["result"] == "ok"
    merchant.sim.post("/settings", {"pay_directories": [merchant.sim.config.backend + "/pay/"]})
    assert "未注册" in merchant.sim.post("/phones/li-na/pay", own)["reason"]
    merchant.sim.post("/settings", {"pay_directories": []})
    assert merchant.sim.post("/phones/li-na/pay", own | {"act": "cancel"})["result"] == "cancel"
    merchant.sim.post("/phones/li-na", {"snapshot": True})
    assert "快照" in merchant.sim.post("/phones/li-na/pay", own)["reason"]
    unsigned = {"params": params | {"package": "prepay_id=none"}, "act": "show"}
    assert merchant.sim.post("/phones/zhou-hui/pay", unsigned)["result"] == "fail"


def test_a_notice_is_repeated_until_it_is_answered(merchant: Merchant) -> None:
    merchant.answers[:] = [500, 302, 401]
    merchant.pay()
    notices = merchant.wait(4)
    assert len({notice["id"] for notice in notices}) == 1
    merchant.sim.world.wait(lambda: merchant.sim.world.state.notices[0].done, 60)
    (told,) = merchant.sim.get("/pay")["notices"]
    assert (told["attempts"], told["done"]) == (4, True)


def test_a_notice_is_given_up_after_the_schedule(merchant: Merchant) -> None:
    merchant.answers[:] = [500] * 40
    merchant.pay()
    merchant.wait(16)
    merchant.sim.world.wait(lambda: merchant.sim.world.state.notices[0].done, 60)
    assert merchant.sim.get("/pay")["notices"][0]["attempts"] == 16


def test_the_schedule_is_the_official_one() -> None:
    from wechat.simulator.pay.notify import RETRIES  # noqa: PLC0415

    assert len(RETRIES) == 15
    assert sum(RETRIES) == 24 * 3600 + 4 * 60


def test_certificates_and_a_rotation(merchant: Merchant) -> None:
    def listed() -> list[str]:
        answer = merchant.call("GET", "/v3/certificates")
        serials = [entry["serial_no"] for entry in answer.json()["data"]]
        pem = merchant.opened(answer.json()["data"][0]["encrypt_certificate"])
        assert f"{x509.load_pem_x509_certificate(pem.encode()).serial_number:040X}" == serials[0]
        assert answer.headers["Wechatpay-Serial"] == serials[0]
        return serials

    (first,) = listed()
    assert merchant.sim.post("/pay/rotate")["serial"] != first
    assert listed()[1:] == [first]
    answer = merchant.order()
    assert merchant.verifies(answer.headers, answer.text), "the file follows"


def test_the_public_key(merchant: Merchant) -> None:
    key_id = merchant.sim.config.public_key_id
    merchant.sim.post("/settings", {"pay_keys": "public-key"})
    answer = merchant.order()
    assert answer.headers["Wechatpay-Serial"] == key_id
    assert merchant.verifies(answer.headers, answer.text, "pub_key.pem")
    assert merchant.call("GET", "/v3/certificates").status_code == 403
    merchant.pay()
    merchant.wait(1)
    assert merchant.headers[0]["Wechatpay-Serial"] == key_id


def test_while_switching_both_come(merchant: Merchant) -> None:
    merchant.sim.post("/settings", {"pay_keys": "switching"})
    merchant.answers[:] = [500] * 15
    merchant.pay()
    merchant.wait(16)
    assert len({headers["Wechatpay-Serial"] for headers in merchant.headers}) == 2


def test_the_signature_probe(merchant: Merchant) -> None:
    assert merchant.sim.post("/pay/probe", {"url": merchant.url})["verdict"] == "ok"
    assert merchant.headers[0]["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/")
    believing = f"{merchant.sim.origin}/healthz-not"
    assert merchant.sim.post("/pay/probe", {"url": believing})["status"] == 404


@pytest.mark.parametrize(
    ("name", "value"),
    [("WECHAT_PAY_APIV3_KEY", "short"), ("WECHAT_PAY_SERIAL", "no hex"), ("WECHAT_PAY_SERIAL", "F" * 40)],
)
def test_settings_of_pay(name: str, value: str) -> None:
    env = {"WECHAT_APPID": APPID, "WECHAT_SECRET": "s", "WECHAT_TOKEN": "t", "WECHAT_AES_KEY": "k" * 43}
    with pytest.raises(SystemExit, match=name):
        from_environment({**env, name: value})


def test_the_keys_are_files_a_merchant_can_use(merchant: Merchant) -> None:
    files = {path.name: path.stat().st_mode & 0o777 for path in Path(merchant.keys).iterdir() if path.is_file()}
    assert files == {
        "apiclient_key.pem": 0o600,
        "apiclient_cert.pem": 0o644,
        "pub_key.pem": 0o644,
        "wechatpay_cert.pem": 0o644,
        "apiv3_key.txt": 0o600,
    }
