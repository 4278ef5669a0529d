"""The payments gateway over WeChat Pay v3 (JSAPI): signed requests, verified answers, time limits, typed errors."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, quote, urlencode, urlsplit

import requests
import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from requests.adapters import HTTPAdapter

from config.clock import local, real_now
from config.settings import Settings
from payments.gateway import Checkout, GatewayError, Order, Payment, Refund, RefundOrder
from wechat.pay.keys import PlatformKeys, PublicKey
from wechat.pay.notify import NOTIFY_PATH, FirstTime, Notices
from wechat.pay.parsing import payment_of, refund_of
from wechat.pay.signing import Merchant, Seal, Unverified

log = structlog.get_logger()
T = TypeVar("T")

TIMEOUT = (2.0, 8.0)  # seconds to connect, seconds of silence
AGAIN = frozenset({"SYSTEM_ERROR", "FREQUENCY_LIMITED", "BANKERROR", "RATELIMIT_EXCEEDED"})
JSAPI, BY_NUMBER = "/v3/pay/transactions/jsapi", "/v3/pay/transactions/out-trade-no"
REFUNDS, BILL, CERTIFICATES = "/v3/refund/domestic/refunds", "/v3/bill/tradebill", "/v3/certificates"


@dataclass(frozen=True)
class Contract:
    """What a merchant has agreed with WeChat Pay. ``notify_url`` is where it tells us of payments and refunds."""

    appid: str
    merchant: Merchant
    api_key: bytes
    public: PublicKey | None
    notify_url: str


class PayClient:
    """payments.gateway.Gateway over WeChat Pay. May be called from several threads at once."""

    def __init__(self, contract: Contract, origin: str) -> None:
        self._contract, self._origin = contract, origin
        self._http = requests.Session()
        self._http.mount(origin, HTTPAdapter(pool_maxsize=32))
        self.keys = PlatformKeys(contract.api_key, contract.public, self._certificates)

    def order(self, order: Order) -> Checkout:
        """Place an order; the prepay id is good for two hours, and placing the same order again gives a fresh one."""
        answer = self._call("POST", JSAPI, {
            "appid": self._contract.appid,
            "mchid": self._contract.merchant.mchid,
            "description": order.description,
            "out_trade_no": order.number,
            "time_expire": local(order.expires_at).isoformat(timespec="seconds"),
            "notify_url": self._contract.notify_url,
            "amount": {"total": order.amount_fen, "currency": "CNY"},
            "payer": {"openid": order.payer},
        })  # fmt: skip
        prepay_id = _read(lambda found: str(found["prepay_id"]), answer)
        return Checkout(prepay_id, self._contract.merchant.checkout(self._contract.appid, prepay_id, real_now()))

    def query(self, number: str) -> Payment:
        """What became of an order."""
        return _read(payment_of, self._call("GET", f"{BY_NUMBER}/{_safe(number)}", mchid=self._contract.merchant.mchid))

    def close(self, number: str) -> None:
        """Close an unpaid order. WeChat Pay asks to wait five minutes after placing it."""
        self._call("POST", f"{BY_NUMBER}/{_safe(number)}/close", {"mchid": self._contract.merchant.mchid})

    def refund(self, refund: RefundOrder) -> Refund:
        """Give money back: within a year, in at most 50 parts, a minute apart."""
        answer = self._call("POST", REFUNDS, {
            "out_trade_no": refund.payment,
            "out_refund_no": refund.number,
            "reason": refund.reason,
            "notify_url": self._contract.notify_url,
            "amount": {"refund": refund.refund_fen, "total": refund.total_fen, "currency": "CNY"},
        })  # fmt: skip
        return _read(refund_of, answer)

    def query_refund(self, number: str) -> Refund:
        """What became of a refund."""
        return _read(refund_of, self._call("GET", f"{REFUNDS}/{_safe(number)}"))

    def bill(self, day: date) -> bytes:
        """The day's trade bill; it is there from ten o'clock of the next day on, and NO_STATEMENT_EXIST says that
        nothing was moved."""
        answer = self._call("GET", BILL, bill_date=day.isoformat(), bill_type="ALL")
        kind, expected, address = _read(_bill_of, answer)
        if kind != "SHA1":
            raise GatewayError("unverified", f"hash {kind}")
        # The address is followed on our own origin: our signature goes nowhere else.
        content = self._send("GET", f"{address.path}?{address.query}", "").content
        found = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(found, expected.lower()):
            raise GatewayError("unverified", "hash", again=True)
        return content

    def notices(self, first_time: FirstTime) -> Notices:
        """Reads what WeChat Pay tells this merchant by itself."""
        return Notices(self.keys, self._contract.api_key, self._contract.merchant.mchid, first_time)

    def _certificates(self) -> tuple[Mapping[str, str], bytes]:
        answer = self._send("GET", CERTIFICATES, "")
        return answer.headers, answer.content

    def _call(self, method: str, path: str, data: Mapping[str, Any] | None = None, **query: str) -> dict[str, Any]:
        """Send, and verify that the answer is WeChat Pay's. Returns its JSON, {} for none."""
        body = "" if data is None else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        target = f"{path}?{urlencode(query)}" if query else path
        answer = self._send(method, target, body)
        try:
            seal, now = Seal.of(answer.headers), real_now()
            seal.check(self.keys.key(seal.serial, now), answer.content, now)
        except Unverified as error:
            log.warning("pay-answer-unverified", path=path, code=error.code)
            raise GatewayError("unverified", error.code, again=True) from None
        return _read(json.loads, answer.content) if answer.content else {}

    def _send(self, method: str, target: str, body: str) -> requests.Response:
        headers = {
            "Authorization": self._contract.merchant.authorization(method, target, body, real_now()),
            "Accept": "application/json, text/plain",
            "Content-Type": "application/json",
            "User-Agent": "internet-clinic",
        }
        if self._contract.public:  # asks WeChat Pay to answer with the key that we hold
            headers["Wechatpay-Serial"] = self._contract.public.id
        try:
            answer = self._http.request(
                method,
                self._origin + target,
                data=body.encode() or None,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise GatewayError("unavailable", type(error).__name__, again=True) from None
        if answer.status_code in {200, 202, 204}:
            return answer
        raise _refused(answer)


def _bill_of(answer: dict[str, Any]) -> tuple[str, str, SplitResult]:
    return str(answer["hash_type"]), str(answer["hash_value"]), urlsplit(str(answer["download_url"]))


def _refused(answer: requests.Response) -> GatewayError:
    """The error in an answer. Its words may quote what we sent, so only its code goes further."""
    try:
        code = str(answer.json()["code"])
    except (ValueError, KeyError, TypeError):
        return GatewayError("unavailable", f"HTTP {answer.status_code}", again=True)
    log.warning("pay-refused", code=code, status=answer.status_code, request=answer.headers.get("Request-ID", ""))
    return GatewayError(code, f"HTTP {answer.status_code}", again=code in AGAIN or answer.status_code >= 500)


def _read(how: Callable[[Any], T], answer: Any) -> T:
    try:
        return how(answer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GatewayError("unverified", f"unreadable answer: {type(error).__name__}", again=True) from None


def _safe(number: str) -> str:
    return quote(number, safe="")


def connect(settings: Settings) -> PayClient | None:
    """The client of the merchant in the settings; None when there is none, and then nothing can be paid.

    Raises ValueError or OSError for a key that is none or can't be read.
    """
    if not settings.wechat_pay_mchid:
        return None
    key = load_pem_private_key(_pem(settings.wechat_pay_private_key.get_secret_value()), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("WECHAT_PAY_PRIVATE_KEY is not an RSA key")
    contract = Contract(
        appid=settings.wechat_appid,
        merchant=Merchant(settings.wechat_pay_mchid, settings.wechat_pay_serial.upper(), key),
        api_key=settings.wechat_pay_apiv3_key.get_secret_value().encode(),
        public=_public_key(settings),
        notify_url=settings.clinic_origin + NOTIFY_PATH,
    )
    return PayClient(contract, settings.wechat_pay_origin)


def _public_key(settings: Settings) -> PublicKey | None:
    if not settings.wechat_pay_public_key_id:
        return None
    key = load_pem_public_key(_pem(settings.wechat_pay_public_key))
    if not isinstance(key, RSAPublicKey):
        raise ValueError("WECHAT_PAY_PUBLIC_KEY is not an RSA key")
    return PublicKey(settings.wechat_pay_public_key_id, key)


def _pem(value: str) -> bytes:
    """A key given as PEM (line ends may be written as \\n) or as the path of a PEM file."""
    return value.replace("\\n", "\n").encode() if value.startswith("-----BEGIN") else Path(value).read_bytes()
