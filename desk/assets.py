"""The style sheet and script of the staff's pages, under an address that changes with their content."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, url_for

import live
from config.assets import load
from config.errors import NotFound
from wechat.signin import public

HERE = Path(__file__).parent / "static"


def join(app: Flask) -> None:
    """Read the files and serve them."""
    assets = load({file.name: file for file in sorted(HERE.iterdir())} | live.FILES)

    @public
    def desk_asset(digest: str, name: str) -> Response:
        found = assets.get(name)
        if found is None or digest != found.digest:
            raise NotFound
        keep = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(found.body, content_type=found.type, headers=keep)

    app.add_url_rule("/desk/assets/<digest>/<name>", "desk_asset", desk_asset)
    app.add_template_global(lambda name: url_for("desk_asset", digest=assets[name].digest, name=name), "desk_asset")
