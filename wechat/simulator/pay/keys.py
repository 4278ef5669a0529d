"""The keys of the simulated WeChat Pay and of its one merchant: PEM files, made once and kept.

``python -m wechat.simulator.pay.keys`` makes them before anything else starts.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from ..config import Config, from_environment

YEARS = timedelta(days=5 * 365)
APIV3_KEY = "apiv3_key.txt"


@dataclass(frozen=True)
class Platform:
    """One of WeChat Pay's own key pairs with the certificate the merchant knows it by."""

    key: RSAPrivateKey
    certificate: x509.Certificate

    @property
    def serial(self) -> str:
        """The certificate's serial number, forty hex digits."""
        return f"{self.certificate.serial_number:040X}"

    @property
    def pem(self) -> str:
        """The certificate as PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()


@dataclass(frozen=True)
class Keys:
    """All keys; `platforms` holds the current one last, those it replaced before it."""

    merchant: RSAPrivateKey
    serial: str
    platforms: tuple[Platform, ...]
    public: RSAPrivateKey
    apiv3: bytes


def load(config: Config) -> Keys:
    """The keys of the configured folder; what is missing is made."""
    folder = config.keys
    merchant = _key(folder / "apiclient_key.pem")
    certificate = _certificate(folder / "apiclient_cert.pem", merchant, config.mchid, config.pay_serial)
    public = _key(folder / "platform" / "public_key_mode.pem")
    pem = public.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write(folder / "pub_key.pem", pem, 0o644)
    platforms = _platforms(folder)
    _write(folder / "wechatpay_cert.pem", platforms[-1].pem.encode(), 0o644)
    return Keys(merchant, f"{certificate.serial_number:X}", platforms, public, _apiv3(config))


def rotate(config: Config) -> Keys:
    """WeChat Pay gets a new certificate; the old one stays in the list until it expires."""
    number = len(list((config.keys / "platform").glob("certificate_*.pem"))) + 1
    _platform(config.keys, number)
    return load(config)


def _platforms(folder: Path) -> tuple[Platform, ...]:
    count = max(1, len(list((folder / "platform").glob("certificate_*.pem"))))
    return tuple(_platform(folder, number) for number in range(1, count + 1))


def _platform(folder: Path, number: int) -> Platform:
    key = _key(folder / "platform" / f"key_{number}.pem")
    return Platform(key, _certificate(folder / "platform" / f"certificate_{number}.pem", key, "Tenpay.com", ""))


def _apiv3(config: Config) -> bytes:
    """The APIv3 key: from the environment, else 32 characters kept beside the other keys."""
    if config.apiv3_key:
        return config.apiv3_key.encode()
    path = config.keys / APIV3_KEY
    if not path.exists():
        _write(path, secrets.token_hex(16).encode(), 0o600)
    return path.read_bytes().strip()


def _key(path: Path) -> RSAPrivateKey:
    if not path.exists():
        made = generate_private_key(65537, 2048)
        _write(path, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    key = _read(path.read_bytes())
    if not isinstance(key, RSAPrivateKey):
        raise SystemExit(f"simulator: {path} is not an RSA key")
    return key


@cache
def _read(pem: bytes) -> object:
    """The key. To check it takes a tenth of a second of processor time: once for each is enough."""
    return load_pem_private_key(pem, None)


def _certificate(path: Path, key: RSAPrivateKey, name: str, serial: str) -> x509.Certificate:
    """The certificate in the file; made, or made anew when it names another key or serial number."""
    if path.exists():
        known = x509.load_pem_x509_certificate(path.read_bytes())
        if known.public_key() == key.public_key() and serial in ("", f"{known.serial_number:X}"):
            return known
    number = int(serial, 16) if serial else x509.random_serial_number() | 1 << 158
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), number, now - timedelta(days=1), now + YEARS)
    made = builder.sign(key, hashes.SHA256())
    _write(path, made.public_bytes(Encoding.PEM), 0o644)
    return made


def _write(path: Path, content: bytes, mode: int) -> None:
    """Put a file in place whole, unless it is there as wanted."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with open(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    fresh.replace(path)


if __name__ == "__main__":
    load(from_environment(os.environ))
