"""Who is looking at a page: the guards that every view carries, and the signed-in viewer of this request.

The session is Flask's signed cookie; it holds the id of a sign-in (people/sessions.py, asked anew by every request) and
the chosen language, nothing else of the person.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from flask import g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from config.clock import now
from config.database import looking, transaction
from config.ids import parse_id
from config.policy import current as policy
from config.text import CHINESE, known
from people import sessions
from people.access import Member, Viewer, member_of
from people.models import Account, Role
from people.sessions import Known, SignIn, SignInKind
from wechat.refusals import NotSignedIn

P = ParamSpec("P")
View = TypeVar("View", bound=Callable[..., object])
Guarded = Callable[P, ResponseReturnValue]

SIGN_IN, LOCALE = "sign_in", "locale"
HOME = "/internet-diagnosis"
COMPUTER = "/desk/sign-in"  # where a browser outside WeChat signs in to the staff's pages
NEXT = "desk_next"  # the staff's page that such a browser asked for
_WECHAT_LANGUAGE = re.compile(r"\bLanguage/(\w+)")


def public(view: View) -> View:
    """Mark a view that anybody may see."""
    view.__dict__["guard"] = "public"
    return view


def signed_in(view: Guarded[P]) -> Guarded[P]:
    """Mark a view for accounts signed in through WeChat: others go there and come back to the page asked for.

    A form sent without a session can't be carried through the sign-in: NotSignedIn. A computer that the staff signed
    in on opens the staff's pages only.
    """

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        found = sign_in_now()
        if found is None or found.kind is not SignInKind.WECHAT:
            return _to_sign_in("oauth.start")
        return view(*args, **kwargs)

    guarded.__dict__["guard"] = "signed-in"
    return guarded


def staff(*roles: Role) -> Callable[[Guarded[P]], Guarded[P]]:
    """Mark a view for members of staff who hold one of ``roles``; asked anew by every request.

    Others get NotStaff or RoleMissing; who is not signed in goes to WeChat or, outside of it, to the computer's code.
    """

    def mark(view: Guarded[P]) -> Guarded[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if sign_in_now() is None:
                return _to_sign_in("oauth.start" if in_wechat() else COMPUTER)
            with transaction() as database:
                g.member = member_of(database, viewer(), roles)
            return view(*args, **kwargs)

        guarded.__dict__["guard"], guarded.__dict__["roles"] = "staff", frozenset(roles)
        return guarded

    return mark


def _to_sign_in(where: str) -> ResponseReturnValue:
    if request.method not in {"GET", "HEAD"}:
        raise NotSignedIn
    target = request.full_path.removesuffix("?")
    if where == COMPUTER:
        session[NEXT] = target
        return redirect(COMPUTER)
    return redirect(url_for(where, next=target))


def in_wechat() -> bool:
    """Whether the page is opened inside WeChat, where signing in is silent."""
    return "MicroMessenger" in request.user_agent.string


def sign_in_now() -> SignIn | Known | None:
    """This request's sign-in if it still holds, asked once per request."""
    if "sign_in" not in g:
        g.sign_in = _look_up()
    found: SignIn | Known | None = g.sign_in
    return found


def sign_in_id() -> UUID | None:
    """The id of a sign-in that this browser's cookie holds, whether it still holds or not."""
    return parse_id(session.get(SIGN_IN))


def _look_up() -> Known | None:
    if (asked := sign_in_id()) is None:
        return None
    at = now()
    with looking() as database:
        return sessions.live(database, asked, at, policy(database, at))


def account_id() -> UUID | None:
    """The signed-in account of this request, or None."""
    found = sign_in_now()
    return found.account_id if found else None


def viewer() -> Viewer:
    """Who looks at this page. Raises NotSignedIn."""
    account = account_id()
    if account is None:
        raise NotSignedIn
    return Viewer(account, visitor_locale())


def member() -> Member:
    """Who of the staff looks at this page, in a view marked ``staff``."""
    found: Member = g.member
    return found


def visitor_locale() -> str:
    """The language of this page: chosen before (kept with the account), else WeChat's own, else the browser's."""
    if chosen := chosen_locale(session, request.user_agent.string):
        return chosen
    spoken = (language for language in request.accept_languages.values() if language[:2].lower() in {"zh", "en"})
    return known(next(spoken, CHINESE))


def chosen_locale(kept: Mapping[str, Any], user_agent: str) -> str | None:
    """The language that a visitor chose, or that WeChat speaks; None when neither is known."""
    if chosen := kept.get(LOCALE):
        return known(str(chosen))
    match = _WECHAT_LANGUAGE.search(user_agent)
    return known(match[1]) if match else None


def sign_in(database: Session, account: Account, kind: SignInKind) -> None:
    """Begin a new session for the account in this browser; the one before ends.

    Of the old cookie only the chosen language remains, unless the account has one of its own.
    """
    at = now()
    if (old := sign_in_now()) is not None:
        sessions.end(database, old.account_id, old.id, at)
    g.sign_in = sessions.begin(database, account, kind, request.user_agent.string, at, policy(database, at))
    locale = account.locale or session.get(LOCALE)
    session.clear()
    session[SIGN_IN] = str(g.sign_in.id)
    if locale:
        session[LOCALE] = locale


def sign_out(database: Session) -> None:
    """End this browser's session; only the chosen language remains."""
    if (old := sign_in_now()) is not None:
        sessions.end(database, old.account_id, old.id, now())
    locale = session.get(LOCALE)
    session.clear()
    g.sign_in = None
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


def from_our_page() -> bool:
    """Whether the browser says that this request was sent by a page of this site."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return request.headers.get("Origin", "") == request.host_url.rstrip("/")
