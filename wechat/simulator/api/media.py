"""Temporary media: what the account uploads, and what people sent, kept three days."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from .. import media
from ..errors import ApiError
from . import Call, Endpoint

ENDINGS = {"audio/amr": "amr", "audio/mpeg": "mp3", "image/jpeg": "jpg"}


def upload(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/media/upload?type=image|voice|video|thumb with the file as `media`."""
    kind = call.query.get("type", "")
    if kind not in media.KINDS:
        raise ApiError(40004)
    file = request.files.get("media")
    if file is None:
        raise ApiError(41005)
    name = "thumb_media_id" if kind == "thumb" else "media_id"
    return {"type": kind, name: media.keep(call.world, kind, file.read()), "created_at": int(call.world.now)}


def get(call: Call) -> dict[str, Any] | Response:
    """GET /cgi-bin/media/get: the file itself; of a video, where it is."""
    name = call.query.get("media_id", "")
    found = media.load(call.world, name)
    if found is None:
        raise ApiError(40007)
    body, mime = found
    if mime.startswith("video/"):
        return {"video_url": media.address(call.world, name)}
    ending = ENDINGS.get(mime) or mime.partition("/")[2]
    return Response(body, content_type=mime, headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'})


ENDPOINTS = [
    Endpoint("/cgi-bin/media/upload", "POST", True, upload),
    Endpoint("/cgi-bin/media/get", "GET", True, get),
]
