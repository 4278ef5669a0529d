"""WeChat's signatures and message encryption, written from the platform's specification and nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32  # PKCS#7 pads to 32 bytes here, not to AES's 16
HEAD = 20  # 16 random bytes and a 4-byte length


class CryptoError(ValueError):
    """A ciphertext that is not a message of this account; the text says why."""


def sign(*parts: str) -> str:
    """SHA-1 over the sorted parts: `signature` of token, timestamp, nonce; `msg_signature` adds the ciphertext."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def sign_page(ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """The JS-SDK signature of a page; `url` is used without its fragment, every value raw."""
    text = f"jsapi_ticket={ticket}&noncestr={nonce}&timestamp={timestamp}&url={url.partition('#')[0]}"
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def _cipher(encoding_aes_key: str) -> Cipher[modes.CBC]:
    key = base64.b64decode(encoding_aes_key + "=")
    return Cipher(algorithms.AES(key), modes.CBC(key[:16]))


def encrypt(text: str, encoding_aes_key: str, appid: str, random16: bytes | None = None) -> str:
    """Base64 of AES-256-CBC over 16 random bytes, the length, the text and the appid."""
    raw = text.encode()
    plain = (random16 or os.urandom(8).hex().encode()) + struct.pack("!I", len(raw)) + raw + appid.encode()
    pad = BLOCK - len(plain) % BLOCK
    encryptor = _cipher(encoding_aes_key).encryptor()
    return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()


def decrypt(ciphertext: str, encoding_aes_key: str, appid: str) -> str:
    """The text inside a ciphertext; raises CryptoError when padding, length or appid is wrong."""
    try:
        raw = base64.b64decode(ciphertext, validate=True)
        decryptor = _cipher(encoding_aes_key).decryptor()
        plain = decryptor.update(raw) + decryptor.finalize()
    except ValueError as error:
        raise CryptoError(f"not base64 of whole AES blocks: {error}") from error
    pad = plain[-1] if plain else 0
    if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
        raise CryptoError("padding is not PKCS#7 to 32 bytes")
    plain = plain[:-pad]
    if len(plain) < HEAD:
        raise CryptoError("shorter than its own head")
    (length,) = struct.unpack("!I", plain[16:HEAD])
    body, tail = plain[HEAD : HEAD + length], plain[HEAD + length :]
    if len(body) != length or tail != appid.encode():
        raise CryptoError("length or appid inside the ciphertext is wrong")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise CryptoError("the text inside is not UTF-8") from error
