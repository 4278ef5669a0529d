"""Prescriptions & delivery: the family's prescriptions and where each stands; reminders; how the child is then."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import visit as whole
from config.clock import at, now, today
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import current
from config.text import N_
from consultation.after.rules import worse_until
from consultation.encounters.models import Encounter
from menus.pages import bp, lead_back, locale, page, say
from menus.ways import VISITS
from people.models import Patient
from prescriptions.after import actions, queries
from prescriptions.after.library import Severity, reactions
from prescriptions.after.models import Recovery
from prescriptions.after.refusals import CourseOpen, TimesTooClose, TimeUnreadable, TooManyTimes
from prescriptions.after.rules import proposed, written
from prescriptions.standing import Known, Shown, Stands, listed
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import Medicine, for_family, medicines
from wechat.signin import signed_in, viewer

# The one thing to do next: where, and what the button says. ``{order}`` is the order's id, ``{id}`` the prescription's.
NEXT = {
    Stands.ORDER: ("/prescriptions/{id}/order", N_("Order the medicines")),
    Stands.PAY: ("/medicine-orders/{order}", N_("Pay for the medicines")),
    Stands.PREPARING: ("/medicine-orders/{order}", N_("See the order")),
    Stands.READY: ("/medicine-orders/{order}", N_("Show the pick-up code")),
    Stands.SHIPPED: ("/medicine-orders/{order}/delivery", N_("Where is it?")),
    Stands.FAILED: ("/medicine-orders/{order}/delivery", N_("See what happened")),
    Stands.ARRIVED: ("/medicine-orders/{order}/labels", N_("How to give the medicines")),
}
HOW = {
    Recovery.WELL: N_("Well again"),
    Recovery.BETTER: N_("Better"),
    Recovery.SAME: N_("The same"),
    Recovery.WORSE: N_("Worse"),
}


@bp.get("/prescriptions")
@signed_in
def prescriptions() -> ResponseReturnValue:
    """All of the family's, newest first, each with what can be done next."""
    with transaction() as session:
        found = listed(session, viewer(), now())
    return page(
        "prescriptions.html", tab=VISITS, found=[(one, page_of(one), next_step(one.known, one.stands)) for one in found]
    )


def page_of(shown: Shown) -> str | None:
    """The path of a prescription's own page."""
    path = f"/prescriptions/{shown.known.prescription.id}"
    return path if leads_somewhere(path) else None


def next_step(known: Known, stands: Stands) -> tuple[str, str] | None:
    """The path of what is done next, and the button's text; None where there is nothing to do."""
    if stands not in NEXT:
        return None
    path, label = NEXT[stands]
    order = known.order
    found = path.format(id=known.prescription.id, order=order.id if order else "")
    return (found, label) if leads_somewhere(found) else None


def leads_somewhere(path: str) -> bool:
    """Whether there is a page at the path."""
    return bool(current_app.url_map.bind("").test(path, "GET"))


@bp.get("/prescriptions/<uuid:prescription_id>/reminders")
@signed_in
def reminders(prescription_id: UUID) -> ResponseReturnValue:
    """The times at which the family is reminded, proposed from how often each is given."""
    return _reminders(prescription_id)


@bp.post("/prescriptions/<uuid:prescription_id>/reminders")
@signed_in
def set_reminders(prescription_id: UUID) -> ResponseReturnValue:
    """Keep the times, or switch all of it off; bad ones are named, and stay as they were typed."""
    back_to(prescription_id)
    try:
        with transaction() as session:
            if "off" in request.form:
                actions.switch_off(session, viewer(), prescription_id)
            else:
                found = for_family(session, viewer(), prescription_id)
                typed = {line.line.n: _typed(line.line.n) for line in medicines(session, found.id)}
                actions.choose(session, viewer(), prescription_id, typed, now())
    except (TimeUnreadable, TooManyTimes, TimesTooClose) as bad:
        return _reminders(prescription_id, bad)
    return redirect(url_for(".reminders", prescription_id=prescription_id, saved=1), 303)


def _typed(n: int) -> list[str]:
    return request.form.getlist(f"times-{n}")


def _reminders(prescription_id: UUID, bad: Refused | None = None) -> ResponseReturnValue:
    back_to(prescription_id)
    with transaction() as session:
        found, given = let_in(session, prescription_id)
        mine = queries.reminder(session, prescription_id, viewer().account_id)
        course = queries.course(session, prescription_id)
        child = session.get_one(Patient, found.patient_id)
    kept = mine.times if mine and mine.active else None
    lines = [(one, _times(one, kept, bad)) for one in given]
    return page(
        "reminders.html", tab=VISITS, status=bad.status if bad else 200, prescription=found, child=child, lines=lines,
        on=kept is not None, next_at=mine.next_at if mine else None, course=course, saved="saved" in request.args,
        over=found.status is not PrescriptionStatus.APPROVED or (course is not None and today(now()) > course.until),
        problems={bad.field: say(bad.message, **bad.params)} if bad and bad.field else {},
    )  # fmt: skip


def _times(one: Medicine, kept: dict[str, Any] | None, bad: Refused | None) -> list[str]:
    """As typed, as kept, or as proposed (none for what is only given when the child needs it); an empty field for each
    further time that the doctor prescribed."""
    line = one.line
    if bad:
        times = _typed(line.n)
    elif kept is not None:
        times = list(kept.get(str(line.n), ()))
    else:
        times = [] if one.product.as_needed else written(proposed(line.times, line.interval))
    return times + [""] * (line.times - len(times))


@bp.get("/prescriptions/<uuid:prescription_id>/course")
@signed_in
def course(prescription_id: UUID) -> ResponseReturnValue:
    """How is the child? And once that was said, what to do."""
    back_to(prescription_id)
    with transaction() as session:
        found = for_family(session, viewer(), prescription_id)
        encounter = session.get_one(Encounter, found.encounter_id)
        about = whole(session, encounter.appointment_id)
        known = queries.course(session, prescription_id)
        until = worse_until(encounter, current(session, now(), about.department.code))
    if known is None or known.asked_at is None:
        raise CourseOpen
    return page(
        "course.html", tab=VISITS, prescription=found, visit=about, course=known, how=HOW, todo=_safety(),
        worse=until is not None and now() < until, again="again" in request.args,
    )  # fmt: skip


@bp.post("/prescriptions/<uuid:prescription_id>/course")
@signed_in
def answer_course(prescription_id: UUID) -> ResponseReturnValue:
    """One tap."""
    back_to(prescription_id)
    try:
        how = Recovery(request.form.get("how", ""))
    except ValueError:
        raise NotFound from None
    with transaction() as session:
        actions.answer(session, viewer(), prescription_id, how, now())
    return redirect(url_for(".course", prescription_id=prescription_id), 303)


def _safety() -> tuple[str, ...]:
    """What to watch for: the words of the mildest reaction say when to call 120, too."""
    return reactions().to_do(Severity.WATCH, locale())[-1:]


def let_in(session: Session, prescription_id: UUID) -> tuple[Prescription, list[Medicine]]:
    """A prescription of the viewer's child that a pharmacist has accepted, and its medicines. Raises NotFound."""
    found = for_family(session, viewer(), prescription_id)
    if not found.accepted:
        raise NotFound
    return found, medicines(session, found.id)


def back_to(prescription_id: UUID) -> None:
    path = f"/prescriptions/{prescription_id}"
    lead_back(path if leads_somewhere(path) else "/prescriptions", N_("Back to the prescription"))


def began(typed: str) -> datetime | None:
    """A moment as a phone's field sends it, on the hospital's clock; None for what is none."""
    try:
        found = datetime.fromisoformat(typed)
        return at(found.date(), found.time())
    except (ValueError, OverflowError):
        return None
