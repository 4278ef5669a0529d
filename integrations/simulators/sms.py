"""A stand-in of Tencent Cloud's SMS: checks signatures and shapes, keeps what was sent, refuses on demand.

    SMS_SECRET_ID=... SMS_SECRET_KEY=... python -m integrations.simulators.sms 8200

``GET /sent`` shows what was sent. A phone number that ends in 0000 is one that the provider refuses.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import sys
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

AUTHORIZATION = re.compile(
    r"TC3-HMAC-SHA256 Credential=([^/]+)/(\d{4}-\d\d-\d\d)/sms/tc3_request, "
    r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})"
)


@dataclass
class Provider:
    """One customer of the provider, and what they sent."""

    secret_id: str
    secret_key: str
    sent: list[dict[str, Any]] = field(default_factory=list)
    fault: str = ""  # this code is answered to everything, until it is empty again

    def answer(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """What SendSms answers: the content of ``Response``."""
        code = self.fault or self._wrong(headers, body)
        if code:
            return {"Error": {"Code": code, "Message": "stand-in"}, "RequestId": "0"}
        data = json.loads(body)
        return {"SendStatusSet": [self._send(data, phone) for phone in data["PhoneNumberSet"]], "RequestId": "0"}

    def _wrong(self, headers: dict[str, str], body: bytes) -> str:
        found = AUTHORIZATION.fullmatch(headers.get("authorization", ""))
        if not found or found[1] != self.secret_id:
            return "AuthFailure.SecretIdNotFound"
        if not hmac.compare_digest(found[4], self._signature(found[2], found[3], headers, body)):
            return "AuthFailure.SignatureFailure"
        if abs(datetime.now(UTC).timestamp() - int(headers["x-tc-timestamp"])) > 300:
            return "AuthFailure.SignatureExpire"
        if (headers.get("x-tc-action"), headers.get("x-tc-version")) != ("SendSms", "2021-01-11"):
            return "InvalidAction"
        needed = {"PhoneNumberSet", "SmsSdkAppId", "TemplateId", "SignName", "TemplateParamSet"}
        return "" if needed <= set(json.loads(body)) else "MissingParameter"

    def _signature(self, day: str, names: str, headers: dict[str, str], body: bytes) -> str:
        lines = "".join(f"{name}:{headers.get(name, '').strip().lower()}\n" for name in names.split(";"))
        request = "\n".join(["POST", "/", "", lines, names, hashlib.sha256(body).hexdigest()])
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"TC3-HMAC-SHA256\n{headers.get('x-tc-timestamp', '')}\n{day}/sms/tc3_request\n{digest}"
        key = b"TC3" + self.secret_key.encode()
        for part in (day, "sms", "tc3_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()

    def _send(self, data: dict[str, Any], phone: str) -> dict[str, Any]:
        if not re.fullmatch(r"\+86\d{11}", phone) or phone.endswith("0000"):
            return {"SerialNo": "", "PhoneNumber": phone, "Code": "InvalidParameterValue.IncorrectPhoneNumber"}
        self.sent.append(data | {"PhoneNumberSet": [phone]})
        return {"SerialNo": f"2640:{len(self.sent)}", "PhoneNumber": phone, "Fee": 1, "Code": "Ok"}


def serve(provider: Provider, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback, in a thread; the server says at which port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self._say({"Response": provider.answer(headers, body)})

        def do_GET(self) -> None:
            self._say(provider.sent)

        def _say(self, answer: object) -> None:
            raw = json.dumps(answer, ensure_ascii=False).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


if __name__ == "__main__":
    serve(Provider(os.environ["SMS_SECRET_ID"], os.environ["SMS_SECRET_KEY"]), int(sys.argv[1]))
    threading.Event().wait()
