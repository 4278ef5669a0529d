"""Temporary media: pictures, voice, video and thumbnails, checked as WeChat checks them and kept three days."""

from __future__ import annotations

import io
import secrets
from dataclasses import dataclass
from typing import Any

from PIL import Image

from . import pictures
from .errors import ApiError
from .world import World

KB, MB = 1024, 1024 * 1024
LONGEST = 60.0  # seconds of a voice
AMR, FRAME = b"#!AMR\n", 0.02
AMR_SIZES = (13, 14, 16, 18, 20, 21, 27, 32, 6)  # bytes of a frame by its mode, with its first byte
MP3_RATES = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s, MPEG 1 layer III
MEDIA_DAYS, DAY = 3, 86400.0


@dataclass(frozen=True)
class Kind:
    """What one type of media may be: its size in bytes, and the code for one that is larger."""

    limit: int
    too_large: int


KINDS = {
    "image": Kind(10 * MB, 40009),
    "voice": Kind(2 * MB, 40010),
    "video": Kind(10 * MB, 40011),
    "thumb": Kind(64 * KB, 40012),
}


def keep(world: World, kind: str, raw: bytes) -> str:
    """Store media and return its id; raises ApiError 40004, 40009 to 40012, 40005 or 45007."""
    rule = KINDS.get(kind)
    if rule is None:
        raise ApiError(40004)
    if not 0 < len(raw) <= rule.limit:
        raise ApiError(rule.too_large)
    facts = _facts(kind, raw)
    if facts is None:
        raise ApiError(40005)
    if facts.get("seconds", 0) > LONGEST:
        raise ApiError(45007)
    media = secrets.token_urlsafe(48)
    world.media_dir.mkdir(parents=True, exist_ok=True)
    (world.media_dir / media).write_bytes(raw)
    with world.change() as state:
        state.media[media] = {"type": kind, "at": world.now, **facts}
    return media


def _facts(kind: str, raw: bytes) -> dict[str, Any] | None:
    """What a file of this kind is; None when it is none."""
    if kind in ("image", "thumb"):
        found = pictures.describe(raw)
        return found if found and (kind == "image" or found["mime"] == "image/jpeg") else None
    if kind == "video":
        return {"mime": "video/mp4"} if raw[4:8] == b"ftyp" else None
    if raw.startswith(AMR):
        return {"mime": "audio/amr", "seconds": round(_amr_seconds(raw), 1)}
    if raw.startswith(b"ID3") or (len(raw) > 2 and raw[0] == 0xFF and raw[1] & 0xE0 == 0xE0):
        return {"mime": "audio/mpeg", "seconds": round(_mp3_seconds(raw), 1)}
    return None


def _amr_seconds(raw: bytes) -> float:
    place, frames = len(AMR), 0
    while place < len(raw):
        mode = raw[place] >> 3 & 0x0F
        place += AMR_SIZES[mode] if mode < len(AMR_SIZES) else 1
        frames += 1
    return frames * FRAME


def _mp3_seconds(raw: bytes) -> float:
    """By the bit rate of the first frame, as if it were constant."""
    start = next((n for n in range(len(raw) - 3) if raw[n] == 0xFF and raw[n + 1] & 0xE0 == 0xE0), None)
    index = raw[start + 2] >> 4 if start is not None else 0
    rate = MP3_RATES[index] if index < len(MP3_RATES) else 0
    return (len(raw) - (start or 0)) * 8 / (rate * 1000) if rate else 0.0


def load(world: World, media: str) -> tuple[bytes, str] | None:
    """A stored file and its content type; None when unknown or older than three days."""
    entry = world.state.media.get(media)
    if entry is None or world.now - entry["at"] > MEDIA_DAYS * DAY:
        return None
    try:
        return (world.media_dir / media).read_bytes(), entry["mime"]
    except FileNotFoundError:
        return None


def address(world: World, media: str) -> str:
    """Where a phone loads it from."""
    return f"{world.config.origin}/mmbiz_pic/{media}/0"


def shown(world: World, media: Any, kind: str) -> dict[str, Any] | None:
    """What a chat message says of known media of a kind; None for any other."""
    entry = world.state.media.get(media) if isinstance(media, str) else None
    if entry is None or entry.get("type", "image") != kind:
        return None
    facts = {"url": address(world, media), "media": media, "mime": entry["mime"]}
    return facts | ({"seconds": entry["seconds"]} if "seconds" in entry else {})


def spoken(seconds: float) -> bytes:
    """Silence of that length as AMR, 12.2 kbit/s: what a phone without a microphone says."""
    return AMR + (b"\x3c" + bytes(AMR_SIZES[7] - 1)) * round(seconds / FRAME)


def film() -> bytes:
    """The shortest file that passes for a video."""
    return b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + b"\x00\x00\x00\x08mdat"


def still() -> bytes:
    """A JPEG that stands for a video's first picture."""
    out = io.BytesIO()
    Image.new("RGB", (320, 180), "#3a4a5c").save(out, "JPEG", quality=70)
    return out.getvalue()
