"""The style sheet of the staff's pages, under an address that changes with its content."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, url_for

from config.assets import load
from config.errors import NotFound
from wechat.signin import public


def join(app: Flask) -> None:
    """Read the file and serve it."""
    sheet = load({"desk.css": Path(__file__).parent / "static/desk.css"})["desk.css"]

    @public
    def desk_css(digest: str) -> Response:
        if digest != sheet.digest:
            raise NotFound
        keep = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(sheet.body, content_type=sheet.type, headers=keep)

    app.add_url_rule("/desk/assets/<digest>/desk.css", "desk_css", desk_css)
    app.add_template_global(lambda: url_for("desk_css", digest=sheet.digest), "desk_css")
