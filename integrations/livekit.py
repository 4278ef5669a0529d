"""Calls over a LiveKit server: tokens for who sits in a room, and RoomService by Twirp over HTTP.

Source: LiveKit's pages on access tokens and on the server API. Tested against a stand-in, never with a real LiveKit.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import requests

from config.clock import real_now
from config.ids import parse_id
from config.settings import Settings
from consultation.encounters.rooms import Seat
from consultation.talk.video import VideoUnavailable

TIMEOUT = (2.0, 5.0)  # seconds to connect, seconds of silence
GOOD_FOR = timedelta(minutes=2)  # to come in by; LiveKit gives those inside fresh ones when they connect again
OURS = "visit-"  # what our rooms' names begin with
GONE = "not_found"  # Twirp's code


def connect(settings: Settings) -> LiveKit | None:
    """The server that the settings name; None: calls go from browser to browser."""
    if not settings.livekit_url:
        return None
    return LiveKit(settings.livekit_url, settings.livekit_key, settings.livekit_secret.get_secret_value())


@dataclass(frozen=True)
class LiveKit:
    """consultation.talk.video.HostedRooms at a LiveKit server. ``url`` is ``wss://host``, as browsers reach it; its API
    is at the same host over https."""

    url: str
    key: str
    secret: str = field(repr=False)

    def enter(self, seat: Seat, now: datetime) -> dict[str, Any]:
        """``kind`` is ``livekit``; ``url``, and ``token`` for this room and no other, to be used within ``seconds``.
        Asks nobody: LiveKit makes the room when the first one comes."""
        rights = {"roomJoin": True, "canPublish": True, "canSubscribe": True, "canPublishData": False}
        given = token(self.key, self.secret, rights | {"room": _name(seat.encounter.id)}, now, str(seat.account_id))
        return {"kind": "livekit", "url": self.url, "token": given, "seconds": int(GOOD_FOR.total_seconds())}

    def present(self) -> Mapping[UUID, frozenset[UUID]]:
        """Who is in the rooms of ours that there are, by encounter. Raises VideoUnavailable."""
        rooms = _listed(self._ask("ListRooms", {"roomList": True}), "rooms", "name")
        return {id_: self._inside(id_) for name in rooms if (id_ := _encounter(name))}

    def remove(self, encounter_id: UUID, account_id: UUID) -> None:
        """Put somebody out of a room; who is gone already stays so. Raises VideoUnavailable."""
        self._in_room("RemoveParticipant", encounter_id, identity=str(account_id))

    def close(self, encounter_id: UUID) -> None:
        """Delete a room and put everybody out. Raises VideoUnavailable."""
        self._ask("DeleteRoom", {"roomCreate": True}, room=_name(encounter_id))

    def _inside(self, encounter_id: UUID) -> frozenset[UUID]:
        found = _listed(self._in_room("ListParticipants", encounter_id), "participants", "identity")
        return frozenset(id_ for identity in found if (id_ := parse_id(identity)))

    def _in_room(self, method: str, encounter_id: UUID, **body: str) -> dict[str, Any]:
        name = _name(encounter_id)
        return self._ask(method, {"roomAdmin": True, "room": name}, room=name, **body)

    def _ask(self, method: str, rights: Mapping[str, object], **body: str) -> dict[str, Any]:
        """Ask RoomService; what is not there any more answers with nothing."""
        headers = {"Authorization": f"Bearer {token(self.key, self.secret, rights, real_now())}"}
        address = f"http{self.url.removeprefix('ws')}/twirp/livekit.RoomService/{method}"
        try:
            answer = requests.post(address, json=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
            said = answer.json()
        except requests.RequestException as error:
            raise VideoUnavailable(type(error).__name__) from None
        if not isinstance(said, dict):
            raise VideoUnavailable("an answer of another shape")
        if answer.status_code == 404 and said.get("code") == GONE:
            return {}
        if answer.status_code != 200:
            raise VideoUnavailable(f"HTTP {answer.status_code}")
        return said


def token(key: str, secret: str, rights: Mapping[str, object], now: datetime, identity: str = "") -> str:
    """An access token: a JSON Web Token under HS256 with ``rights`` as LiveKit's ``video`` grant."""
    claims: dict[str, object] = {
        "iss": key,
        "nbf": int(now.timestamp()),
        "exp": int((now + GOOD_FOR).timestamp()),
        "video": dict(rights),
    }
    if identity:
        claims["sub"] = identity
    signed = f"{_base64({'alg': 'HS256', 'typ': 'JWT'})}.{_base64(claims)}"
    return f"{signed}.{_plain(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def _base64(part: Mapping[str, object]) -> str:
    return _plain(json.dumps(part, separators=(",", ":")).encode())


def _plain(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _name(encounter_id: UUID) -> str:
    return f"{OURS}{encounter_id}"


def _encounter(name: str) -> UUID | None:
    """Whose room it is; None: not one of ours."""
    return parse_id(name.removeprefix(OURS)) if name.startswith(OURS) else None


def _listed(answer: Mapping[str, Any], rows: str, field_: str) -> list[str]:
    """One field of all rows; an empty list may be left out of the JSON."""
    try:
        return [str(row[field_]) for row in answer.get(rows) or []]
    except (KeyError, TypeError):
        raise VideoUnavailable("an answer of another shape") from None
