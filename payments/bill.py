"""The gateway's trade bill, read: CSV with a backtick before each value, a header, and two lines of sums at the end.

Source: WeChat Pay's page on the trade bill. What can't be read is kept by its line, never dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

COLUMNS = {
    "kind": "交易状态",
    "transaction": "微信订单号",
    "number": "商户订单号",
    "fen": "订单金额",
    "refund": "微信退款单号",
    "refund_number": "商户退款单号",
    "refund_fen": "申请退款金额",
    "refund_status": "退款状态",
}
SUMS = {"lines": "总交易单数", "paid": "订单总金额", "refunded": "申请退款总金额"}
_YUAN = re.compile(r"(\d{1,9})\.(\d\d)")


@dataclass(frozen=True)
class Line:
    """A payment, or a refund (``refund``), of ``fen``: our number, the gateway's, the state on the bill."""

    refund: bool
    number: str
    gateway_id: str
    fen: int
    status: str


@dataclass
class Bill:
    """The lines; those that can't be read (line number and text); and what is wrong with the bill's own sums."""

    lines: list[Line] = field(default_factory=list)
    unreadable: list[tuple[int, str]] = field(default_factory=list)
    wrong_sums: str = ""

    @property
    def paid_fen(self) -> int:
        """What was paid in all."""
        return sum(line.fen for line in self.lines if not line.refund)

    @property
    def refunded_fen(self) -> int:
        """What was given back in all."""
        return sum(line.fen for line in self.lines if line.refund)


def read(content: bytes) -> Bill:
    """Read a bill; no bytes at all is a day on which nothing moved."""
    bill = Bill()
    if not content:
        return bill
    rows = [row.strip() for row in content.decode("utf-8-sig", errors="replace").splitlines()]
    header = rows[0].split(",") if rows else []
    summed = next((place for place, row in enumerate(rows) if row.startswith(SUMS["lines"])), len(rows))
    for place, row in enumerate(rows[1:summed], start=2):
        line = _line(_named(header, row)) if row else None
        if line:
            bill.lines.append(line)
        elif row:
            bill.unreadable.append((place, row))
    bill.wrong_sums = _wrong_sums(bill, rows[summed:])
    return bill


def _named(header: list[str], row: str) -> dict[str, str]:
    """The values of a row by column; {} when there are more or fewer than columns. A name may hold a comma, so rows are
    cut where a comma and a backtick stand together."""
    values = row.removeprefix("`").split(",`")
    return dict(zip(header, values, strict=True)) if row.startswith("`") and len(values) == len(header) else {}


def _line(row: Mapping[str, str]) -> Line | None:
    try:
        found = {name: row[column].strip() for name, column in COLUMNS.items()}
        if found["kind"] == "SUCCESS":
            line = Line(False, found["number"], found["transaction"], fen_of(found["fen"]), "SUCCESS")
        elif found["kind"] == "REFUND":
            fen = fen_of(found["refund_fen"])
            line = Line(True, found["refund_number"], found["refund"], fen, found["refund_status"])
        else:
            return None
    except (KeyError, ValueError):
        return None
    return line if 0 < len(line.number) <= 64 else None


def _wrong_sums(bill: Bill, rows: list[str]) -> str:
    try:
        sums = _named(rows[0].split(","), rows[1])
        found = (int(sums[SUMS["lines"]]), fen_of(sums[SUMS["paid"]]), fen_of(sums[SUMS["refunded"]]))
    except (IndexError, KeyError, ValueError):
        return "no sums"
    counted = (len(bill.lines) + len(bill.unreadable), bill.paid_fen, bill.refunded_fen)
    return "" if found == counted else " / ".join(str(value) for value in found)


def fen_of(yuan: str) -> int:
    """``50.00`` as 5000. Raises ValueError."""
    found = _YUAN.fullmatch(yuan)
    if not found:
        raise ValueError(yuan)
    return int(found[1]) * 100 + int(found[2])
