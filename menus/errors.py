"""Pages for what did not work: always what happened, what to do instead, and a way on. Scripts get JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, current_app, g, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from config.errors import NotFound, Refused
from config.text import N_
from menus.pages import lead_back, page, say
from menus.security import request_id
from menus.ways import HOME, VISITS, Way
from wechat.refusals import NotSignedIn
from wechat.signin import account_id, from_our_page, own_path

log = structlog.get_logger()

TITLES = {
    "not-found": N_("Page not found"),
    "sold-out": N_("Numbers are gone"),
    "nothing-free": N_("Numbers are gone"),
    "too-few-together": N_("Too few numbers left"),
    "not-invited": N_("For a follow-up"),
    "not-declared": N_("For another area"),
    "not-open": N_("Not open for booking"),
    "list-closed": N_("The waiting list is closed"),
    "too-many-waits": N_("On many waiting lists already"),
    "already-holding": N_("Already booked"),
    "too-young": N_("Too young to be seen online"),
    "too-old": N_("Too old for this hospital"),
    "visit-needed": N_("Please come in person first"),
    "department-visit-needed": N_("Please come in person first"),
    "visit-too-old": N_("Please come in person"),
    "visits-unknown": N_("Please try again in a few minutes"),
    "suspended": N_("Booking is closed for a while"),
    "limit-reached": N_("Enough numbers for now"),
    "too-late-to-cancel": N_("Too late to cancel here"),
    "too-many-tries": N_("Please wait a little"),
    "not-signed-in": N_("Please sign in again"),
    "no-picture": N_("No picture was chosen"),
    "not-a-picture": N_("Not a picture"),
    "picture-too-large": N_("The picture is too large"),
    "too-many-pictures": N_("No more pictures"),
    "question-closed": N_("The time for questions is over"),
    "already-asked": N_("You have asked already"),
    "worse-closed": N_("This visit is long ago"),
    "rating-fixed": N_("Thank you"),
    "recording-refused": N_("Video visits are recorded"),
    "not-staff": N_("For the clinic's staff"),
}
OTHERWISE = N_("That did not work")
HTTP = {
    404: (TITLES["not-found"], N_("This page does not exist, or it is not yours to see.")),
    405: (OTHERWISE, N_("This page can't be opened by itself. Please start again from the menu.")),
    413: (N_("The picture is too large"), N_("Please send a picture of less than 12 MB, or a screenshot of the code.")),
    429: (TITLES["too-many-tries"], N_("Too many requests. Please wait a minute and try again.")),
}
INCOMPLETE = N_("What your phone sent could not be read. Please go back and try again.")
FAULT = N_("Something is wrong on our side. Please try again in a minute.")
EXPIRED = N_("This page was open for too long, so nothing was sent.")


class AtTheSameMoment(Refused):
    """Of two who changed the same, somebody else was first; nothing was written."""

    code = "at-the-same-moment"
    message = N_("This was changed at the same moment, perhaps by a second tap. Please look at it again.")


def join(app: Flask) -> None:
    """Register the error pages for every path (a face may have its own for its views)."""

    def second(error: IntegrityError | StaleDataError) -> Any:
        if isinstance(error, IntegrityError) and not isinstance(error.orig, UniqueViolation):
            raise error
        log.warning("at-the-same-moment", error=type(error).__name__, endpoint=request.endpoint)
        return app.handle_user_exception(AtTheSameMoment())  # by the face whose view it was

    app.register_error_handler(IntegrityError, second)
    app.register_error_handler(StaleDataError, second)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(CSRFError, expired)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(500, broken)


def refused(error: Refused) -> ResponseReturnValue:
    """What the domain refuses."""
    if isinstance(error, NotFound):
        return http_page(404)
    if isinstance(error, NotSignedIn) and (asked_from := page_before()):
        lead_back(asked_from, N_("Sign in and go back"))
    return told(error)


def told(error: Refused, **more: Any) -> ResponseReturnValue:
    """The page of a refusal."""
    message = say(error.message, **error.params)
    return failed(error.code, error.status, TITLES.get(error.code, OTHERWISE), message, **more)


def page_before() -> str | None:
    """The path of our own page from which this request came, if the browser says."""
    before = urlsplit(request.referrer or "")
    if before.netloc != request.host:
        return None
    return own_path(before.path + (f"?{before.query}" if before.query else ""))


def http(error: HTTPException) -> ResponseReturnValue:
    """What Flask refuses: a wrong address or method, a form that is too large."""
    if error.code is None or error.code < 400:
        return error.get_response()
    return http_page(error.code)


def http_page(status: int) -> ResponseReturnValue:
    """The page for an HTTP status."""
    title, message = HTTP.get(status, (OTHERWISE, INCOMPLETE))
    return failed("not-found" if status == 404 else f"http-{status}", status, title, say(message))


def expired(error: CSRFError) -> ResponseReturnValue:
    """A form whose token is missing or old. What was typed is offered for sending again, if our own page sent it."""
    log.info("csrf", reason=error.description)
    view = current_app.view_functions[request.endpoint or ""]
    if getattr(view, "guard", "") in {"signed-in", "staff"} and account_id() is None:
        return refused(NotSignedIn())
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    again = kept if kept and from_our_page() else None
    return failed("form-expired", 400, N_("Please send it again"), say(EXPIRED), again=again)


def broken(error: Exception) -> ResponseReturnValue:
    """A fault of ours. The reference finds it in the log."""
    cause = getattr(error, "original_exception", None) or error
    log.error("page-failed", error=type(cause).__name__, endpoint=request.endpoint)
    message = say(FAULT)
    return failed("broken", 500, OTHERWISE, message, reference=request_id())


def failed(code: str, status: int, title: str, message: str, **more: Any) -> ResponseReturnValue:
    """The page, or JSON for a script that asked for it."""
    if request.accept_mimetypes.best == "application/json":
        return jsonify(code=code, message=message), status
    ways: list[Way] = [way for way in (g.get("way_on"), g.get("way_back"), HOME, VISITS) if way]
    return page("error.html", status=status, code=code, title=title, message=message, ways=ways[:2], **more)
