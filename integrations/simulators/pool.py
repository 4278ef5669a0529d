"""A stand-in of the hospital's own system, as far as it shares numbers with the internet clinic.

    NUMBER_POOL_TOKEN=... python -m integrations.simulators.pool 8300

It keeps every ``KEPT``-th number of a clinic for its own desk. ``GET /given`` shows what it gave out.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEPT = 3


@dataclass
class HospitalSystem:
    """Which numbers the internet clinic has of each clinic. ``fault`` is done to every request until it is empty again:
    ``500``, ``nonsense`` (no JSON), ``too-much`` (gives what was not asked for), ``hang-up`` (no answer)."""

    token: str = ""
    kept: int = KEPT
    fault: str = ""
    given: dict[tuple[str, ...], set[int]] = field(default_factory=dict)
    asked: int = 0

    def answer(self, verb: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a request is answered."""
        self.asked += 1
        return {"clinics": [self._one(verb, row) for row in body["clinics"]]}

    def _one(self, verb: str, row: dict[str, Any]) -> dict[str, Any]:
        key = (row["department"], row["practitioner"], row["day"], row["period"])
        ours, asked = self.given.setdefault(key, set()), set(row["numbers"])
        if verb == "give-back":
            ours -= asked
        else:
            ours |= {number for number in asked if not self.kept or number % self.kept}
        extra = {max(asked, default=0) + 1} if self.fault == "too-much" else set()
        return {**row, "numbers": sorted((ours & asked) | extra)}


def serve(system: HospitalSystem, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback, in a thread; the server says at which port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            verb = self.path.strip("/")
            if system.fault == "hang-up":
                self.close_connection = True
                return
            if not hmac.compare_digest(self.headers.get("Authorization", ""), f"Bearer {system.token}"):
                self._say(401, b"{}")
            elif system.fault == "500" or verb not in {"reserve", "give-back"}:
                self._say(500 if system.fault else 404, b"{}")
            elif system.fault == "nonsense":
                self._say(200, b"<html>")
            else:
                self._say(200, json.dumps(system.answer(verb, json.loads(raw))).encode())

        def do_GET(self) -> None:
            given = {" ".join(key): sorted(numbers) for key, numbers in system.given.items()}
            self._say(200, json.dumps(given, ensure_ascii=False).encode())

        def _say(self, status: int, raw: bytes) -> None:
            self.send_response(status)
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
    serve(HospitalSystem(os.environ.get("NUMBER_POOL_TOKEN", "")), int(sys.argv[1]))
    threading.Event().wait()
