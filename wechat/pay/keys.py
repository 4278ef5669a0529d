"""The keys with which WeChat Pay signs: its public key, its platform certificates, or both while a merchant switches.

Which one it was stands in the header Wechatpay-Serial. Certificates are fetched from WeChat Pay itself, sealed with the
APIv3 key, and kept in memory; they live for years and overlap when they change.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

import structlog
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate, load_pem_x509_certificate

from wechat.pay.signing import Seal, Unverified, unseal

log = structlog.get_logger()

PUBLIC_KEY_PREFIX = "PUB_KEY_ID_"
FRESH_FOR = 12 * 3600.0  # seconds after which the certificates are asked for again, as WeChat Pay recommends
PAUSE = 60.0  # seconds between two fetches: an invented serial must not make us ask WeChat Pay all day

Fetch = Callable[[], tuple[Mapping[str, str], bytes]]


@dataclass(frozen=True)
class PublicKey:
    """WeChat Pay's public key of this merchant and its id (``PUB_KEY_ID_...``)."""

    id: str
    key: RSAPublicKey


def plain(serial: str) -> str:
    """A certificate's serial number in one spelling: headers have it with leading zeros."""
    return serial.upper().lstrip("0")


class PlatformKeys:
    """Finds the key of a serial. ``fetch`` asks ``/v3/certificates`` for its headers and body; it raises what it
    likes when that fails, and the caller sees Unverified."""

    def __init__(self, api_key: bytes, public: PublicKey | None, fetch: Fetch) -> None:
        self._api_key, self.public, self._fetch = api_key, public, fetch
        self._certificates: dict[str, Certificate] = {}
        self._lock = threading.Lock()
        self._asked: float | None = None

    def key(self, serial: str, now: datetime) -> RSAPublicKey:
        """The key that signs under this serial. Raises Unverified when there is none that is valid now."""
        return self._choose(serial, self._up_to_date(serial, now), now)

    def _choose(self, serial: str, certificates: Mapping[str, Certificate], now: datetime) -> RSAPublicKey:
        if self.public and serial == self.public.id:
            return self.public.key
        certificate = certificates.get(plain(serial))
        if certificate and certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            key = certificate.public_key()
            if isinstance(key, RSAPublicKey):
                return key
        raise Unverified("unknown-key")

    def _up_to_date(self, serial: str, now: datetime) -> Mapping[str, Certificate]:
        if serial.startswith(PUBLIC_KEY_PREFIX):
            return {}
        with self._lock:
            age = None if self._asked is None else monotonic() - self._asked
            if age is None or age > (FRESH_FOR if plain(serial) in self._certificates else PAUSE):
                self._asked = monotonic()
                self._refresh(now)
            return self._certificates

    def _refresh(self, now: datetime) -> None:
        """Fetch. What can't be fetched or verified changes nothing: known certificates stay good until they end."""
        try:
            headers, body = self._fetch()
            certificates = self._certificates | self.opened(json.loads(body))
            seal = Seal.of(headers)
            seal.check(self._choose(seal.serial, certificates, now), body, now)
        except Exception as error:
            log.warning("pay-certificates-unavailable", kind=type(error).__name__, code=getattr(error, "code", ""))
        else:
            self._certificates = certificates

    def opened(self, answer: Any) -> dict[str, Certificate]:
        """The certificates of an answer of ``/v3/certificates`` by serial. That they open proves where they come from:
        only WeChat Pay and the merchant know the APIv3 key. Raises Unverified, or what a malformed answer leads to."""
        found = {}
        for entry in answer["data"]:
            certificate = load_pem_x509_certificate(unseal(self._api_key, entry["encrypt_certificate"]))
            found[f"{certificate.serial_number:X}"] = certificate
        return found
