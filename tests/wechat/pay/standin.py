"""A small WeChat Pay v3 on loopback: it checks every signature, signs every answer, keeps orders and refunds.

It shares no code with the product; its cashier is a method (``pay``), and tests switch what it signs with.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID

MCHID, APPID, SERIAL = "1900000109", "wx5f0c1de9a7b34286", "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
API_KEY = "dev-api-v3-key-of-the-tests-0000"
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000001092024112500382800000001"
AUTHORIZATION = re.compile(
    r'WECHATPAY2-SHA256-RSA2048 mchid="(\d+)",nonce_str="(\w+)",signature="([\w+/=]+)",'
    r'timestamp="(\d+)",serial_no="(\w+)"'
)


def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: rsa.RSAPrivateKey) -> str:
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, *private).decode()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


@dataclass
class Platform:
    """A platform certificate and its key."""

    key: rsa.RSAPrivateKey = field(default_factory=rsa_key)
    days: int = 1800
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tenpay.com sign")])
        start = datetime.now(UTC) - timedelta(days=10)
        self.certificate = (
            x509.CertificateBuilder(name, name, self.key.public_key())
            .serial_number(x509.random_serial_number() >> 8)
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=self.days))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def serial(self) -> str:
        return f"{self.certificate.serial_number:040X}"

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)


class Refusal(Exception):
    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status, self.code = status, code


@dataclass
class WeChatPay:
    """The state and the rules; ``signer`` is the serial and key of the next answers and notices."""

    merchant: rsa.RSAPrivateKey = field(default_factory=rsa_key)
    public: rsa.RSAPrivateKey = field(default_factory=rsa_key)
    certificates: list[Platform] = field(default_factory=lambda: [Platform()])
    signer: tuple[str, rsa.RSAPrivateKey] | None = None
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    spoil: Callable[[int, dict[str, str], bytes], tuple[int, dict[str, str], bytes]] | None = None
    bills: dict[str, bytes] = field(default_factory=dict)
    origin: str = ""

    def handle(
        self, method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        self.asked.append((method, target, headers))
        parts = urlsplit(target)
        try:
            self._authorized(method, target, headers.get("Authorization", ""), body)
            status, answer = self._route(method, parts.path, parse_qs(parts.query), body)
        except Refusal as refusal:
            status, answer = refusal.status, {"code": refusal.code, "message": "an invented text"}
        raw = answer if isinstance(answer, bytes) else b"" if answer is None else json.dumps(answer).encode()
        signed = {} if parts.path == "/v3/billdownload/file" else self.seal(raw)
        return self.spoil(status, signed, raw) if self.spoil else (status, signed, raw)

    def _authorized(self, method: str, target: str, header: str, body: bytes) -> None:
        found = AUTHORIZATION.fullmatch(header)
        if not found or found[1] != MCHID or found[5] != SERIAL:
            raise Refusal(401, "SIGN_ERROR")
        signed = f"{method}\n{target}\n{found[4]}\n{found[2]}\n".encode() + body + b"\n"
        try:
            key = self.merchant.public_key()
            key.verify(base64.b64decode(found[3]), signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise Refusal(401, "SIGN_ERROR") from None
        if abs(datetime.now(UTC).timestamp() - int(found[4])) > 300:
            raise Refusal(401, "SIGN_ERROR")

    def seal(self, body: bytes) -> dict[str, str]:
        serial, key = self.signer or (self.certificates[-1].serial, self.certificates[-1].key)
        timestamp, nonce = str(int(datetime.now(UTC).timestamp())), secrets.token_hex(16)
        signature = key.sign(f"{timestamp}\n{nonce}\n".encode() + body + b"\n", padding.PKCS1v15(), hashes.SHA256())
        return {
            "Wechatpay-Serial": serial,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Timestamp": timestamp,
            "Wechatpay-Nonce": nonce,
        }

    def _route(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, Any]:  # noqa: C901, PLR0911
        data = json.loads(body) if body else {}
        match (method, path.removeprefix("/v3/").split("/")):
            case "POST", ["pay", "transactions", "jsapi"]:
                return 200, self._place(data)
            case "GET", ["pay", "transactions", "out-trade-no", number] if query.get("mchid") == [MCHID]:
                return 200, self._shown(self._order(number))
            case "POST", ["pay", "transactions", "out-trade-no", number, "close"] if data == {"mchid": MCHID}:
                if self._order(number)["state"] == "SUCCESS":
                    raise Refusal(400, "ORDERPAID")
                self._order(number)["state"] = "CLOSED"
                return 204, None
            case "POST", ["refund", "domestic", "refunds"]:
                return 200, self._refund(data)
            case "GET", ["refund", "domestic", "refunds", number]:
                if number not in self.refunds:
                    raise Refusal(404, "RESOURCE_NOT_EXISTS")
                return 200, self.refunds[number]
            case "GET", ["certificates"]:
                return 200, {"data": [self._listed(platform) for platform in self.certificates]}
            case "GET", ["bill", "tradebill"] if query["bill_date"][0] in self.bills:
                digest = hashlib.sha1(self.bills[query["bill_date"][0]]).hexdigest()
                address = f"https://api.mch.weixin.qq.com/v3/billdownload/file?token={query['bill_date'][0]}"
                return 200, {"hash_type": "SHA1", "hash_value": digest, "download_url": address}
            case "GET", ["bill", "tradebill"]:
                raise Refusal(400, "NO_STATEMENT_EXIST")
            case "GET", ["billdownload", "file"]:
                return 200, self.bills[query["token"][0]]
        raise Refusal(404, "NOT_FOUND")

    def _order(self, number: str) -> dict[str, Any]:
        if number not in self.orders:
            raise Refusal(404, "ORDER_NOT_EXIST")
        return self.orders[number]

    def _place(self, data: dict[str, Any]) -> dict[str, str]:
        if (
            not re.fullmatch(r"[0-9A-Za-z_\-|*]{6,32}", data["out_trade_no"])
            or not 1 <= len(data["description"]) <= 127
        ):
            raise Refusal(400, "PARAM_ERROR")
        if (data["appid"], data["mchid"]) != (APPID, MCHID):
            raise Refusal(400, "APPID_MCHID_NOT_MATCH")
        if data["amount"]["total"] < 1 or data["amount"]["currency"] != "CNY" or "?" in data["notify_url"]:
            raise Refusal(400, "PARAM_ERROR")
        datetime.strptime(data["time_expire"], "%Y-%m-%dT%H:%M:%S%z")
        known = self.orders.setdefault(data["out_trade_no"], {"data": data, "state": "NOTPAY"})
        if known["state"] == "CLOSED":
            raise Refusal(400, "ORDER_CLOSED")
        if known["data"] != data or known["state"] != "NOTPAY":
            raise Refusal(400, "OUT_TRADE_NO_USED")
        known["prepay_id"] = f"wx{secrets.token_hex(17)}"
        return {"prepay_id": known["prepay_id"]}

    def pay(self, number: str) -> None:
        """The payer pays at the cashier."""
        self.orders[number] |= {"state": "SUCCESS", "paid_at": "2026-11-25T10:00:00+08:00"}

    def _shown(self, order: dict[str, Any]) -> dict[str, Any]:
        data = order["data"]
        shown = {"appid": APPID, "mchid": MCHID, "out_trade_no": data["out_trade_no"], "trade_state": order["state"]}
        if order["state"] not in {"SUCCESS", "REFUND"}:
            return shown
        return shown | {
            "transaction_id": "4200001234202611250000000001",
            "success_time": order["paid_at"],
            "amount": data["amount"] | {"payer_total": data["amount"]["total"]},
            "payer": data["payer"],
        }

    def _refund(self, data: dict[str, Any]) -> dict[str, Any]:
        order, amount = self._order(data["out_trade_no"]), data["amount"]
        if order["state"] not in {"SUCCESS", "REFUND"} or amount["total"] != order["data"]["amount"]["total"]:
            raise Refusal(400, "PARAM_ERROR")
        others = [r for n, r in self.refunds.items() if n != data["out_refund_no"]]
        if sum(r["amount"]["refund"] for r in others) + amount["refund"] > amount["total"]:
            raise Refusal(403, "NOT_ENOUGH")
        order["state"] = "REFUND"
        return self.refunds.setdefault(data["out_refund_no"], {
            "refund_id": "50000000382019052709732678859",
            "out_refund_no": data["out_refund_no"],
            "transaction_id": "4200001234202611250000000001",
            "out_trade_no": data["out_trade_no"],
            "status": "PROCESSING",
            "amount": amount,
        })  # fmt: skip

    def _listed(self, platform: Platform) -> dict[str, Any]:
        return {"serial_no": platform.serial, "encrypt_certificate": self.sealed(platform.pem, "certificate")}

    def sealed(self, plain: bytes, extra: str) -> dict[str, str]:
        nonce = secrets.token_hex(6)
        ciphertext = AESGCM(API_KEY.encode()).encrypt(nonce.encode(), plain, extra.encode())
        return {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": extra,
            "ciphertext": base64.b64encode(ciphertext).decode(),
        }

    def notice(self, kind: str, original: str, resource: dict[str, Any]) -> tuple[dict[str, str], bytes]:
        """A notification as it would be POSTed: headers and body."""
        sealed = self.sealed(json.dumps(resource).encode(), original) | {"original_type": original}
        body = {"id": "EV-1", "event_type": kind, "resource_type": "encrypt-resource", "resource": sealed}
        raw = json.dumps(body).encode()
        return self.seal(raw), raw

    def paid(self, number: str) -> tuple[dict[str, str], bytes]:
        """The notification of a paid order."""
        return self.notice("TRANSACTION.SUCCESS", "transaction", self._shown(self.orders[number]))


def serve(pay: WeChatPay) -> ThreadingHTTPServer:
    """Let it listen on a free port; ``pay.origin`` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, headers, raw = pay.handle(self.command, self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _do

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    pay.origin = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
