"""The hospital's certificate authority over EST (RFC 7030): a request goes out, a certificate comes back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from config.settings import Settings
from prescriptions.signing.authority import AuthorityUnavailable, CertificateAuthority, Chain, SetupAuthority

TIMEOUT = (2.0, 20.0)  # seconds to connect, seconds of silence
ENROL = "/.well-known/est/simpleenroll"


def connect(settings: Settings) -> CertificateAuthority | None:
    """The hospital's authority if the settings name one; else the set-up's own, and in production none."""
    if settings.signing_ca_url:
        login = settings.signing_ca_login.get_secret_value()
        return EstAuthority(settings.signing_ca_url.rstrip("/"), login, tuple(_read(settings.signing_ca_roots)))
    if settings.production:
        return None
    return SetupAuthority(settings.blind_index_key.get_secret_value().encode())


def _read(roots: str) -> list[x509.Certificate]:
    text = roots if "-----BEGIN" in roots else Path(roots).read_text()
    return x509.load_pem_x509_certificates(text.encode())


@dataclass(frozen=True)
class EstAuthority:
    """prescriptions.signing.authority.CertificateAuthority over EST: ``POST /simpleenroll`` with a name and a
    password."""

    url: str
    login: str
    roots: Chain
    demo: bool = False
    at_once: bool = False

    def issue(self, request: x509.CertificateSigningRequest, now: datetime) -> Chain:  # noqa: ARG002 - it has a clock
        """Ask for a certificate; never while a transaction is open. Raises AuthorityUnavailable."""
        name, _, password = self.login.partition(":")
        try:
            answer = requests.post(
                self.url + ENROL,
                data=base64.encodebytes(request.public_bytes(Encoding.DER)),
                headers={"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"},
                auth=(name, password),
                timeout=TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise AuthorityUnavailable(type(error).__name__) from None
        if answer.status_code != 200:
            raise AuthorityUnavailable(f"HTTP {answer.status_code}")
        try:
            return _ordered(pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer.content)), request)
        except (ValueError, binascii.Error):
            raise AuthorityUnavailable("no certificates in the answer") from None


def _ordered(given: Sequence[x509.Certificate], request: x509.CertificateSigningRequest) -> Chain:
    """The one for this key first, then each with the one that issued it after it."""
    left = list(given)
    found = next((one for one in left if one.public_key() == request.public_key()), None)
    chain: list[x509.Certificate] = []
    while found is not None:
        chain.append(found)
        left.remove(found)
        found = next((one for one in left if one.subject == chain[-1].issuer), None)
    if not chain:
        raise ValueError("no certificate for this key")
    return chain
