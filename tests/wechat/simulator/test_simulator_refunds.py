"""WeChat Pay v3's refunds and bills."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.wechat.simulator.merchant import REFUNDS, Merchant
from tests.wechat.simulator.test_simulator_pay import merchant, query

__all__ = ["merchant"]  # the fixture


@pytest.mark.parametrize("end", ["SUCCESS", "ABNORMAL", "CLOSED"])
def test_a_refund(merchant: Merchant, end: str) -> None:
    merchant.pay()
    merchant.sim.post("/settings", {"pay_refund_outcome": end, "pay_refund_delay": 0.2})
    answer = merchant.refund()
    assert (answer.status_code, answer.json()["status"]) == (200, "PROCESSING")
    notice = merchant.wait(2)[1]
    assert (notice["event_type"], notice["resource"]["original_type"]) == (f"REFUND.{end}", "refund")
    plain = notice["plain"]
    assert (plain["refund_status"], plain["out_refund_no"]) == (end, "refund-1")
    assert ("success_time" in plain) == (end == "SUCCESS")
    assert plain["amount"] == {"total": 5000, "refund": 5000, "payer_total": 5000, "payer_refund": 5000}
    assert merchant.call("GET", f"{REFUNDS}/refund-1").json()["status"] == end
    assert query(merchant)["trade_state"] == "REFUND"


def test_limits_of_refunds(merchant: Merchant) -> None:
    assert merchant.refund().json()["code"] == "ORDER_NOT_EXIST"
    merchant.order()
    assert merchant.refund().json()["code"] == "INVALID_REQUEST"
    merchant.pay()
    first = merchant.refund("refund-1", 3000).json()
    assert merchant.refund("refund-1", 3000).json()["refund_id"] == first["refund_id"], (
        "the same number, the same refund"
    )
    assert merchant.refund("refund-1", 1000).json()["code"] == "INVALID_REQUEST"
    assert merchant.refund("refund-2", 2001).json()["code"] == "NOT_ENOUGH"
    assert merchant.refund("refund-2", 1, amount={"refund": 1, "total": 1}).json()["code"] == "PARAM_ERROR"
    assert merchant.refund("x" * 65, 1).json()["code"] == "PARAM_ERROR"
    assert merchant.refund("refund-2", 1, reason="长" * 27).json()["code"] == "PARAM_ERROR"
    assert merchant.refund("refund-2", 1, out_trade_no="").json()["code"] == "PARAM_ERROR"
    merchant.sim.post("/settings", {"pay_refund_pause": 60.0})
    assert merchant.refund("refund-2", 1).status_code == 429
    merchant.sim.clock.time += 60
    assert merchant.refund("refund-2", 2000).status_code == 200
    merchant.sim.clock.time += 366 * 86400
    assert merchant.refund("refund-3", 1).json()["code"] == "RULE_LIMIT"


def bill(merchant: Merchant, kind: str, query: str) -> tuple[dict[str, Any], bytes]:
    day = datetime.fromtimestamp(merchant.sim.clock.time, timezone(timedelta(hours=8))).date()
    offer = merchant.call("GET", f"/v3/bill/{kind}?bill_date={day}{query}").json()
    path = offer["download_url"].removeprefix(merchant.sim.origin)
    return offer, merchant.call("GET", path).content


def test_bills(merchant: Merchant) -> None:
    merchant.pay()
    merchant.refund("refund-1", 2000)
    merchant.wait(2)
    day = datetime.fromtimestamp(merchant.sim.clock.time, timezone(timedelta(hours=8))).date()
    assert merchant.call("GET", f"/v3/bill/tradebill?bill_date={day}").json()["code"] == "INVALID_REQUEST"
    merchant.sim.post("/settings", {"pay_bills_today": True})
    offer, content = bill(merchant, "tradebill", "")
    assert (offer["hash_type"], offer["hash_value"]) == ("SHA1", hashlib.sha1(content).hexdigest())
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(rows) == 5
    assert {len(row) for row in rows[:3]} == {27}
    assert [row[9] for row in rows[1:3]] == ["`SUCCESS", "`REFUND"]
    assert rows[4] == ["`2", "`50.00", "`20.00", "`0.00", "`0.00", "`50.00", "`20.00"]
    assert len(bill(merchant, "tradebill", "&bill_type=REFUND")[1].splitlines()) == 4
    offer, packed = bill(merchant, "fundflowbill", "&tar_type=GZIP")
    flow = gzip.decompress(packed)
    assert hashlib.sha1(flow).hexdigest() == offer["hash_value"]
    assert flow.decode().splitlines()[-1] == "`2,`1,`50.00,`1,`20.00"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("bill_date=2020-01-01", "NO_STATEMENT_EXIST"),
        ("bill_date=yesterday", "PARAM_ERROR"),
        ("bill_date=2020-01-01&bill_type=SOME", "PARAM_ERROR"),
        ("bill_date=2020-01-01&tar_type=ZIP", "PARAM_ERROR"),
    ],
)
@pytest.mark.parametrize("kind", ["tradebill", "fundflowbill"])
def test_bills_that_are_not(merchant: Merchant, kind: str, query: str, code: str) -> None:
    assert merchant.call("GET", f"/v3/bill/{kind}?{query}").json()["code"] == code
    assert merchant.call("GET", "/v3/billdownload/file?token=x").status_code == 404
