"""Signatures and encryption of what WeChat pushes: wechatpy's cipher, with every fault of the input one exception.

In front of wechatpy 1.8.18: it compares signatures in variable time, does not check the padding, answers bad input with
a dozen exception types, draws its random bytes from a generator that can be predicted, and makes key and cipher anew
for each message.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from functools import cached_property
from threading import local

from wechatpy.crypto import PrpCrypto

BLOCK = 32  # WeChat pads to 32 bytes (PKCS#7), not to AES's 16
HEAD = 20  # 16 random bytes and the length of the message


class Forged(Exception):
    """Not from WeChat, or damaged: a wrong signature, cipher text that can't be opened, another account's message."""


class _Prp(PrpCrypto):  # type: ignore[misc]
    """wechatpy's cipher with strict opening and unpredictable random bytes, and one that goes on in each thread: making
    one takes longer than a message. CBC adds to the first block, which is random, what ended the message before instead
    of the IV: opened, that block is thrown away; to be sealed, it gets what makes up for it."""

    def __init__(self, key: bytes) -> None:
        super().__init__(key)
        self.start, self.mine = int.from_bytes(key[:16], "big"), local()

    def get_random_string(self) -> str:
        return secrets.token_hex(8)

    def seal(self, text: str, app_id: str) -> str:
        """What wechatpy's ``encrypt`` gives, as text."""
        try:
            encryptor, ended = self.mine.encryptor, self.mine.ended
        except AttributeError:
            encryptor, ended = self.cipher.cipher.encryptor(), self.start
            self.mine.encryptor = encryptor
        data = text.encode()
        first = int.from_bytes(self.get_random_string().encode(), "big") ^ self.start ^ ended
        plain = b"".join((first.to_bytes(16, "big"), len(data).to_bytes(4, "big"), data, app_id.encode()))
        padding = BLOCK - len(plain) % BLOCK
        sealed = encryptor.update(plain + bytes((padding,)) * padding)
        self.mine.ended = int.from_bytes(sealed[-16:], "big")
        return base64.b64encode(sealed).decode()

    def decrypt(self, text: str, app_id: str) -> str:
        try:
            sealed = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            raise Forged("base64") from None
        if not sealed or len(sealed) % BLOCK:
            raise Forged("length")
        try:
            decryptor = self.mine.decryptor
        except AttributeError:
            decryptor = self.mine.decryptor = self.cipher.cipher.decryptor()
        return _unpacked(decryptor.update(sealed), app_id)


def _unpacked(plain: bytes, app_id: str) -> str:
    """The message inside random bytes, length, message, AppID and padding. Raises Forged."""
    padding = plain[-1]
    if not 1 <= padding <= BLOCK or plain[-padding:] != bytes([padding]) * padding:
        raise Forged("padding")
    content = plain[:-padding]
    end = HEAD + int.from_bytes(content[HEAD - 4 : HEAD], "big")
    if not hmac.compare_digest(content[end:], app_id.encode()):  # a wrong length leaves another rest
        raise Forged("appid")
    try:
        return content[HEAD:end].decode()
    except UnicodeDecodeError:
        raise Forged("text") from None


@dataclass(frozen=True)
class Crypto:
    """Signs, checks, opens and seals for one account, with one EncodingAESKey."""

    token: str
    aes_key: str
    appid: str

    @cached_property
    def _cipher(self) -> _Prp:
        return _Prp(base64.b64decode(self.aes_key + "="))

    def signature(self, *parts: str) -> str:
        """WeChat's signature: SHA-1 over the token and the parts, sorted and joined."""
        return hashlib.sha1("".join(sorted((self.token, *parts))).encode(), usedforsecurity=False).hexdigest()

    def check(self, signature: str, *parts: str) -> None:
        """Raises Forged unless the signature is that of the parts; takes the same time either way."""
        if not hmac.compare_digest(signature.encode(), self.signature(*parts).encode()):
            raise Forged("signature")

    def open(self, encrypted: str, msg_signature: str, timestamp: str, nonce: str) -> str:
        """The message inside ``encrypted``. Raises Forged."""
        self.check(msg_signature, timestamp, nonce, encrypted)
        return self._cipher.decrypt(encrypted, self.appid)

    def seal(self, message: str, timestamp: str, nonce: str) -> str:
        """The answer's XML around the encrypted message; ``nonce`` is the request's and was checked by then."""
        encrypted = self._cipher.seal(message, self.appid)
        return (
            f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{self.signature(timestamp, nonce, encrypted)}]]></MsgSignature>"
            f"<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )
