"""Pictures as phones send them, for tests."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.policy import Policy
from consultation import actions
from consultation.models import Media
from consultation.pictures import checked
from people.files import FileStore

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}


def picture(kind: str = "JPEG", size: tuple[int, int] = (60, 40), colour: str = "red", **more: Any) -> bytes:
    """A picture: its upper left quarter is of the colour, the rest is white."""
    image = Image.new("RGB", size, "white")
    image.paste(COLOURS[colour], (0, 0, size[0] // 2, size[1] // 2))
    file = io.BytesIO()
    image.save(file, kind, **more)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    """The picture in a file, loaded."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def kept(session: Session, to: Visit, now: datetime, files: FileStore | None = None, **more: Any) -> Media:
    """A picture of the booker's for a visit, kept; each call's is another unless said (``sent``)."""
    sent = more.get("sent") or picture(size=(20 + session.query(Media).count(), 10))
    fit = checked(sent)
    media = actions.begin(session, to, to.appointment.account_id, fit, now, Policy(), more.get("message"))
    if files:
        files.put(media.file_name, fit.data)
    actions.completed(session, media.id, now)
    session.commit()
    return media
