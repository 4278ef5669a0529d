"""A small certificate authority that speaks EST (RFC 7030), for tests: ``POST /.well-known/est/simpleenroll``."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs7

YEAR = timedelta(days=365)


class Authority:
    """A root, and one below it that gives the certificates; both keys live as long as the process."""

    def __init__(self, login: str) -> None:
        self.expected = "Basic " + base64.b64encode(login.encode()).decode()
        self.keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
        names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in ("Root", "Issuing")]
        self.root = self._made(names[0], names[0], self.keys[0].public_key(), self.keys[0], ca=True)
        self.issuing = self._made(names[1], names[0], self.keys[1].public_key(), self.keys[0], ca=True)

    def give(self, request: x509.CertificateSigningRequest) -> Sequence[x509.Certificate]:
        """The certificate for a request, with the one above it; in no order that could be relied on."""
        key = request.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)  # noqa: S101
        given = self._made(request.subject, self.issuing.subject, key, self.keys[1], ca=False)
        return [self.issuing, given]

    def _made(
        self,
        subject: x509.Name,
        issuer: x509.Name,
        key: ec.EllipticCurvePublicKey,
        by: ec.EllipticCurvePrivateKey,
        *,
        ca: bool,
    ) -> x509.Certificate:
        begins = datetime.now(UTC) - YEAR
        made = x509.CertificateBuilder(issuer, subject, key, x509.random_serial_number(), begins, begins + 3 * YEAR)
        constraints = x509.BasicConstraints(ca=ca, path_length=None)
        return made.add_extension(constraints, critical=True).sign(by, hashes.SHA256())


def serve(authority: Authority) -> ThreadingHTTPServer:
    """Answer on a free port of this machine until shut down."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            if self.headers.get("Authorization") != authority.expected:
                return self._answer(401, b"")
            body = self.rfile.read(int(self.headers["Content-Length"]))
            given = authority.give(x509.load_der_x509_csr(base64.b64decode(body)))
            packed = pkcs7.serialize_certificates(list(given), serialization.Encoding.DER)
            return self._answer(200, base64.encodebytes(packed))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/pkcs7-mime; smime-type=certs-only")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server
