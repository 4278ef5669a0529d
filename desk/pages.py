"""What the staff's pages share: blueprints, rendering, the ways between them, and the page for a refusal."""

from __future__ import annotations

from typing import NamedTuple

from flask import Blueprint, g, render_template, request
from flask.typing import ResponseReturnValue

from config.errors import Refused
from config.text import CHINESE, N_, translate
from people.models import Role
from people.refusals import CodeWorthless, NotStaff
from people.sessions import SignInKind
from wechat.refusals import NotSignedIn
from wechat.signin import in_wechat, sign_in_now, visitor_locale

NOWHERE = N_("This page does not exist, or it is not yours to see.")
READERS = (Role.ADMINISTRATOR, Role.AUDITOR)  # who may see the list of staff


class Way(NamedTuple):
    """One of the pages at the top: where, what it is called (an English msgid), and for whom."""

    path: str
    label: str
    roles: frozenset[Role]


WAYS = (
    Way("/desk", N_("My list"), frozenset({Role.DOCTOR})),
    Way("/desk/tasks", N_("Tasks"), frozenset(Role)),
    Way("/desk/staff", N_("Staff"), frozenset(READERS)),
    Way("/desk/devices", N_("My devices"), frozenset(Role)),
)


def blueprint(name: str) -> Blueprint:
    """A blueprint of pages under /desk that shows refusals as the staff's pages do."""
    made = Blueprint(name, __name__, template_folder="templates", url_prefix="/desk")
    made.register_error_handler(Refused, refused)
    return made


def page(template: str, status: int = 200, **context: object) -> ResponseReturnValue:
    """Render one of the staff's pages."""
    lang = "zh-CN" if visitor_locale() == CHINESE else "en"
    member = g.get("member")
    here = sign_in_now()
    shared = {
        "lang": lang,
        "ways": [way for way in WAYS if member and way.roles & member.roles],
        "back": request.path if request.method == "GET" else "/desk",
        "can_leave": here is not None and here.kind is SignInKind.COMPUTER,
    }
    return render_template(f"desk/{template}", **shared, **context), status


def say(message: str, **params: object) -> str:
    """A text in the visitor's language."""
    return translate(visitor_locale(), message, **params)


def refused(error: Refused) -> ResponseReturnValue:
    """What the domain refuses, to somebody of the staff or to a visitor who is none; with a way on."""
    if isinstance(error, NotStaff) and in_wechat():
        way = ("/internet-diagnosis", N_("To the parents' pages"))
    elif isinstance(error, NotSignedIn | NotStaff | CodeWorthless) and not in_wechat():
        way = ("/desk/sign-in", N_("Sign in"))
    else:
        way = ("/desk", N_("To the staff's pages"))
    message = say(error.message or NOWHERE, **error.params)
    return page("refused.html", error.status, message=message, way=way)


bp = blueprint("desk")
