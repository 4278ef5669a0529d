"""What WeChat lets into a typed template key (thing1, time4, ...): the rule of each type."""

from __future__ import annotations

import re

HAN = r"[\u3400-\u9fff\U00020000-\U0003134f·]"
CLOCK = r"\d{1,2}:\d{2}(:\d{2})?"
DAY = r"(\d{4}年\d{1,2}月\d{1,2}日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2})"
MOMENT = rf"({DAY}\s*)?{CLOCK}"
AMOUNT = r"[¥￥$€£]?\d{1,10}(\.\d+)?元?"

TYPES: dict[str, str] = {
    "thing": r".{1,20}",
    "short_thing": r".{1,10}",
    "character_string": r"[\x20-\x7e]{1,32}",
    "number": r"(?=.{1,32}$)[+-]?\d+(\.\d+)?",
    "letter": r"[A-Za-z]{1,32}",
    "symbol": r"[^\w\s]{1,5}",
    "time": rf"{MOMENT}(\s*~\s*{MOMENT})?",
    "date": rf"{DAY}(\s*{CLOCK})?(\s*~\s*{DAY}(\s*{CLOCK})?)?",
    "amount": AMOUNT,
    "phone_number": r"(?=.{1,17}$)[\d+\-() ]+",
    "car_number": rf"(?=.{{1,8}}$){HAN}?[A-Za-z0-9·]+{HAN}?",
    "name": rf"{HAN}{{1,10}}|[A-Za-z ,.'·-]{{1,20}}",
    "phrase": rf"{HAN}{{1,5}}",
}


def valid(key: str, value: str, consts: dict[str, list[str]]) -> bool:
    """Whether `value` may stand under `key`; keys of no known type (keyword1) take any text."""
    if not value.strip():
        return False
    kind = re.sub(r"\d+$", "", key)
    if kind in ("const", "enum"):
        return value in consts.get(key, [value])
    pattern = TYPES.get(kind)
    return pattern is None or re.fullmatch(pattern, value, re.DOTALL if kind == "thing" else 0) is not None
