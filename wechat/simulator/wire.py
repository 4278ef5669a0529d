"""Below HTTP: the path as it was sent, late answers, broken ones, connections cut."""

from __future__ import annotations

import socket
import time

from flask import Response, request

from .faults import Fault

CUT = 499  # what the log calls an answer that never left


def raw_path() -> str:
    """Path and query as they were sent: Flask's own copies are decoded."""
    raw: str = request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or ""
    return raw if raw.startswith("/") else request.full_path.rstrip("?")


def broken(found: dict[str, Fault]) -> Response | None:
    """Be slow; then the answer of a server that is down or fails, if it does."""
    if slow := found.get("slow"):
        time.sleep(slow.seconds(6.0))
    if "down" in found:
        return cut()
    if fault := found.get("status"):
        status = int(fault.number(502))
        return Response(f"<html><title>{status}</title></html>", status, content_type="text/html")
    return None


def cut() -> Response:
    """Close the connection without an answer."""
    line = request.environ.get("werkzeug.socket") or request.environ.get("gunicorn.socket")
    if isinstance(line, socket.socket):
        line.shutdown(socket.SHUT_RDWR)
    return Response(status=CUT)
