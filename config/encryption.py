"""Field-level encryption (AES-256-GCM with a key ring) and blind indexes for exact look-up of what is encrypted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from config.settings import Settings

NONCE_BYTES = 12


class DecryptionError(Exception):
    """A field can't be read: its key is not in the ring, or its bytes were changed."""


@dataclass(frozen=True)
class KeyRing:
    """Named 256-bit keys: the first encrypts, all decrypt, so that keys can be changed while the clinic is open."""

    keys: dict[str, bytes]
    index_key: bytes

    @classmethod
    def from_settings(cls, settings: Settings) -> KeyRing:
        """Read FIELD_KEYS and BLIND_INDEX_KEY. Raises ValueError when a key is not 32 bytes or a name is doubled."""
        keys: dict[str, bytes] = {}
        for item in settings.field_keys.get_secret_value().split(","):
            name, _, encoded = item.strip().partition(":")
            key = base64.b64decode(encoded)
            if not name or len(name) > 255 or len(key) != 32 or name in keys:
                raise ValueError("FIELD_KEYS: each key is name:base64 of 32 bytes, and each name stands once")
            keys[name] = key
        return cls(keys, settings.blind_index_key.get_secret_value().encode())

    def encrypt(self, text: str, context: str) -> bytes:
        """Encrypt; ``context`` (the column's name) is bound in, so that a value can't be moved to another column."""
        return self.seal(text.encode(), context)

    def decrypt(self, data: bytes, context: str) -> str:
        """The text again. Raises DecryptionError."""
        return self.unseal(data, context).decode()

    def seal(self, data: bytes, context: str) -> bytes:
        """Encrypt bytes: the key's name with its length before it, the nonce, the sealed bytes."""
        name = next(iter(self.keys))
        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self.keys[name]).encrypt(nonce, data, context.encode())
        return bytes([len(name)]) + name.encode() + nonce + sealed

    def unseal(self, data: bytes, context: str) -> bytes:
        """The bytes again. Raises DecryptionError."""
        length = data[0] if data else 0
        name, rest = data[1 : 1 + length].decode(errors="replace"), data[1 + length :]
        try:
            return AESGCM(self.keys[name]).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], context.encode())
        except (KeyError, InvalidTag, ValueError) as error:  # ValueError: cut within the nonce
            raise DecryptionError(context) from error

    def blind(self, text: str, context: str) -> bytes:
        """A keyed hash (32 bytes) of the value for exact look-up; tells nothing to whom the key is unknown."""
        return hmac.digest(self.index_key, f"{context}\0{text}".encode(), hashlib.sha256)


_ring: KeyRing | None = None


def use(ring: KeyRing) -> None:
    """Set this process's key ring."""
    global _ring  # noqa: PLW0603 - a process has one key ring
    _ring = ring


def ring() -> KeyRing:
    """This process's key ring."""
    if _ring is None:
        raise RuntimeError("no key ring: the application was not set up")
    return _ring


class Encrypted(TypeDecorator[str]):
    """A text column kept encrypted; ``context`` is its ``table.column``."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, context: str) -> None:
        super().__init__()
        self.context = context

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002
        return None if value is None else ring().encrypt(value, self.context)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else ring().decrypt(bytes(value), self.context)


def blind(text: str, context: str) -> bytes:
    """The blind index of a value under the process's key ring. Normalise the text before."""
    return ring().blind(text, context)
