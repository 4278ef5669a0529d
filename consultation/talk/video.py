"""How the browsers of a room get sound and picture to each other: a port, and peer to peer as its adapter; a second one
is integrations/livekit.py."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from consultation.encounters.rooms import Seat

GOOD_FOR = timedelta(hours=1)  # longer than a visit; a page asks anew whenever it connects anew


class VideoRooms(Protocol):
    """Whoever carries sound and picture."""

    def enter(self, seat: Seat, now: datetime) -> dict[str, Any]:
        """What the page of this seat needs to join: ``kind`` and what that kind wants, good for ``seconds`` (0: for
        good). For whoever has a seat only. Asks nobody outside: it is called inside a transaction."""


class VideoUnavailable(Exception):
    """Whoever keeps the rooms did not answer, or not as agreed."""


class HostedRooms(VideoRooms, Protocol):
    """Rooms that somebody else keeps, who has to be told when a seat is lost or a visit over. All but ``enter`` asks
    outside and raises VideoUnavailable."""

    def present(self) -> Mapping[UUID, frozenset[UUID]]:
        """Which rooms there are, by encounter, and which accounts are in them."""

    def remove(self, encounter_id: UUID, account_id: UUID) -> None:
        """Put an account out of a room."""

    def close(self, encounter_id: UUID) -> None:
        """Put everybody out, and forget the room."""


@dataclass(frozen=True)
class PeerToPeer:
    """Straight from browser to browser (WebRTC); through our TURN server where no straight way is open.

    ``url`` and ``secret`` are coturn's (``use-auth-secret``: the name is ``expiry:user``, the password its HMAC-SHA1);
    without a url there are straight ways only.
    """

    url: str = ""
    secret: str = field(default="", repr=False)

    def enter(self, seat: Seat, now: datetime) -> dict[str, Any]:
        """``kind`` is ``peer``, ``servers`` as RTCPeerConnection takes them, good for ``seconds``."""
        if not self.url:
            return {"kind": "peer", "servers": [], "seconds": 0}
        name = f"{int((now + GOOD_FOR).timestamp())}:{seat.account_id}"
        password = base64.b64encode(hmac.digest(self.secret.encode(), name.encode(), hashlib.sha1)).decode()
        urls = [f"{self.url}?transport={how}" for how in ("udp", "tcp")]
        server = {"urls": urls, "username": name, "credential": password}
        return {"kind": "peer", "servers": [server], "seconds": int(GOOD_FOR.total_seconds())}
