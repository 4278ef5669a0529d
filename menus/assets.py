"""The style sheets and scripts of the parents' pages, under an address that changes with their content."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, request, url_for

import live
from config.assets import load
from config.errors import NotFound
from config.settings import Settings
from wechat.signin import public

HERE = Path(__file__).parent / "static"
FOREVER = "public, max-age=31536000, immutable"


def join(app: Flask, settings: Settings) -> None:
    """Read the files and serve them. Raises OSError when the front-end packages are not installed."""
    weui = settings.assets_dir / "weui/dist/style/weui.min.css"
    assets = load({"weui.css": weui} | {file.name: file for file in sorted(HERE.iterdir())} | live.files(settings))

    @public
    def asset(digest: str, name: str) -> Response:
        found = assets.get(name)
        if found is None:
            raise NotFound
        zipped = request.accept_encodings["gzip"] > 0
        response = Response(found.zipped if zipped else found.body, content_type=found.type)
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = FOREVER if digest == found.digest else "no-cache"
        return response

    app.add_url_rule("/assets/<digest>/<name>", "asset", asset)
    app.add_template_global(lambda name: url_for("asset", digest=assets[name].digest, name=name), "asset")
