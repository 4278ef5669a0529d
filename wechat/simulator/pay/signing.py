"""WeChat Pay's signatures and sealed texts: WECHATPAY2-SHA256-RSA2048 and AEAD_AES_256_GCM."""

from __future__ import annotations

import base64
import re
import secrets
import string

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from .errors import PayError

SCHEME = "WECHATPAY2-SHA256-RSA2048"
FRESH = 300.0  # seconds a request's time stamp may be off
NAMES = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


def lines(*parts: str) -> str:
    """The text that is signed: each part and a line feed."""
    return "".join(f"{part}\n" for part in parts)


def sign(key: RSAPrivateKey, text: str) -> str:
    """RSA-SHA256 over the text, as base64."""
    return base64.b64encode(key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def verify(key: RSAPublicKey, text: str, signature: str) -> bool:
    """Whether the signature is this key's over this text."""
    try:
        key.verify(base64.b64decode(signature, validate=True), text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        return False
    return True


def authorization(header: str) -> dict[str, str]:
    """The five fields of an Authorization header; raises PayError SIGN_ERROR."""
    scheme, _, rest = header.partition(" ")
    found: dict[str, str] = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    if scheme != SCHEME or set(found) != NAMES:
        raise PayError("SIGN_ERROR", f"Http头Authorization值格式错误，请使用{SCHEME}及其五个字段")
    return found


def check(header: str, signed: tuple[str, str, str], mchid: str, serial: str, key: RSAPublicKey, now: float) -> None:
    """Verify a request; `signed` is method, path with query, body. Raises PayError SIGN_ERROR saying what is wrong."""
    fields = authorization(header)
    method, path, body = signed
    if fields["mchid"] != mchid:
        raise PayError("SIGN_ERROR", "Http头Authorization中的mchid与商户不符")
    if fields["serial_no"].upper() != serial.upper():
        raise PayError("SIGN_ERROR", "商户证书序列号有误，请使用签名私钥匹配的证书序列号")
    if not fields["timestamp"].isdigit() or abs(now - int(fields["timestamp"])) > FRESH:
        raise PayError("SIGN_ERROR", "Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    text = lines(method, path, fields["timestamp"], fields["nonce_str"], body)
    if not verify(key, text, fields["signature"]):
        raise PayError("SIGN_ERROR", "错误的签名，验签失败")


def nonce(length: int = 32) -> str:
    """Random letters and digits."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def seal(key: bytes, text: str, associated: str) -> dict[str, str]:
    """An encrypted resource: algorithm, ciphertext, associated_data and nonce."""
    once = nonce(12)
    sealed = AESGCM(key).encrypt(once.encode(), text.encode(), associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM",
        "ciphertext": base64.b64encode(sealed).decode(),
        "associated_data": associated,
        "nonce": once,
    }
