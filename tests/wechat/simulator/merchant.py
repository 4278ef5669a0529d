"""A merchant for the tests of WeChat Pay: signs, verifies and decrypts by the written rules, with nobody's client."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from flask import Flask, Response, request

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import APPID, Served

OPENID = "oSimParent000000000000000001"
JSAPI, REFUNDS = "/v3/pay/transactions/jsapi", "/v3/refund/domestic/refunds"


@cache
def private_key(pem: bytes) -> Any:
    """The merchant's key; checking one takes a while."""
    return load_pem_private_key(pem, None)


@dataclass
class Merchant:
    """The merchant, its keys from the simulator's folder, and the server its notices go to."""

    sim: Sim
    keys: Path
    notices: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)  # statuses to answer with, 204 after them
    arrived: threading.Condition = field(default_factory=threading.Condition)
    served: Served | None = None

    @property
    def url(self) -> str:
        """Where notices go."""
        assert self.served
        return f"{self.served.origin}/notify"

    def sign(self, text: str) -> str:
        """The merchant's signature."""
        key = private_key((self.keys / "apiclient_key.pem").read_bytes())
        return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()

    def authorization(self, method: str, path: str, body: str, **changes: str) -> str:
        """The Authorization header; `changes` spoil its fields."""
        certificate = x509.load_pem_x509_certificate((self.keys / "apiclient_cert.pem").read_bytes())
        stamp = changes.get("timestamp", str(int(self.sim.clock.time)))
        fields = {
            "mchid": self.sim.config.mchid,
            "nonce_str": "n" * 32,
            "signature": self.sign(f"{method}\n{path}\n{stamp}\n{'n' * 32}\n{body}\n"),
            "timestamp": stamp,
            "serial_no": f"{certificate.serial_number:X}",
        }
        return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{k}="{v}"' for k, v in (fields | changes).items())

    def call(self, method: str, path: str, body: Any = None, spoil: dict[str, str] | None = None) -> requests.Response:
        """One signed call."""
        text = json.dumps(body, ensure_ascii=False) if body is not None else ""
        headers = {"Authorization": self.authorization(method, path, text, **(spoil or {}))}
        return self.sim.session.request(method, self.sim.origin + path, data=text.encode(), headers=headers, timeout=60)

    def order(self, number: str = "order-0001", **changes: Any) -> requests.Response:
        """Make an order."""
        body = {
            "appid": APPID,
            "mchid": self.sim.config.mchid,
            "description": "内科门诊 挂号费",
            "out_trade_no": number,
            "notify_url": self.url,
            "amount": {"total": 5000, "currency": "CNY"},
            "payer": {"openid": OPENID},
        }
        return self.call("POST", JSAPI, {k: v for k, v in (body | changes).items() if v is not None})

    def params(self, prepay_id: str, **changes: str) -> dict[str, str]:
        """What the page calls the cashier with."""
        package, stamp = f"prepay_id={prepay_id}", str(int(self.sim.clock.time))
        signature = self.sign(f"{APPID}\n{stamp}\nabc\n{package}\n")
        given = {"appId": APPID, "timeStamp": stamp, "nonceStr": "abc", "package": package, "signType": "RSA"}
        return {**given, "paySign": signature, **changes}

    def pay(self, number: str = "order-0001", act: str = "pay", **changes: Any) -> dict[str, Any]:
        """Make an order and have li-na pay it."""
        params = self.params(self.order(number, **changes).json()["prepay_id"])
        return dict(self.sim.post("/phones/li-na/pay", {"params": params, "act": act}))

    def refund(self, number: str = "refund-1", fen: int = 5000, **changes: Any) -> requests.Response:
        """Ask for a refund of order-0001."""
        body = {
            "out_trade_no": "order-0001",
            "out_refund_no": number,
            "reason": "停诊",
            "notify_url": self.url,
            "amount": {"refund": fen, "total": 5000, "currency": "CNY"},
        }
        return self.call("POST", REFUNDS, body | changes)

    def wait(self, count: int, seconds: float = 60) -> list[dict[str, Any]]:
        """The notices, decrypted, once there are so many."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.notices) >= count, seconds), self.notices
            return list(self.notices)

    def apiv3(self) -> AESGCM:
        """The APIv3 key."""
        return AESGCM((self.keys / "apiv3_key.txt").read_bytes())

    def opened(self, resource: dict[str, str]) -> str:
        """An encrypted resource in the clear."""
        sealed = base64.b64decode(resource["ciphertext"])
        return self.apiv3().decrypt(resource["nonce"].encode(), sealed, resource["associated_data"].encode()).decode()

    def verifies(self, headers: Any, body: str, key: str = "wechatpay_cert.pem") -> bool:
        """Whether the Wechatpay-* headers sign the body, by a file of the key folder."""
        raw = (self.keys / key).read_bytes()
        public: Any = x509.load_pem_x509_certificate(raw).public_key() if "cert" in key else load_pem_public_key(raw)
        assert isinstance(public, RSAPublicKey)
        text = f"{headers['Wechatpay-Timestamp']}\n{headers['Wechatpay-Nonce']}\n{body}\n"
        try:
            public.verify(base64.b64decode(headers["Wechatpay-Signature"]), text.encode(), PKCS1v15(), SHA256())
        except Exception:  # any refusal means no
            return False
        return True

    def serve(self) -> None:
        """Listen for notices."""
        app = Flask(__name__)

        @app.post("/notify")
        def notify() -> Response:
            body = request.get_json()
            with self.arrived:
                self.headers.append(dict(request.headers))
                self.bodies.append(request.get_data(as_text=True))
                if request.headers["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/"):
                    return Response(status=401)
                self.notices.append(body | {"plain": json.loads(self.opened(body["resource"]))})
                self.arrived.notify_all()
                return Response(status=self.answers.pop(0) if self.answers else 204)

        self.served = Served(app)
