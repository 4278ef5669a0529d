"""Sold out, said in front of Flask: in a rush nearly every request is one too many, and it must not slow the others.

Only what would be answered so anyway: to a browser with a session of ours, for a child that holds no number of the
department and day. Sold out is no secret, the period's own page says it; so neither is the cookie's signature checked
nor the sign-in looked up, and the page is the same for everybody, as those of menus/kept.py. Its record, for sign-ins
that there are, is written a little later (menus/refusals_later.py). Everything else goes to the application behind.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from flask import Flask, Response, current_app, g
from flask.typing import ResponseReturnValue

from booking.gone import GONE, Gone
from booking.queries import all_taken
from booking.refusals import SoldOut
from config import clock
from config.database import looking
from config.metrics import REQUESTS
from menus import errors, limits
from menus.asked import PATH, asked
from menus.pages import locale
from menus.refusals_later import Refusal, RefusalsLater
from menus.security import REQUEST_ID

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

EXTENSION = "sold-out"
STATUS = "409 CONFLICT"
MOST = 500  # pages
COUNTED = REQUESTS.labels("POST", "menus.book", 409)


class Page(NamedTuple):
    """The page as it goes out to everybody."""

    headers: list[tuple[str, str]]
    body: bytes


@dataclass
class Door:
    """WSGI: answers bookings of a period that was sold out a moment ago."""

    behind: WSGIApplication
    later: RefusalsLater
    gone: Gone = field(default_factory=lambda: GONE)
    pages: dict[tuple[UUID, str], Page] = field(default_factory=dict)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if not self.gone or environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST":
            return self.behind(environ, start_response)
        started = monotonic()
        wish = asked(environ)
        page = wish and self.pages.get((wish.schedule_id, wish.locale))
        if not wish or not page or not self.gone.says(wish.schedule_id, wish.patient_id):
            return self.behind(environ, start_response)
        start_response(STATUS, [*page.headers, (REQUEST_ID, token_hex(6))])
        self.later.add(Refusal(wish.sign_in_id, wish.schedule_id, wish.patient_id, clock.now()))
        COUNTED.observe(monotonic() - started)
        return [page.body]

    def keep(self, schedule_id: UUID, speaks: str, response: Response) -> None:
        """Keep a page for the others who come too late."""
        if len(self.pages) >= MOST:
            self.pages.clear()
        headers = [(name, value) for name, value in response.headers if name != REQUEST_ID]
        self.pages[schedule_id, speaks] = Page(headers, response.get_data())


def told(schedule_id: UUID, refused: SoldOut) -> ResponseReturnValue:
    """The page of a period that has just been found sold out, for this visitor and for those who come right after."""
    with looking() as session:
        GONE.learn(schedule_id, lambda: all_taken(session, schedule_id))
    g.shared, g.sold_out = True, schedule_id  # menus/security.py: no nonce
    return errors.told(refused, shared=True)


def join(app: Flask) -> None:
    """Put it in front of the application."""
    door = Door(app.wsgi_app, RefusalsLater(app.extensions[limits.EXTENSION]))
    app.extensions[EXTENSION] = door
    app.wsgi_app = door  # type: ignore[method-assign]
    # the last to see an answer, when all headers are there but the session's cookie
    app.after_request_funcs.setdefault(None, []).insert(0, _keep)


def _keep(response: Response) -> Response:
    if (schedule_id := g.get("sold_out")) and response.mimetype == "text/html":
        door: Door = current_app.extensions[EXTENSION]
        door.keep(schedule_id, locale(), response)
    return response
