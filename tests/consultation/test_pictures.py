"""What a picture must be to be kept, and what is left of it."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from consultation import pictures
from consultation.pictures import SIDE, checked, small
from consultation.refusals import NotAPicture, PictureTooLarge
from tests.pictures import opened, picture


@pytest.mark.parametrize("kind", pictures.FORMATS)
def test_each_format_becomes_a_jpeg(kind: str) -> None:
    sent = picture(kind)
    kept = checked(sent)
    image = opened(kept.data)
    assert image.format == "JPEG"
    assert (kept.width, kept.height) == image.size == (60, 40)
    assert kept.sha256 == hashlib.sha256(sent).digest()
    red, white = image.getpixel((5, 5)), image.getpixel((55, 35))
    assert isinstance(red, tuple)
    assert isinstance(white, tuple)
    assert red[0] > 150 > red[1]
    assert min(white) > 240


def test_nothing_else_in_the_file_is_kept() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETMAKER"  # the camera's maker
    exif.get_ifd(0x8825)[2] = (39.0, 54.0, 0.0)  # the latitude
    sent = picture(exif=exif, comment=b"SECRETCOMMENT", icc_profile=b"SECRETPROFILE" * 20) + b"SECRETTRAILER"
    assert sent.count(b"SECRET") > 3
    kept = checked(sent).data
    assert b"SECRET" not in kept
    assert b"Exif" not in kept
    assert not opened(kept).getexif()
    assert b"SECRET" not in small(kept)


def test_it_is_turned_upright_before_the_note_of_it_is_lost() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter to the right
    kept = checked(picture(exif=exif))
    assert (kept.width, kept.height) == (40, 60)
    corner = opened(kept.data).getpixel((35, 5))  # the upper left went to the upper right
    assert isinstance(corner, tuple)
    assert corner[0] > 150 > corner[1]


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_one_is_made_smaller_and_a_small_one_is_left(kind: str) -> None:
    kept = checked(picture(kind, (4100, 1000)))
    assert (kept.width, kept.height) == (SIDE, 500)
    assert checked(picture(kind, (10, 5))).width == 10
    assert opened(small(kept.data)).size == (320, 78)


def test_what_shines_through_becomes_white_and_of_an_animation_the_first_picture_stays() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(file, "PNG")
    assert opened(checked(file.getvalue()).data).getpixel((4, 4)) == (255, 255, 255)
    frames = [Image.new("P", (8, 8), colour) for colour in (0, 1, 2)]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    assert opened(checked(file.getvalue()).data).size == (8, 8)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that says it is large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\x00\x00\x00"
    body = chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + body + chunk(b"IEND", b"")


def test_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureTooLarge):
        checked(b"\0" * (10 * 1024 * 1024 + 1))
    for side in (6000, 12_000, 65_000):  # 36, 144, 4,225 megapixels; Pillow's own bound is in between
        with pytest.raises(PictureTooLarge):
            checked(bomb(side, side))
    monkeypatch.setattr(pictures, "PIXELS", 100)
    with pytest.raises(PictureTooLarge):
        checked(picture("PNG"))
    monkeypatch.setattr(pictures, "JPEG_PIXELS", 100)
    with pytest.raises(PictureTooLarge):
        checked(picture())


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"%PDF-1.7",
        b"\xff\xd8\xff",
        bomb(500, 500),
        picture("PNG")[:100],
        picture()[:200],
        picture("TIFF"),
    ],
)
def test_what_is_no_picture(sent: bytes) -> None:
    with pytest.raises(NotAPicture):
        checked(sent)


@given(st.data())
def test_broken_pictures_are_refused_or_kept_and_nothing_else(data: Any) -> None:
    sent = bytearray(picture(data.draw(st.sampled_from(pictures.FORMATS))))
    for _ in range(data.draw(st.integers(1, 8))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    try:
        kept = checked(bytes(sent))
    except (NotAPicture, PictureTooLarge):
        return
    assert opened(kept.data).size == (kept.width, kept.height)
