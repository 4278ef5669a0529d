"""Temporary media: pictures the account uploads, and what people sent, kept three days."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from .. import pictures
from ..errors import ApiError
from . import Call, Endpoint


def upload(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/media/upload?type=image with the file as `media`."""
    if call.query.get("type") != "image":
        raise ApiError(40004)
    file = request.files.get("media")
    if file is None:
        raise ApiError(41005)
    media = pictures.keep(call.world, file.read())
    if media is None:
        raise ApiError(40009)
    return {"type": "image", "media_id": media, "created_at": int(call.world.now)}


def get(call: Call) -> Response:
    """GET /cgi-bin/media/get: the file itself."""
    found = pictures.load(call.world, call.query.get("media_id", ""))
    if found is None:
        raise ApiError(40007)
    body, mime = found
    name = f"{call.query['media_id']}.{mime.partition('/')[2]}"
    return Response(body, content_type=mime, headers={"Content-Disposition": f'attachment; filename="{name}"'})


ENDPOINTS = [
    Endpoint("/cgi-bin/media/upload", "POST", True, upload),
    Endpoint("/cgi-bin/media/get", "GET", True, get),
]
