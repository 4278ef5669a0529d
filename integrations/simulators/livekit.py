"""A stand-in of a LiveKit server, as far as its words go: tokens, rooms, RoomService, the first words of signalling.

    LIVEKIT_KEY=... LIVEKIT_SECRET=... python -m integrations.simulators.livekit 8400

``GET /rooms`` shows who is inside. It carries no sound and no picture: whoever joins is told who is there, and put out
when the room is closed. After LiveKit's pages on tokens and the server API, and its published protocol.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

SERVICE = "/twirp/livekit.RoomService/"
NEEDS = {
    "ListRooms": "roomList",
    "ListParticipants": "roomAdmin",
    "RemoveParticipant": "roomAdmin",
    "DeleteRoom": "roomCreate",
}
WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455
STATUS = {"not_found": 404, "permission_denied": 403, "unauthenticated": 401, "bad_route": 404, "internal": 500}


class TwirpError(Exception):
    """An error as Twirp names it."""

    def __init__(self, code: str, msg: str) -> None:
        super().__init__(msg)
        self.code = code


@dataclass
class Server:
    """One LiveKit with one API key. ``fault`` is done to every request until it is empty again: ``500``, ``nonsense``
    (no JSON), ``odd`` (JSON of another shape), ``slow`` (waits until the fault is over), ``hang-up`` (no answer)."""

    key: str
    secret: str
    fault: str = ""
    rooms: dict[str, dict[str, socket.socket | None]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def claims(self, token: str) -> dict[str, Any]:
        """What a token says, once it is believed. Raises TwirpError."""
        try:
            signed, _, signature = token.rpartition(".")
            head, body = (json.loads(_raw(part)) for part in signed.split("."))
            mine = hmac.digest(self.secret.encode(), signed.encode(), "sha256")
            if head["alg"] != "HS256" or not hmac.compare_digest(_raw(signature), mine) or body["iss"] != self.key:
                raise TwirpError("unauthenticated", "invalid token")
            if not body.get("nbf", 0) - 60 <= time.time() < body["exp"]:
                raise TwirpError("unauthenticated", "token is expired")
        except (ValueError, KeyError, TypeError):
            raise TwirpError("unauthenticated", "invalid token") from None
        return dict(body)

    def join(self, token: str, line: socket.socket | None = None) -> tuple[str, str]:
        """Somebody comes in, and takes the place of an earlier page of theirs; returns the room's name and who it is.
        The room is made when it is not there. Raises TwirpError."""
        said = self.claims(token)
        room, identity = said.get("video", {}).get("room"), said.get("sub")
        if not said["video"].get("roomJoin") or not room or not identity:
            raise TwirpError("permission_denied", "no right to join")
        before = self.rooms.setdefault(room, {}).pop(identity, None)
        self.rooms[room][identity] = line
        if before:
            _put_out(before, 2)
        return room, identity

    def answer(self, method: str, token: str, body: dict[str, Any]) -> dict[str, Any]:
        """What RoomService answers. Raises TwirpError."""
        self.asked.append(method)
        if method not in NEEDS:
            raise TwirpError("bad_route", "no such method")
        rights, room = self.claims(token).get("video", {}), body.get("room")
        if not rights.get(NEEDS[method]) or (NEEDS[method] == "roomAdmin" and rights.get("room") != room):
            raise TwirpError("permission_denied", "permissions denied")
        if method == "ListRooms":
            return {"rooms": [{"sid": f"RM_{name}", "name": name} for name in self.rooms]}
        if room not in self.rooms:
            raise TwirpError("not_found", "requested room does not exist")
        if method == "ListParticipants":
            inside = self.rooms[room]
            return {"participants": [{"sid": f"PA_{one}", "identity": one, "state": "ACTIVE"} for one in inside]}
        if method == "DeleteRoom":
            for line in self.rooms.pop(room).values():
                _put_out(line, 5)
        elif body.get("identity") not in self.rooms[room]:
            raise TwirpError("not_found", "participant does not exist")
        else:
            _put_out(self.rooms[room].pop(body["identity"]), 4)
        return {}


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _put_out(line: socket.socket | None, reason: int) -> None:
    """Tell a page why it has to leave (DisconnectReason), and hang up."""
    if line:
        with contextlib.suppress(OSError):
            _say(line, {"leave": {"reason": reason, "action": "DISCONNECT"}})
            line.shutdown(socket.SHUT_RDWR)


def _say(line: socket.socket, message: dict[str, Any]) -> None:
    """One text frame: LiveKit's clients read JSON, too."""
    raw = json.dumps(message).encode()
    length = bytes([len(raw)]) if len(raw) < 126 else b"\x7e" + len(raw).to_bytes(2)
    line.sendall(b"\x81" + length + raw)


class Handler(BaseHTTPRequestHandler):
    """HTTP, and the beginning of a WebSocket."""

    system: Server
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not self._whole():
            return
        try:
            if not self.path.startswith(SERVICE):
                raise TwirpError("bad_route", "no such service")
            given = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._send(200, self.system.answer(self.path.removeprefix(SERVICE), given, json.loads(raw)))
        except TwirpError as error:
            self._send(STATUS[error.code], {"code": error.code, "msg": str(error)})

    def do_GET(self) -> None:
        at = urlsplit(self.path)
        given = parse_qs(at.query).get("access_token", [""])[0]
        if at.path == "/rooms":
            self._send(200, {name: sorted(inside) for name, inside in self.system.rooms.items()})
        elif at.path == "/rtc/validate":
            self._validate(given)
        elif at.path != "/rtc" or self.headers.get("Upgrade", "").lower() != "websocket":
            self._send(404, {"code": "bad_route", "msg": "not found"})  # among them /rtc/v1: clients then take /rtc
        elif self._whole():
            self._signal(given)

    def _validate(self, token: str) -> None:
        """Clients ask this when they were not let in, to learn why."""
        try:
            self.system.claims(token)
            self._send(200, "success")
        except TwirpError as error:
            self._send(401, str(error))

    def _signal(self, token: str) -> None:
        """Let a page in, tell it who is there, and listen until it goes."""
        try:
            room, identity = self.system.join(token, self.connection)
        except TwirpError as error:
            self._send(STATUS[error.code], {"code": error.code, "msg": str(error)})
            return
        accept = base64.b64encode(sha1(f"{self.headers['Sec-WebSocket-Key']}{WEBSOCKET}".encode()).digest())  # noqa: S324
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept.decode())
        self.end_headers()
        _say(self.connection, {"join": self._welcome(room, identity)})
        with contextlib.suppress(OSError):
            while self.connection.recv(4096):
                pass
        if self.system.rooms.get(room, {}).get(identity) is self.connection:
            del self.system.rooms[room][identity]
        self.close_connection = True

    def _welcome(self, room: str, identity: str) -> dict[str, Any]:
        others = [{"sid": f"PA_{one}", "identity": one} for one in self.system.rooms[room] if one != identity]
        return {
            "room": {"sid": f"RM_{room}", "name": room},
            "participant": {"sid": f"PA_{identity}", "identity": identity, "state": "ACTIVE"},
            "otherParticipants": others,
            "serverVersion": "1.9.0",
            "serverInfo": {"version": "1.9.0", "protocol": 15},
            "subscriberPrimary": True,
        }

    def _whole(self) -> bool:
        """Whether the request is to be answered as usual."""
        fault = self.system.fault
        while self.system.fault == "slow":
            time.sleep(0.01)
        if fault in {"slow", "hang-up"}:
            self.close_connection = True
        elif fault == "500":
            self._send(500, {"code": "internal", "msg": "fault"})
        elif fault:
            self._send(200, b"<html>" if fault == "nonsense" else ["odd"])
        return not fault

    def _send(self, status: int, body: object) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        return None


def serve(system: Server, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback, in a thread; the server says at which port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), type("OneHandler", (Handler,), {"system": system}))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


if __name__ == "__main__":
    serve(Server(os.environ["LIVEKIT_KEY"], os.environ["LIVEKIT_SECRET"]), int(sys.argv[1]))
    threading.Event().wait()
