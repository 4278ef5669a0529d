"""Bills of WeChat Pay v3: one day's trades and one day's flow of funds, as the files a merchant downloads."""

from __future__ import annotations

import gzip
import hashlib
import secrets
from datetime import date, datetime
from operator import itemgetter
from typing import Any

from ..world import CHINA, World
from .errors import PayError
from .records import Order, Refund

TRADE_COLUMNS = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
TRADE_SUMS = (
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"  # one line below
)
FLOW_COLUMNS = (
    "记账时间,微信支付业务单号,资金流水单号,业务名称,业务类型,收支类型,收支金额（元）,账户结余（元）,资金变更提交申请人,备注,"
    "业务凭证号"
)
FLOW_SUMS = "资金流水总笔数,收入笔数,收入金额,支出笔数,支出金额"
ENDED = "SUCCESS"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, CHINA).strftime("%Y-%m-%d %H:%M:%S")


def _on(moment: float, day: date) -> bool:
    return moment > 0 and datetime.fromtimestamp(moment, CHINA).date() == day


def _file(columns: str, rows: list[list[str]], sums: str, summary: list[str]) -> str:
    lines = [columns, *(",".join(f"`{field}" for field in row) for row in rows)]
    return "\r\n".join(["\ufeff" + lines[0], *lines[1:], sums, ",".join(f"`{field}" for field in summary)]) + "\r\n"


def trade(world: World, day: date, kind: str) -> str:
    """The trades of a day: `kind` is ALL, SUCCESS (payments) or REFUND."""
    with world.change() as state:
        paid = [o for o in state.orders.values() if _on(o.paid, day)] if kind != "REFUND" else []
        back = [r for r in state.refunds.values() if _on(r.created, day)] if kind != "SUCCESS" else []
        rows = [(o.paid, _trade_row(world, o, None)) for o in paid]
        rows += [(r.created, _trade_row(world, state.orders[r.out_trade_no], r)) for r in back]
    if not rows:
        raise PayError("NO_STATEMENT_EXIST", "账单文件不存在")
    total, refunded = sum(o.total for o in paid), sum(r.amount for r in back)
    summary = [str(len(rows)), _yuan(total), _yuan(refunded), "0.00", "0.00", _yuan(total), _yuan(refunded)]
    return _file(TRADE_COLUMNS, [row for _, row in sorted(rows, key=itemgetter(0))], TRADE_SUMS, summary)


def _trade_row(world: World, order: Order, refund: Refund | None) -> list[str]:
    back = _yuan(refund.amount) if refund else "0.00"
    return [
        _time(refund.created if refund else order.paid),
        *(world.config.appid, world.config.mchid, "0", "", order.transaction_id, order.out_trade_no, order.openid),
        *("JSAPI", "REFUND" if refund else "SUCCESS", "OTHERS", "CNY", "0.00" if refund else _yuan(order.total)),
        *("0.00", refund.refund_id if refund else "0", refund.out_refund_no if refund else "0", back, "0.00"),
        *(("ORIGINAL", refund.status) if refund else ("", "")),
        *(str(order.asked["description"]), str(order.asked.get("attach", "")), "0.00000", "0.00%"),
        *("0.00" if refund else _yuan(order.total), back, ""),
    ]


def flow(world: World, day: date) -> str:
    """The flow of funds of a day: payments in, refunds out."""
    with world.change() as state:
        moves = [(o.paid, o.total, o.transaction_id, "交易", o.out_trade_no) for o in state.orders.values() if o.paid]
        ended = [r for r in state.refunds.values() if r.status == ENDED]
        moves += [(r.ended, -r.amount, r.refund_id, "退款", r.out_refund_no) for r in ended]
    balance, income, expense = 0, list[int](), list[int]()
    rows: list[list[str]] = []
    for moment, amount, number, name, voucher in sorted(moves, key=itemgetter(0)):
        balance += amount
        if _on(moment, day):
            (income if amount > 0 else expense).append(abs(amount))
            way = "收入" if amount > 0 else "支出"
            rows.append([_time(moment), number, number, name, name, way, _yuan(abs(amount)), _yuan(balance)])
            rows[-1] += ["system", "", voucher]
    if not rows:
        raise PayError("NO_STATEMENT_EXIST", "账单文件不存在")
    summary = [str(len(rows)), str(len(income)), _yuan(sum(income)), str(len(expense)), _yuan(sum(expense))]
    return _file(FLOW_COLUMNS, rows, FLOW_SUMS, summary)


def offer(world: World, kind: str, query: dict[str, str]) -> dict[str, Any]:
    """GET /v3/bill/tradebill and fundflowbill: where the file is, and its SHA-1."""
    day = _day(world, query.get("bill_date", ""))
    bill = query.get("bill_type", "ALL")
    if bill not in ("ALL", "SUCCESS", "REFUND") or query.get("account_type", "BASIC") != "BASIC":
        raise PayError("PARAM_ERROR", "bill_type 或 account_type 无效")
    if query.get("tar_type", "GZIP") != "GZIP":
        raise PayError("PARAM_ERROR", "tar_type 只能是 GZIP")
    content = (trade(world, day, bill) if kind == "tradebill" else flow(world, day)).encode()
    token = secrets.token_urlsafe(24)
    world.bills[token] = gzip.compress(content) if "tar_type" in query else content
    return {
        "hash_type": "SHA1",
        "hash_value": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "download_url": f"{world.config.origin}/v3/billdownload/file?token={token}",
    }


def _day(world: World, text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise PayError("PARAM_ERROR", "bill_date 的格式是 yyyy-MM-dd") from error
    today = datetime.fromtimestamp(world.now, CHINA).date()
    if day > today or (day == today and not world.state.settings.pay_bills_today):
        raise PayError("INVALID_REQUEST", "账单日期必须在今天之前，次日上午 10 点后可下载")
    return day


def download(world: World, token: str) -> bytes:
    """GET /v3/billdownload/file: the bytes offered under the token."""
    if token not in world.bills:
        raise PayError("RESOURCE_NOT_EXISTS", "账单下载地址无效或已过期")
    return world.bills[token]
