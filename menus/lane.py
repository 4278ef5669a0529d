"""A booking that nothing stands against, done in front of Flask: in the second of a release there is little else to do.

It goes as through menus/visits.py, by the same functions: the cookie's signature, the form's token, the sign-in, the
child, the tries, the rules, the number, and its payment if it costs money. Whatever is missing, in doubt or refused
goes to the application behind, which asks anew and answers; nothing has been written for it here but that it was one
try.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from json import loads
from secrets import token_hex
from time import monotonic
from typing import TYPE_CHECKING

import psycopg
import structlog
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from booking import actions, cases
from booking.cases import Browser, Case
from booking.gone import GONE
from booking.numbers import Taken
from config.clock import now
from config.database import looking
from config.errors import Refused
from config.metrics import REQUESTS
from config.policy import Policy, current
from config.settings import Settings
from config.together import Together
from menus import limits, security
from menus.asked import PATH, Asked, asked
from menus.signatures import Seal, decoded
from people import sessions
from people.sessions import Known, SignInKind

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

STATUS = "303 SEE OTHER"
COUNTED = REQUESTS.labels("POST", "menus.book", 303)


@dataclass
class Lane:
    """WSGI: books, or lets the application behind see to it."""

    app: Flask
    behind: WSGIApplication
    headers: list[tuple[str, str]]
    cookies: Seal
    proofs: Seal

    def __post_init__(self) -> None:
        self._together = Together(self._book)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST":
            return self.behind(environ, start_response)
        started, name = monotonic(), token_hex(6)
        wish = asked(environ)
        if wish is None or environ["wsgi.url_scheme"] != "http" or not self._ours(wish):
            return self.behind(environ, start_response)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=name)
        booked = self._booked(wish, environ)
        if booked is None:
            return self.behind(environ, start_response)
        GONE.forget(wish.schedule_id)
        where = f"{PATH}/{booked.id}/pay" if booked.held else f"{PATH}/{booked.id}"
        start_response(STATUS, [*self.headers, ("Location", where), (security.REQUEST_ID, name)])
        COUNTED.observe(monotonic() - started)
        return [b""]

    def _ours(self, wish: Asked) -> bool:
        """Whether we signed the cookie, and a page of that session sent the form."""
        if self.cookies.opened(wish.cookie) is None or (proof := self.proofs.opened(wish.proof)) is None:
            return False
        try:
            proved = loads(decoded(proof))
        except ValueError:
            return False
        return bool(wish.csrf) and compare_digest(str(proved), wish.csrf)

    def _booked(self, wish: Asked, environ: WSGIEnvironment) -> Taken | None:
        try:
            return self._together.ask((wish, environ))
        except (SQLAlchemyError, psycopg.Error):  # the application behind has a page for it
            return None

    def _book(self, wishes: Sequence[tuple[Asked, WSGIEnvironment]]) -> list[Taken | None]:
        """Book for all that came meanwhile: the database is asked twice and Redis once, however many they are."""
        at = now()
        booked: list[Taken | None] = [None] * len(wishes)
        with looking() as session:
            browsers = [Browser(wish.sign_in_id, wish.schedule_id, wish.patient_id) for wish, _ in wishes]
            found = dict(enumerate(cases.of_browsers(session, browsers, at)))
            policy = current(session, at)
            signed_in = {place: one for place, one in found.items() if one and sessions.holds(one[0], at, policy)}
            own = {place: case for place, (known, case) in signed_in.items() if _may(known, case)}
            wanted = self._in_time(session, own, {place: wishes[place][1] for place in own}, at)
            for place, made in zip(wanted, actions.book_cases(session, list(wanted.values()), at), strict=True):
                booked[place] = made
            sessions.touch(session, (known for known, _ in signed_in.values()), at)
        return booked

    def _in_time(
        self, session: Session, own: Mapping[int, Case], environs: Mapping[int, WSGIEnvironment], at: datetime
    ) -> dict[int, tuple[Case, Policy]]:
        """Those who need not wait a little, each with its department's policy. All have tried once more."""
        tries = limits.count_once(self.app, [(case.account_id, environs[place]) for place, case in own.items()])
        found: dict[int, tuple[Case, Policy]] = {}
        for (place, case), tried in zip(own.items(), tries, strict=True):
            policy = current(session, at, case.facts.department)
            with suppress(Refused):
                actions.slow_down(session, case.recent, case.account_id, tried, at, policy)
                found[place] = case, policy
        return found


def _may(known: Known, case: Case) -> bool:
    """Whether somebody on their own phone books for their own child, which has no number yet."""
    return known.kind is SignInKind.WECHAT and case.own and not case.held


def join(app: Flask, settings: Settings) -> None:
    """Put it right in front of Flask: what stands before it knows a parent's address behind a proxy."""
    cookies = SecureCookieSessionInterface().get_signing_serializer(app)
    if cookies is None:
        raise ValueError("no secret key")
    proofs = URLSafeTimedSerializer(app.config["SECRET_KEY"], salt="wtf-csrf-token")  # as Flask-WTF signs them
    app.wsgi_app = Lane(  # type: ignore[method-assign]
        app,
        app.wsgi_app,
        [*security.constant(settings), ("Content-Length", "0"), ("Vary", "Cookie")],
        Seal(cookies.make_signer(cookies.salt), int(app.permanent_session_lifetime.total_seconds())),
        Seal(proofs.make_signer(proofs.salt)),
    )
