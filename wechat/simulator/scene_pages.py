"""mp.weixin.qq.com: the picture of a scene's code."""

from __future__ import annotations

from flask import Response, abort, request

from . import scenes
from .world import World

SHOW = "/cgi-bin/showqrcode"


def show_qrcode(world: World) -> Response:
    """GET /cgi-bin/showqrcode?ticket=."""
    png = scenes.picture(world, request.args.get("ticket", ""))
    if png is None:
        abort(404)
    return Response(png, content_type="image/png", headers={"Cache-Control": "no-store"})
