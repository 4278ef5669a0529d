"""Pictures: kept for the chat and the media API, the demo QR codes, and reading codes out of them."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

from .world import World

LIMIT = 10 * 1024 * 1024
KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp", "BMP": "image/bmp"}
MEDIA_DAYS = 3
DAY = 86400.0


def _open(raw: bytes) -> Image.Image | None:
    try:
        image = Image.open(io.BytesIO(raw))
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    return image if image.format in KINDS else None


def keep(world: World, raw: bytes) -> str | None:
    """Store a picture and return its media id; None when it is none or over 10 MB."""
    image = _open(raw) if len(raw) <= LIMIT else None
    if image is None:
        return None
    media = secrets.token_urlsafe(48)
    world.media_dir.mkdir(parents=True, exist_ok=True)
    (world.media_dir / media).write_bytes(raw)
    with world.change() as state:
        state.media[media] = {"mime": KINDS[str(image.format)], "at": world.now, "size": list(image.size)}
    return media


def load(world: World, media: str) -> tuple[bytes, str] | None:
    """A stored picture and its content type; None when unknown or older than three days."""
    entry = world.state.media.get(media)
    if entry is None or world.now - entry["at"] > MEDIA_DAYS * DAY:
        return None
    try:
        return (world.media_dir / media).read_bytes(), entry["mime"]
    except FileNotFoundError:
        return None


def decode(raw: bytes) -> tuple[str, str] | None:
    """The first code in a picture as (scan type, text) the way wx.scanQRCode words it; None when there is none."""
    image = _open(raw)
    if image is None:
        return None
    for code in zxingcpp.read_barcodes(ImageOps.exif_transpose(image).convert("RGB")):
        if code.text:
            kind = code.format.name
            return ("qrcode", code.text) if "QR" in kind.upper() else ("barcode", f"{_spelled(kind)},{code.text}")
    return None


def _spelled(kind: str) -> str:
    return "".join(
        f"_{c}" if c.isdigit() and not p.isdigit() else c for p, c in zip(" " + kind, kind, strict=False)
    ).upper()


def demo(folder: Path) -> list[Path]:
    """The pictures of the demo folder, by name."""
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))


def demo_picture(folder: Path, stem: str) -> Path | None:
    """The demo picture with this caption."""
    return next((path for path in demo(folder) if path.stem == stem), None)
