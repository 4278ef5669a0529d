"""The clinic's seal under a PDF (PAdES): a signature over every byte."""

from __future__ import annotations

import io

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from prescriptions.signing.keys import chain_of
from prescriptions.signing.models import SigningCertificate

FIELD = "Clinic"


def sealed(pdf: bytes, certificate: str, key: str, reason: str) -> bytes:
    """The PDF with the clinic's signature; ``certificate`` is its chain as it is kept, ``key`` PEM without a pass."""
    chain = chain_of(SigningCertificate(certificate=certificate))
    loaded = [asn1_x509.Certificate.load(one.public_bytes(Encoding.DER)) for one in chain]
    others = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # pyHanko: all but its constructor is typed
    others.register_multiple(loaded[1:])
    private = load_pem_private_key(key.encode(), None).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    signer = SimpleSigner(
        signing_cert=loaded[0], signing_key=asn1_keys.PrivateKeyInfo.load(private), cert_registry=others
    )
    what = PdfSignatureMetadata(
        field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES, reason=reason
    )
    signed = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), what, signer)
    return bytes(signed.getvalue())
