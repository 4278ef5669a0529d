"""What the staff's pages share: blueprints, rendering, the ways between them, and the page for a refusal."""

from __future__ import annotations

from typing import NamedTuple

import structlog
from flask import Blueprint, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError

from config.errors import NotFound, Refused
from config.text import CHINESE, N_, translate
from people.models import Role
from people.refusals import CodeWorthless, NotStaff, TooManyCodes
from people.sessions import SignInKind
from wechat.refusals import NotSignedIn
from wechat.signin import from_our_page, in_wechat, sign_in_now, staff, visitor_locale

log = structlog.get_logger()

NOWHERE = N_("This page does not exist, or it is not yours to see.")
EXPIRED = N_("This page was open for too long, so nothing was sent.")
HOME = "/desk"
LEADERS = (Role.DEPARTMENT_HEAD, Role.ADMINISTRATOR)  # who decide over clinics
READERS = (Role.ADMINISTRATOR, Role.AUDITOR)  # who may look at what they do not change


class Way(NamedTuple):
    """One of the pages at the top: where, what it is called (an English msgid), and for whom."""

    path: str
    label: str
    roles: frozenset[Role]

    def above(self, path: str) -> bool:
        """Whether the page at ``path`` belongs to this one."""
        return self.path != HOME and path.startswith(f"{self.path}/")


WAYS = (
    Way("/desk/today", N_("Today"), frozenset(LEADERS)),
    Way(HOME, N_("My list"), frozenset({Role.DOCTOR})),
    Way("/desk/roster", N_("My roster"), frozenset({Role.DOCTOR})),
    Way("/desk/appointments", N_("Appointments"), frozenset(LEADERS)),
    Way("/desk/look-up", N_("Find a family"), frozenset({Role.ADMINISTRATOR})),
    Way("/desk/clinics", N_("Clinics"), frozenset(LEADERS)),
    Way("/desk/followups", N_("Follow-ups"), frozenset({Role.DOCTOR})),
    Way("/desk/records", N_("Records"), frozenset({Role.DOCTOR, Role.TEAM_LEAD, *LEADERS})),
    Way("/desk/feedback", N_("Feedback"), frozenset(LEADERS)),
    Way("/desk/reviews", N_("Reviews"), frozenset({Role.PHARMACIST, Role.ADMINISTRATOR})),
    Way("/desk/formulary", N_("Formulary"), frozenset({Role.PHARMACIST, Role.DISPATCHER, *READERS})),
    Way("/desk/dispensing", N_("Dispensing"), frozenset({Role.PHARMACIST, Role.DISPATCHER})),
    Way("/desk/pickup", N_("Pick-up window"), frozenset({Role.PHARMACIST, Role.DISPATCHER})),
    Way("/desk/deliveries", N_("Deliveries"), frozenset({Role.PHARMACIST, Role.DISPATCHER})),
    Way("/desk/reactions", N_("Reactions"), frozenset({Role.PHARMACIST, Role.DOCTOR})),
    Way("/desk/stock", N_("Stock"), frozenset({Role.PHARMACIST, Role.DISPATCHER, *READERS})),
    Way("/desk/tasks", N_("Tasks"), frozenset(Role)),
    Way("/desk/rosters", N_("Rosters"), frozenset({Role.ADMINISTRATOR, Role.DEPARTMENT_HEAD})),
    Way("/desk/staff", N_("Staff"), frozenset(READERS)),
    Way("/desk/money", N_("Money"), frozenset(READERS)),
    Way("/desk/keeping", N_("Keeping"), frozenset(READERS)),
    Way("/desk/recordings", N_("Recordings"), frozenset({Role.AUDITOR})),
    Way("/desk/refusals", N_("Refusals"), frozenset(READERS)),
    Way("/desk/devices", N_("My devices"), frozenset(Role)),
)


def blueprint(name: str) -> Blueprint:
    """A blueprint of pages under /desk that shows refusals as the staff's pages do."""
    made = Blueprint(name, __name__, template_folder="templates", url_prefix="/desk")
    made.register_error_handler(Refused, refused)
    made.register_error_handler(CSRFError, expired)
    return made


def page(template: str, status: int = 200, **context: object) -> ResponseReturnValue:
    """Render one of the staff's pages."""
    lang = "zh-CN" if visitor_locale() == CHINESE else "en"
    member = g.get("member")
    here = sign_in_now()
    shared = {
        "lang": lang,
        "ways": [way for way in WAYS if member and way.roles & member.roles],
        "back": request.path if request.method == "GET" else HOME,
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
    elif isinstance(error, TooManyCodes):
        way = ("/desk/sign-in", N_("Try again"))
    else:
        way = (HOME, N_("To the staff's pages"))
    message = say(error.message or NOWHERE, **error.params)
    shown = make_response(page("refused.html", error.status, message=message, way=way))
    if "seconds" in error.params:
        shown.headers["Retry-After"] = str(error.params["seconds"])
    return shown


def expired(error: CSRFError) -> ResponseReturnValue:
    """A form whose token is missing or old. What was typed is offered for sending again, if our own page sent it."""
    log.info("csrf", reason=error.description)
    if sign_in_now() is None:
        return refused(NotSignedIn())
    kept = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    again = kept if kept and from_our_page() else None
    return page("refused.html", 400, message=say(EXPIRED), way=(HOME, N_("To the staff's pages")), again=again)


bp = blueprint("desk")


@bp.route("/<path:path>", methods=["GET", "POST"])
@staff(*Role)
def not_found(path: str) -> ResponseReturnValue:  # noqa: ARG001
    """Every other address below /desk, so that the staff don't land on the parents' page of faults."""
    raise NotFound
