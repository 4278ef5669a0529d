"""WeChat Pay's error answers: an HTTP status and a code."""

from __future__ import annotations

STATUSES = {
    "PARAM_ERROR": 400,
    "INVALID_REQUEST": 400,
    "APPID_MCHID_NOT_MATCH": 400,
    "ORDER_CLOSED": 400,
    "NO_STATEMENT_EXIST": 400,
    "MCH_NOT_EXISTS": 400,
    "SIGN_ERROR": 401,
    "NO_AUTH": 403,
    "OUT_TRADE_NO_USED": 403,
    "RULE_LIMIT": 403,
    "TRADE_ERROR": 403,
    "NOT_ENOUGH": 403,
    "USER_ACCOUNT_ABNORMAL": 403,
    "ORDER_NOT_EXIST": 404,
    "RESOURCE_NOT_EXISTS": 404,
    "FREQUENCY_LIMITED": 429,
    "SYSTEM_ERROR": 500,
}


class PayError(Exception):
    """A refused call: `code` in WeChat's words and the status that goes with it."""

    def __init__(self, code: str, text: str) -> None:
        self.code, self.text = code, text
        self.status = STATUSES.get(code, 400)
        super().__init__(f"{code} {text}")

    def json(self) -> dict[str, str]:
        """The body of the answer."""
        return {"code": self.code, "message": self.text}
