"""WeChat's proof that a domain is the account's: a small text file at the site's root (WECHAT_DOMAIN_FILE)."""

from __future__ import annotations

from flask import Blueprint, Response, abort

from wechat.signin import public


def blueprint(setting: str) -> Blueprint:
    """The file's route; ``setting`` is ``MP_verify_name.txt:content``, or empty for none."""
    files = Blueprint("domain-file", __name__)
    name, _, content = setting.partition(":")

    @files.get("/MP_verify_<word>.txt", endpoint="show")
    @public
    def show(word: str) -> Response:
        if name != f"MP_verify_{word}.txt":
            abort(404)
        return Response(content, mimetype="text/plain")

    return files
