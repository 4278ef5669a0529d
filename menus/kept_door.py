"""A page that visitors share (menus/kept.py), answered in front of Flask as long as it is at hand.

The same bytes and headers as Flask's, by the address and the visitor's language. Whatever is missing, too old or in
doubt goes to Flask, whose answer is remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

from flask import Flask, Response, g
from werkzeug.http import remove_entity_headers

from config.clock import now
from config.metrics import REQUESTS
from menus.kept import EXTENSION, Headers, Pages, Sheet
from menus.security import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass
class Door:
    """WSGI: answers with a page that is at hand, or lets the application behind see to it."""

    behind: WSGIApplication
    pages: Pages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        place = self.pages.places.get(environ["PATH_INFO"])
        if place is None or environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
            return self.behind(environ, start_response)
        started = monotonic()
        sheet = self.pages.sheets.fresh((self.pages.spoken(environ), *place.key), now())
        if sheet is None or (headers := sheet.headers) is None:
            return self.behind(environ, start_response)
        known = environ.get("HTTP_IF_NONE_MATCH", "")
        unchanged = known == headers.etag
        if not unchanged and (sheet.etag in known or "*" in known):
            return self.behind(environ, start_response)
        name = (REQUEST_ID, token_hex(6))
        if unchanged:
            start_response("304 NOT MODIFIED", [*headers.unchanged, name])
        else:
            start_response("200 OK", [*headers.whole, name])
        REQUESTS.labels("GET", place.endpoint, 304 if unchanged else 200).observe(monotonic() - started)
        return [b"" if unchanged else sheet.body]


def join(app: Flask) -> None:
    """Keep pages, and put their door in front of the application."""
    pages = app.extensions[EXTENSION] = Pages()
    app.wsgi_app = Door(app.wsgi_app, pages)  # type: ignore[method-assign]
    # the last to see an answer, when all headers are there but the session's cookie
    app.after_request_funcs.setdefault(None, []).insert(0, _remember)


def _remember(response: Response) -> Response:
    """The headers of a page that goes out for the first time, be it by a 304."""
    sheet: Sheet | None = g.get("sheet")
    if sheet and sheet.headers is None and response.status_code in {200, 304}:
        told = [(name, value) for name, value in response.headers if name not in {REQUEST_ID, "Content-Length"}]
        whole, unchanged = [*told, ("Content-Length", str(len(sheet.body)))], list(told)
        remove_entity_headers(unchanged)
        sheet.headers = Headers(whole, unchanged, response.headers["ETag"])
    return response
