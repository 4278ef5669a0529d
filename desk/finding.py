"""Finding a family: by a guardian's phone, the child's name, the QR code or the patient number. For administrators."""

from __future__ import annotations

from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import listing
from config.clock import now
from config.database import transaction
from config.errors import Refused
from desk.appointments import NO_DAY, parsed_day
from desk.pages import bp, page, say
from people import finding
from people.models import Role
from people.refusals import NothingToFind, PhoneMalformed, TooManyLookUps
from wechat.signin import staff, viewer

LENGTH = 128  # of the longest QR code that the index takes
FIELDS = ("phone", "name", "born", "code")


@bp.get("/look-up")
@staff(Role.ADMINISTRATOR)
def look_up_form() -> ResponseReturnValue:
    return _form({}, {})


@bp.post("/look-up")
@staff(Role.ADMINISTRATOR)
def look_up() -> ResponseReturnValue:
    """What was typed stands in no address: the page of what was found has one of its own."""
    typed = {name: request.form.get(name, "").strip()[:LENGTH] for name in FIELDS}
    born = parsed_day(typed["born"])
    if typed["born"] and born is None:
        return _form(typed, {"born": say(NO_DAY)}, 422)
    wanted = finding.Wanted(typed["phone"], typed["name"], born, typed["code"])
    try:
        with transaction() as session:
            made = finding.look_up(session, viewer().account_id, wanted, now())
    except (NothingToFind, PhoneMalformed, TooManyLookUps) as refusal:
        return _refused(typed, refusal)
    return redirect(url_for("desk.looked_up", look_up_id=made), 303)


@bp.get("/look-up/<uuid:look_up_id>")
@staff(Role.ADMINISTRATOR)
def looked_up(look_up_id: UUID) -> ResponseReturnValue:
    """The children found, each with the next and the last visit; only for who looked, within the hour."""
    with transaction() as session:
        at = now()
        found = finding.found(session, viewer().account_id, look_up_id, at)
        visits = listing.around(session, [child.id for child in found.children], at)
    return page("looked_up.html", found=found, visits=visits, most=finding.SHOWN)


def _refused(typed: dict[str, str], refusal: Refused) -> ResponseReturnValue:
    return _form(typed, {refusal.field or "": say(refusal.message, **refusal.params)}, refusal.status)


def _form(typed: dict[str, str], problems: dict[str, str], status: int = 200) -> ResponseReturnValue:
    return page("look_up.html", status, typed=typed, problems=problems)
