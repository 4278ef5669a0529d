"""Who vouches for keys: the port to a certificate authority, the set-up's own one for the demo, and whom we trust.

In production only the hospital's own authority counts (integrations/authority.py); without it nothing is signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import NameOID

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve P-256
SPAN = timedelta(days=365)
BEFORE = timedelta(days=7)  # the demo signs for visits of the last days
EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC))
DEMO = "Demo authority, not for real prescriptions"

Chain = Sequence[x509.Certificate]  # a person's own first, then those between it and the root


class AuthorityUnavailable(Exception):
    """The authority did not answer, or not with a certificate for the key that was asked about."""


class CertificateAuthority(Protocol):
    """Gives certificates for keys. ``demo``: refused in production. ``at_once``: answers without asking anybody, so it
    may be asked while a transaction is open."""

    @property
    def demo(self) -> bool:
        """Whether its certificates are for the demo only."""
        ...

    @property
    def at_once(self) -> bool:
        """Whether it asks nobody outside."""
        ...

    @property
    def roots(self) -> Chain:
        """The certificates in which every chain must end."""
        ...

    def issue(self, request: x509.CertificateSigningRequest, now: datetime) -> Chain:
        """A certificate for the key of this request. Raises AuthorityUnavailable."""
        ...


class SetupAuthority:
    """The demo's own: its key is drawn from a secret of the set-up, so that every process has the same without a
    file. The certificates it gives are for a year."""

    demo = True
    at_once = True

    def __init__(self, secret: bytes) -> None:
        drawn = HKDF(hashes.SHA256(), 48, None, b"clinic: demo certificate authority").derive(secret)
        self._key = ec.derive_private_key(int.from_bytes(drawn, "big") % (ORDER - 1) + 1, ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DEMO)])

    @cached_property
    def roots(self) -> Chain:
        """Its own certificate, the same in every process."""
        made = _blank(self._name, self._name, self._key.public_key(), 1, *EVER)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        made = made.add_extension(_usage(signs=False), critical=True)
        return (made.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True),)

    def issue(self, request: x509.CertificateSigningRequest, now: datetime) -> Chain:
        """A certificate from a week before on: whoever asks first, the demo or the worker, both can sign with it."""
        begins = now.replace(microsecond=0) - BEFORE
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101 - keys.py makes no others
        made = _blank(request.subject, self._name, key, x509.random_serial_number(), begins, begins + SPAN)
        made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        made = made.add_extension(_usage(signs=True), critical=True)
        return (made.sign(self._key, hashes.SHA256()),)


def _blank(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    serial: int,
    begins: datetime,
    ends: datetime,
) -> x509.CertificateBuilder:
    made = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key, serial_number=serial)
    return made.not_valid_before(begins).not_valid_after(ends)


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=signs,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not signs,
        crl_sign=not signs,
        encipher_only=False,
        decipher_only=False,
    )


_roots: Chain = ()


def trust(roots: Chain) -> None:
    """Set in which certificates this process lets chains end."""
    global _roots  # noqa: PLW0603 - a process trusts one authority
    _roots = tuple(roots)


def trusted(chain: Chain, at: datetime) -> bool:
    """Whether a chain ends in a root that we trust, and each of it was valid at that moment."""
    if not chain or not all(_valid(one, at) for one in chain):
        return False
    if any(not _issued(one, above) for one, above in pairwise(chain)):
        return False
    return any(chain[-1] == root or (_issued(chain[-1], root) and _valid(root, at)) for root in _roots)


def _valid(one: x509.Certificate, at: datetime) -> bool:
    return one.not_valid_before_utc <= at <= one.not_valid_after_utc


def _issued(one: x509.Certificate, by: x509.Certificate) -> bool:
    """Whether ``by`` may issue certificates and has issued this one."""
    try:
        ca = by.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        one.verify_directly_issued_by(by)
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    return ca
