"""Reading QR codes from pictures that people send or upload; careful with pictures made to do harm."""

from __future__ import annotations

import io

import zxingcpp
from PIL import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
SIDE = 2400  # a JPEG is decoded at the smallest scale not under this: enough for any code, a fraction of the memory
PIXELS = 30_000_000


def decode(picture: bytes) -> list[str]:
    """The contents of all QR codes in a picture; empty when there is none or it is not a picture we read."""
    try:
        with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
            image.draft("L", (SIDE, SIDE))
            if image.width * image.height > PIXELS:
                return []
            grey = image.convert("L")
        found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    except Exception:  # a picture made by a stranger: the decoders fail in any way they like
        return []
    return list(dict.fromkeys(text for code in found if (text := code.text.strip())))
