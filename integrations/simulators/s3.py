"""A stand-in of an S3-compatible store: one bucket in memory, signatures checked (AWS Signature Version 4).

    S3_ACCESS_KEY=... S3_SECRET_KEY=... python -m integrations.simulators.s3 9000 clinic

It knows PUT, GET, HEAD and DELETE of an object, addressed by path.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, urlsplit

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/s3/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
STAMP = "%Y%m%dT%H%M%SZ"
Headers = dict[str, str]
Answer = tuple[int, str, bytes]  # HTTP status, error code, body


@dataclass
class Store:
    """One bucket of one customer."""

    access_key: str
    secret_key: str
    bucket: str = "clinic"
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)  # HTTP statuses answered to the next requests

    def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Answer:
        """What the store answers to one request."""
        self.asked.append(f"{method} {target}")
        if self.faults:
            return self.faults.pop(0), "InternalError", b""
        if wrong := self._wrong(method, target, headers, body):
            return 403, wrong, b""
        bucket, _, key = urlsplit(target).path.removeprefix("/").partition("/")
        if bucket != self.bucket:
            return 404, "NoSuchBucket", b""
        return self._do(method, key, body)

    def _do(self, method: str, key: str, body: bytes) -> Answer:
        if method == "PUT":
            self.objects[key] = body
            return 200, "", b""
        if method == "DELETE":
            self.objects.pop(key, None)
            return 204, "", b""
        found = self.objects.get(key)
        return (404, "NoSuchKey", b"") if found is None else (200, "", found)

    def _wrong(self, method: str, target: str, headers: Headers, body: bytes) -> str:
        found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not found or found[1] != self.access_key:
            return "InvalidAccessKeyId"
        if headers.get("x-amz-content-sha256") != hashlib.sha256(body).hexdigest():
            return "XAmzContentSHA256Mismatch"
        if "host" not in found[4].split(";"):
            return "AccessDenied"
        try:
            sent = datetime.strptime(headers.get("x-amz-date", ""), STAMP).replace(tzinfo=UTC)
        except ValueError:
            return "AccessDenied"
        if abs((datetime.now(UTC) - sent).total_seconds()) > 900:
            return "RequestTimeTooSkewed"
        signature = self._signature(method, target, headers, (found[2], found[3], found[4]))
        return "" if hmac.compare_digest(found[5], signature) else "SignatureDoesNotMatch"

    def _signature(self, method: str, target: str, headers: Headers, scope: tuple[str, str, str]) -> str:
        day, region, names = scope
        parts = urlsplit(target)
        pairs = sorted(parse_qsl(parts.query, keep_blank_values=True))
        query = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in pairs)
        lines = "".join(f"{name}:{' '.join(headers.get(name, '').split())}\n" for name in names.split(";"))
        request = "\n".join([method, parts.path, query, lines, names, headers["x-amz-content-sha256"]])
        place = f"{day}/{region}/s3/aws4_request"
        digest = hashlib.sha256(request.encode()).hexdigest()
        key = f"AWS4{self.secret_key}".encode()
        for part in place.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        text = f"AWS4-HMAC-SHA256\n{headers['x-amz-date']}\n{place}\n{digest}"
        return hmac.digest(key, text.encode(), "sha256").hex()


def serve(store: Store, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback, in a thread; the server says at which port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, code, content = store.answer(self.command, self.path, headers, body)
            raw = f"<Error><Code>{code}</Code><Message>stand-in</Message></Error>".encode() if code else content
            self.send_response(status)
            self.send_header("ETag", f'"{hashlib.sha256(body or content).hexdigest()[:32]}"')
            self.send_header("Last-Modified", format_datetime(datetime.now(UTC), usegmt=True))
            if status != 204:
                self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD" and status != 204:
                self.wfile.write(raw)

        do_GET = do_PUT = do_DELETE = do_HEAD = _do

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


if __name__ == "__main__":
    serve(Store(os.environ["S3_ACCESS_KEY"], os.environ["S3_SECRET_KEY"], sys.argv[2]), int(sys.argv[1]))
    threading.Event().wait()
