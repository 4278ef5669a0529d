"""Pictures: what they are, the demo QR codes, and reading codes out of them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image, ImageOps, UnidentifiedImageError

KINDS = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp", "BMP": "image/bmp"}


def _open(raw: bytes) -> Image.Image | None:
    try:
        image = Image.open(io.BytesIO(raw))
        image.load()
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    return image if image.format in KINDS else None


def describe(raw: bytes) -> dict[str, Any] | None:
    """Type and size in pixels of a picture; None when it is none."""
    image = _open(raw)
    return {"mime": KINDS[str(image.format)], "size": list(image.size)} if image else None


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
