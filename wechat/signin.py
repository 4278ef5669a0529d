"""Who is looking at a page: the guards that every view carries, and the signed-in viewer of this request.

The session is Flask's signed cookie; it holds the account's id and the chosen language, nothing else of the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from flask import redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from config.text import CHINESE, known
from people.access import Viewer
from wechat.refusals import NotSignedIn

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., object])

ACCOUNT, LOCALE = "account", "locale"
HOME = "/internet-diagnosis"
_WECHAT_LANGUAGE = re.compile(r"\bLanguage/(\w+)")


def public(view: View) -> View:
    """Mark a view that anybody may see."""
    view.__dict__["guard"] = "public"
    return view


def signed_in(view: Callable[P, ResponseReturnValue]) -> Callable[P, ResponseReturnValue]:
    """Mark a view for signed-in accounts only: others go to WeChat's sign-in and come back to the page asked for.

    A form sent without a session can't be carried through the sign-in: NotSignedIn.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if account_id() is None:
            if request.method not in {"GET", "HEAD"}:
                raise NotSignedIn
            return redirect(url_for("oauth.start", next=request.full_path.removesuffix("?")))
        return view(*args, **kwargs)

    guarded.__dict__["guard"] = "signed-in"
    return guarded


def account_id() -> UUID | None:
    """The signed-in account of this request, or None."""
    try:
        return UUID(session[ACCOUNT])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def viewer() -> Viewer:
    """Who looks at this page. Raises NotSignedIn."""
    account = account_id()
    if account is None:
        raise NotSignedIn
    return Viewer(account, visitor_locale())


def visitor_locale() -> str:
    """The language of this page: chosen before (kept with the account), else WeChat's own, else the browser's."""
    if chosen := session.get(LOCALE):
        return known(str(chosen))
    if match := _WECHAT_LANGUAGE.search(request.user_agent.string):
        return known(match[1])
    spoken = (language for language in request.accept_languages.values() if language[:2].lower() in {"zh", "en"})
    return known(next(spoken, CHINESE))


def sign_in(account: UUID, locale: str | None) -> None:
    """Begin a new session for the account: of the old one only the chosen language remains, unless the account has one.

    ``locale`` is the account's own choice.
    """
    locale = locale or session.get(LOCALE)
    session.clear()
    session[ACCOUNT] = str(account)
    if locale:
        session[LOCALE] = locale


def remember_locale(locale: str) -> None:
    """Show this visitor's pages in ``locale`` from now on (people.actions.choose_locale keeps it for messages)."""
    session[LOCALE] = known(locale)


def own_path(target: str | None) -> str:
    """``target`` when it is a path of this site, else the home page: nobody is ever sent to another site."""
    target = target or HOME
    bad = not target.isprintable() or any(character in target for character in "\\ ")
    if bad or not target.startswith("/") or target.startswith(("//", "/oauth/")) or len(target) > 500:
        return HOME
    try:
        parts = urlsplit(target)
    except ValueError:
        return HOME
    return HOME if parts.scheme or parts.netloc else target
