"""Pictures as they are kept: really decoded, upright, at most 2048 pixels long, without anything else in the file."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from threading import BoundedSemaphore

from PIL import Image, ImageOps

from consultation.refusals import NotAPicture, PictureTooLarge

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
CONTENT_TYPE = "image/jpeg"  # of everything that is kept
MEGABYTES = 10  # WeChat's own limit for a picture
SIDE, SMALL_SIDE = 2048, 320  # pixels
PIXELS = 30_000_000  # decoded at once; a JPEG is decoded at a fraction of its size, so it may have
JPEG_PIXELS = 89_000_000  # where Pillow itself begins to warn
QUALITY = 85

_decoding = BoundedSemaphore(2)  # a large picture takes some 100 MB while it is decoded


@dataclass(frozen=True)
class Checked:
    """A picture fit to be kept: a JPEG, its width and height in pixels, and the SHA-256 of what was sent."""

    data: bytes
    width: int
    height: int
    sha256: bytes


def checked(sent: bytes) -> Checked:
    """Decode and write anew, which leaves behind place, camera and whatever else was in the file.

    Of an animation the first picture is kept. Raises NotAPicture, PictureTooLarge.
    """
    if len(sent) > MEGABYTES * 1024 * 1024:
        raise PictureTooLarge(megabytes=MEGABYTES)
    with _decoding:
        picture = _upright(sent, SIDE)
    return Checked(_written(picture), picture.width, picture.height, hashlib.sha256(sent).digest())


def small(kept: bytes) -> bytes:
    """A kept picture, at most 320 pixels long. Raises NotAPicture."""
    return _written(_upright(kept, SMALL_SIDE))


def _upright(sent: bytes, side: int) -> Image.Image:
    try:
        with Image.open(io.BytesIO(sent), formats=FORMATS) as image:
            if image.width * image.height > JPEG_PIXELS:
                raise PictureTooLarge(megabytes=MEGABYTES)
            image.draft("RGB", (side, side))
            if image.width * image.height > PIXELS:
                raise PictureTooLarge(megabytes=MEGABYTES)
            image.load()
            picture = _on_white(ImageOps.exif_transpose(image))
        picture.thumbnail((side, side))
    except PictureTooLarge:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureTooLarge(megabytes=MEGABYTES) from None
    except Exception:  # made by a stranger: the decoders fail in any way they like
        raise NotAPicture from None
    return picture


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    picture = Image.new("RGB", image.size, "white")
    layer = image.convert("RGBA")
    picture.paste(layer, mask=layer)
    return picture


def _written(picture: Image.Image) -> bytes:
    clean, file = Image.new("RGB", picture.size), io.BytesIO()
    clean.paste(picture)  # the pixels, and nothing that Pillow carries along with them
    clean.save(file, "JPEG", quality=QUALITY, optimize=True)
    return file.getvalue()
