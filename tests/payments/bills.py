"""A trade bill as WeChat Pay writes it, of chosen lines."""

from __future__ import annotations

from dataclasses import dataclass, replace

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,"
    "应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,"
    "手续费,费率,订单金额,申请退款金额,费率备注"
)
SUMS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


@dataclass(frozen=True)
class Row:
    """A line: a payment, or with ``refund`` a refund of it."""

    number: str
    fen: int
    gateway_id: str = "4200001"
    refund: str = ""
    status: str = "SUCCESS"
    name: str = "内科, 视频复诊"

    def text(self) -> str:
        sum_ = f"{self.fen // 100}.{self.fen % 100:02d}"
        paid, back = ("0.00", sum_) if self.refund else (sum_, "0.00")
        values = [
            *("2026-11-24 10:00:00", "wx1", "1900000109", "0", "", "4200001" if self.refund else self.gateway_id),
            *(self.number, "o-payer", "JSAPI", "REFUND" if self.refund else self.status, "OTHERS", "CNY", paid, "0.00"),
            *(("5030001", self.refund) if self.refund else ("0", "0")),
            *(back, "0.00", "ORIGINAL" if self.refund else "", self.status if self.refund else ""),
            *(self.name, "", "0.00000", "0.00%", paid, back, ""),
        ]
        return ",".join(f"`{value}" for value in values)

    def but(self, **changes: object) -> Row:
        return replace(self, **changes)  # type: ignore[arg-type]


def bill(*rows: Row | str, count: int | None = None) -> bytes:
    """The file; a text is a line as it is. ``count`` is what its sums say, if not the truth."""
    lines = [row if isinstance(row, str) else row.text() for row in rows]
    paid = sum(row.fen for row in rows if isinstance(row, Row) and not row.refund)
    back = sum(row.fen for row in rows if isinstance(row, Row) and row.refund)
    texts = [f"{fen // 100}.{fen % 100:02d}" for fen in (paid, back)]
    sums = [str(len(rows) if count is None else count), texts[0], texts[1], "0.00", "0.00", texts[0], texts[1]]
    whole = [HEADER, *lines, SUMS, ",".join(f"`{value}" for value in sums)]
    return ("\ufeff" + "\r\n".join(whole) + "\r\n").encode()
