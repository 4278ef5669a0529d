"""Pictures of the demo's QR codes, as a parent would photograph them from the hospital's registration slip."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

from people.index import IndexRecord

UNKNOWN, NO_CODE = "unknown-code", "no-code"
UNKNOWN_CONTENT = "BCH-0000-0000-0000"
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts")
FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJK*.ttc",
    "NotoSansSC*.otf",
    "NotoSansSC*.ttf",
    "SourceHanSans*",
    "wqy-*.tt?",
    "PingFang.ttc",
    "STHeiti*.ttc",
)
WIDTH, CAPTION, TEXT_SIZE = 440, 80, 44  # pixels
INK, PAPER = "#1a1a1a", "#ffffff"

Font = ImageFont.FreeTypeFont


def draw(folder: Path, children: Mapping[str, IndexRecord]) -> None:
    """Write ``<name>.png`` for each child by picture name, one with an unknown code and one without any code.

    The child's name stands under the code when a Chinese font is installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    font = _font()
    for name, child in children.items():
        _slip(child.code, child.name, font).save(folder / f"{name}.png")
    _slip(UNKNOWN_CONTENT, "？", font).save(folder / f"{UNKNOWN}.png")
    _landscape().save(folder / f"{NO_CODE}.png")


def _slip(code: str, caption: str, font: Font | None) -> Image.Image:
    made = segno.make_qr(code, error="m")
    drawn = io.BytesIO()
    made.save(drawn, kind="png", scale=WIDTH // made.symbol_size()[0], border=4)
    with Image.open(drawn) as square:
        picture = Image.new("RGB", (WIDTH, WIDTH + (CAPTION if font else 0)), PAPER)
        picture.paste(square.convert("RGB"), ((WIDTH - square.width) // 2, (WIDTH - square.height) // 2))
    if font:
        ImageDraw.Draw(picture).text((WIDTH / 2, WIDTH + CAPTION / 3), caption, INK, font, anchor="mm")
    return picture


def _landscape() -> Image.Image:
    picture = Image.new("RGB", (WIDTH, WIDTH), "#9fd3f0")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((300, 50, 380, 130), "#ffd45e")
    pen.polygon([(0, 320), (140, 160), (280, 320)], "#6b8f71")
    pen.polygon([(180, 320), (320, 210), (440, 320)], "#55785c")
    pen.rectangle((0, 320, WIDTH, WIDTH), "#8fbf6a")
    return picture


def _font() -> Font | None:
    for pattern in FONTS:
        for folder in FONT_FOLDERS:
            for path in sorted(Path(folder).rglob(pattern)):
                simplified = 2 if path.name.startswith("NotoSansCJK") else 0  # that collection begins with Japanese
                return ImageFont.truetype(str(path), TEXT_SIZE, index=simplified)
    return None
