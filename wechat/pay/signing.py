"""WeChat Pay's cryptography: signing what we send, verifying what comes back, opening what is sealed.

Source: WeChat Pay's pages on APIv3 signatures and callbacks; checked against the vector of its own Go library
(tests/wechat/vectors.json). Signatures are RSA (PKCS#1 v1.5) over SHA-256; sealed parts are AES-GCM.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

SCHEME = "WECHATPAY2-SHA256-RSA2048"
FRESH = timedelta(seconds=300)  # as WeChat Pay's own libraries have it
PROBE = "WECHATPAY/SIGNTEST/"  # with this WeChat Pay tests whether a signature is looked at


class Unverified(Exception):
    """It is not from WeChat Pay, or can't be shown to be. ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def lines(*parts: str) -> bytes:
    """What is signed: each part on a line of its own, the last one too."""
    return "".join(f"{part}\n" for part in parts).encode()


@dataclass(frozen=True)
class Merchant:
    """The merchant who signs. ``serial`` is that of the merchant's API certificate."""

    mchid: str
    serial: str
    key: RSAPrivateKey

    def sign(self, *parts: str) -> str:
        """The signature of the lines, in base64."""
        return base64.b64encode(self.key.sign(lines(*parts), PKCS1v15(), SHA256())).decode()

    def authorization(self, method: str, target: str, body: str, now: datetime) -> str:
        """The Authorization header of a request; ``target`` is the path with its query."""
        timestamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
        signature = self.sign(method, target, timestamp, nonce, body)
        return (
            f'{SCHEME} mchid="{self.mchid}",nonce_str="{nonce}",signature="{signature}",'
            f'timestamp="{timestamp}",serial_no="{self.serial}"'
        )

    def checkout(self, appid: str, prepay_id: str, now: datetime) -> dict[str, str]:
        """The parameters with which ``wx.chooseWXPay`` opens the cashier for an order."""
        timestamp, nonce, package = str(int(now.timestamp())), secrets.token_hex(16), f"prepay_id={prepay_id}"
        return {
            "timestamp": timestamp,
            "nonceStr": nonce,
            "package": package,
            "signType": "RSA",
            "paySign": self.sign(appid, timestamp, nonce, package),
        }


@dataclass(frozen=True)
class Seal:
    """The four headers with which WeChat Pay vouches for a body."""

    serial: str
    signature: str
    timestamp: str
    nonce: str

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Seal:
        """Read the headers (names in any case). Raises Unverified when one is missing, or it is only a probe."""
        named = {name.lower(): value for name, value in headers.items()}
        serial, signature, timestamp, nonce = (
            named.get(f"wechatpay-{part}", "") for part in ("serial", "signature", "timestamp", "nonce")
        )
        if not (serial and signature and timestamp and nonce):
            raise Unverified("unsigned")
        if signature.startswith(PROBE):
            raise Unverified("probe")
        return cls(serial, signature, timestamp, nonce)

    def check(self, key: RSAPublicKey, body: bytes, now: datetime) -> None:
        """Raises Unverified: "stale" when it is older or newer than five minutes, "bad-signature"."""
        try:
            age = abs(int(now.timestamp()) - int(self.timestamp))
            signature = base64.b64decode(self.signature, validate=True)
        except (ValueError, binascii.Error):
            raise Unverified("bad-signature") from None
        if age >= FRESH.total_seconds():
            raise Unverified("stale")
        signed = lines(self.timestamp, self.nonce) + body + b"\n"
        try:
            key.verify(signature, signed, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise Unverified("bad-signature") from None


def unseal(key: bytes, resource: Mapping[str, Any]) -> bytes:
    """The plain text of a sealed part (``ciphertext``, ``nonce``, ``associated_data``) under the APIv3 key.

    Raises Unverified when it was not sealed with this key, or is no sealed part at all.
    """
    try:
        if resource.get("algorithm", "AEAD_AES_256_GCM") != "AEAD_AES_256_GCM":
            raise Unverified("unknown-algorithm")
        ciphertext = base64.b64decode(resource["ciphertext"], validate=True)
        extra = str(resource.get("associated_data") or "").encode()
        return AESGCM(key).decrypt(str(resource["nonce"]).encode(), ciphertext, extra)
    except (KeyError, TypeError, ValueError, InvalidTag):
        raise Unverified("undecipherable") from None
