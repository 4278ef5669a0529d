"""The port to WeChat's QR codes with a scene: whoever scans one tells the account which code it was."""

from __future__ import annotations

from typing import Protocol

from config.errors import Refused
from config.text import N_


class NoSceneCode(Refused):
    """No code could be had just now."""

    code = "no-scene-code"
    status = 503
    message = N_("WeChat did not give a code just now. Please try again in a minute.")


class SceneCodes(Protocol):
    """Makes codes. Never called inside a transaction."""

    def create(self, scene: str, seconds: int) -> str:
        """What to draw as a QR code that lives so many seconds and, when scanned, tells ``scene`` (at most 64
        characters). Raises NoSceneCode."""
