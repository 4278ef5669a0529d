"""Booking and what was booked: confirm, book, the visit, my visits."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import actions, cases, eligibility, rights, rules, suspension
from booking import queries as bookings
from booking.cases import Facts
from booking.fairness import Tries
from booking.gone import GONE
from booking.models import AppointmentStatus, Period, Pool
from booking.numbers import Taken
from booking.queries import Offer, Visit
from booking.refusals import AlreadyHolding, LimitReached, NotOpen, ScreenNeeded, ShortWait, SoldOut, Suspended
from booking.waiting_queries import entry_for, waits
from config.clock import now, today
from config.database import looking, transaction
from config.errors import Refused
from config.ids import parse_id
from config.policy import Policy, current
from config.text import N_
from consultation.encounters.models import Kind
from consultation.record.queries import is_signed
from consultation.written.queries import of as written_of
from consultation.written.rules import offered
from menus import errors, pictures, prescription, soldout, written
from menus.after import after_of
from menus.calendar import token_of
from menus.changing import standing
from menus.forms import BadForm, BookForm, read
from menus.intake import told_of
from menus.limits import count_try, please_wait
from menus.news import news_of
from menus.notices import notices
from menus.pages import bp, lead_back, lead_on, page, say
from menus.ways import VISITS, consent_first, first_of_all
from payments.queries import refund_of
from people import consents
from people import queries as people
from people.access import Viewer
from people.audit import refusals
from people.looking import look_again
from people.models import Decision, GuardianStatus
from people.queries import Child
from people.refusals import ConsentMissing
from wechat.signin import signed_in, viewer

STILL_TO_COME = ("appointment-reminder", "appointment-cancelled")  # what may yet be told of a visit
INDEX = "patient-index"  # among the application's extensions


@bp.get("/schedules/<uuid:schedule_id>/book")
@signed_in
def confirm(schedule_id: UUID) -> ResponseReturnValue:
    chosen, who, pool = parse_id(request.args.get("child")), viewer(), _pool(request.args.get("pool"))
    here = url_for(".confirm", schedule_id=schedule_id, child=chosen, pool=None if pool is Pool.OPEN else pool)
    with transaction() as session:
        children = [child.patient for child in people.children(session, who)]
        agreed = consents.given(session, who.account_id)
    if not children:
        return redirect(f"/children/bind?{urlencode({'next': here})}")
    if not agreed:
        return redirect(consent_first(here))
    look_again(current_app.extensions[INDEX], children, now())
    with transaction() as session:
        shown = confirmation(session, who, schedule_id, now(), pool)
    return page("confirm.html", chosen=chosen, kind=request.args.get("kind"), problems={}, **shown)


def confirmation(
    session: Session, who: Viewer, schedule_id: UUID, at: datetime, pool: Pool = Pool.OPEN
) -> dict[str, Any]:
    """What the confirming page shows. Raises NotFound, NotOpen, SoldOut."""
    offer = bookings.offer(session, schedule_id, pool)
    policy = current(session, at, offer.department.code)
    _lead_back_to(offer.department.code, offer.schedule.day, offer.schedule.period)
    if not rules.is_open(offer.schedule.day, at, policy):
        raise NotOpen(first=policy.horizon_first_day, last=policy.horizon_last_day)
    if offer.next_at is None:
        _lead_on_to_list(schedule_id)
        raise SoldOut
    return {
        "offer": offer,
        "pool": pool,
        **choices(session, who, offer, at, policy, pool),
        "cancel_until": rules.cancel_until(offer.next_at, policy),
        "hours": policy.cancel_until_hours,
        "hold_minutes": policy.hold_minutes,
        "in_writing": pool is Pool.OPEN and offered(offer.schedule.clinic_type, policy),
        "text_hours": policy.text_reply_hours,
        "screen_minutes": policy.screen_minutes,
        "at": at,
        "today": today(at),
    }


NOT_KEPT = {
    Pool.FOLLOWUP: N_("Not invited to a follow-up here"),
    Pool.AREA: N_("Not said to be in such an area"),
}


def _lead_on_to_list(schedule_id: UUID) -> None:
    lead_on(url_for(".wait", schedule_id=schedule_id), N_("Join the waiting list"))


def choices(
    session: Session, who: Viewer, offer: Offer, at: datetime, policy: Policy, pool: Pool = Pool.OPEN
) -> dict[str, Any]:
    """The viewer's children, why some can't be chosen, the first who can, and of whom the questions are still
    open. ``unrecorded``: the viewer has refused to be recorded, so it will be a visit in writing."""
    children, schedule = people.children(session, who), offer.schedule
    ids = [child.patient.id for child in children]
    holding = bookings.holders(session, ids, offer.department.id, schedule.day)
    facts = [eligibility.gather(session, child.patient, who.account_id, schedule, at) for child in children]
    why = [why_not(child, holding, of, policy) for child, of in zip(children, facts, strict=True)]
    reasons = {id_: reason for id_, reason in zip(ids, why, strict=True) if reason}
    if pool is not Pool.OPEN:
        barred = (id_ for id_ in ids if id_ not in reasons and not rights.may(session, pool, id_, offer, at, policy))
        reasons |= dict.fromkeys(list(barred), say(NOT_KEPT[pool]))
    free = [id_ for id_ in ids if id_ not in reasons]
    return {
        "children": children,
        "reasons": reasons,
        "first": free[0] if free else None,
        "together": pool is Pool.OPEN and min(len(free), offer.free) > 1,
        "unasked": {id_ for id_, of in zip(ids, facts, strict=True) if id_ in free and not of.screen_id},
        "unrecorded": consents.recording(session, who.account_id) is Decision.DENY,
    }


def why_not(child: Child, holding: set[UUID], facts: Facts, policy: Policy) -> str | None:
    """Why a child can't be chosen, and what to do instead, in the visitor's language."""
    if child.binding.status is GuardianStatus.FROZEN:
        return say(N_("Paused by another guardian"))
    if child.patient.id in holding:
        return say(N_("Already has a number in this department that day"))
    refused = eligibility.refusal(facts, policy)
    return say(refused.message, **refused.params) if refused else None


def _lead_back_to(department: str, day: date, period: Period) -> None:
    lead_back(f"/internet-diagnosis/{department}/{day}/{period}", N_("Other doctors"))


@bp.post("/visits")
@signed_in
def book() -> ResponseReturnValue:
    try:
        form = read(BookForm, request.form)
    except BadForm as bad:
        return _choose_again(bad)
    who = viewer()
    tries = count_try(who.account_id)
    try:
        booked = _book(who, form, tries)
    except ShortWait as wait:
        return please_wait(wait, schedule=form.schedule, patient=form.patient, kind=form.kind)
    except Suspended:
        lead_back(url_for(".suspensions"), N_("See why, and appeal"))
        raise
    except SoldOut as refused:
        _lead_on_to_list(form.schedule)
        return soldout.told(form.schedule, refused) if form.pool is Pool.OPEN else errors.refused(refused)
    except (AlreadyHolding, LimitReached, ScreenNeeded, ConsentMissing) as refused:
        return _elsewhere(who, form, refused)
    GONE.forget(form.schedule)
    if form.kind is Kind.TEXT:
        with transaction() as session:
            written.choose(session, bookings.visit_of(session, who, booked.id))
    return redirect(url_for("paying.pay" if booked.held else ".visit", visit_id=booked.id), 303)


def _book(who: Viewer, form: BookForm, tries: Tries | None) -> Taken:
    """A number for everybody is booked by one statement, which needs no transaction around it."""
    at = now()
    with looking() as session:
        case = cases.of(session, who, form.schedule, form.patient, at)
        _lead_back_to(case.facts.department, case.facts.day, case.period)
        policy = current(session, at, case.facts.department)
        if not case.held:  # a second tap takes nothing: it leads to the visit, however many came before it
            with refusals("book", at=at, entity="schedule", entity_id=form.schedule, account_id=who.account_id):
                actions.slow_down(session, case.recent, who.account_id, tries, at, policy)
        if form.pool is Pool.OPEN:
            return actions.book_case(session, case, at, policy)
    with transaction() as session:
        return actions.book_case(session, case, at, policy, form.pool)


def _elsewhere(who: Viewer, form: BookForm, refused: Refused) -> ResponseReturnValue:
    """A second tap ends at the visit of the first; what is missing is asked for, and leads back."""
    if before := held_already(who, form.schedule, form.patient):
        return redirect(url_for(".visit", visit_id=before, note="already"), 303)
    kind = form.kind if form.kind is Kind.TEXT else None
    here = url_for(".confirm", schedule_id=form.schedule, child=form.patient, kind=kind)
    if isinstance(refused, ScreenNeeded | ConsentMissing):
        return redirect(first_of_all(refused, form.patient, here), 303)
    raise refused


def _choose_again(bad: BadForm) -> ResponseReturnValue:
    schedule_id = parse_id(request.form.get("schedule"))
    if schedule_id is None:
        return redirect("/internet-diagnosis", 303)
    with transaction() as session:
        shown = confirmation(session, viewer(), schedule_id, now(), _pool(request.form.get("pool")))
    kind = request.form.get("kind")
    return page("confirm.html", status=422, chosen=None, kind=kind, problems=bad.problems, **shown)


def held_already(who: Viewer, schedule_id: UUID, patient_id: UUID) -> UUID | None:
    """The visit that the child holds in the schedule's department on its day: a second tap ends there too."""
    with transaction() as session:
        schedule = bookings.offer(session, schedule_id).schedule
        for visit in bookings.coming_visits(session, who, now()):
            held = visit.appointment
            if (held.patient_id, held.department_id, held.day) == (patient_id, schedule.department_id, schedule.day):
                return held.id
    return None


@bp.get("/visits/<uuid:visit_id>")
@signed_in
def visit(visit_id: UUID) -> ResponseReturnValue:
    return visit_page(visit_id)


def visit_page(visit_id: UUID, problem: str | None = None, status: int = 200) -> ResponseReturnValue:
    """The visit as it stands; ``problem`` says why what was asked of it was not done."""
    with transaction() as session:
        at, who = now(), viewer()
        shown = bookings.visit_of(session, who, visit_id)
        policy = current(session, at, shown.department.code)
        siblings = _siblings(session, who, shown, at, policy)
        news = news_of(session, who, shown, at, policy)
        album = pictures.shown(session, shown, at, policy)
        in_writing = visit_id in written_of(session, [visit_id])
        told = told_of(session, shown, at, policy)
        stands = standing(shown, at, policy) | after_of(session, shown, at, policy)
        asked = notices().asked(session, who.account_id, STILL_TO_COME if stands["coming"] else ())
        changed_to = bookings.replacement(session, who, visit_id) or news["booked_since"]
        offered = entry_for(session, visit_id) if shown.appointment.unanswered else None
        refund = refund_of(session, shown.appointment.payment_id)
        signed = is_signed(session, visit_id)
        prescribed = prescription.of_visit(session, visit_id, at)
    if offered:  # not theirs yet: to the page where they answer
        return redirect(url_for(".place", entry_id=offered))
    return page(
        "visit.html",
        tab=VISITS,
        status=status,
        visit=shown,
        problem=problem,
        siblings=siblings,
        note=request.args.get("note"),
        calendar_token=token_of(visit_id),
        changed_to=changed_to,
        refund=refund,
        signed=signed,
        prescribed=prescribed,
        in_writing=in_writing,
        on_the_day=shown.appointment.day == today(at),
        **news,
        **album,
        **told,
        **stands,
        **notices().shown(asked),
    )


def _siblings(session: Session, who: Viewer, visit: Visit, at: datetime, policy: Policy) -> list[Child]:
    """The viewer's other children who could take the next number of the same period."""
    booked = visit.appointment.status is AppointmentStatus.BOOKED
    if not booked or not rules.is_open(visit.schedule.day, at, policy):
        return []
    others = [child for child in people.children(session, who) if child.binding.status is GuardianStatus.ACTIVE]
    holding = bookings.holders(session, [child.patient.id for child in others], visit.department.id, visit.schedule.day)
    free = [child for child in others if child.patient.id not in holding]
    return free if free and bookings.offer(session, visit.schedule.id).free else []


@bp.get("/visits")
@signed_in
def visits() -> ResponseReturnValue:
    with transaction() as session:
        at, who = now(), viewer()
        waiting = waits(session, who)
        offered = {wait.entry.appointment_id for wait in waiting}
        coming = [visit for visit in bookings.coming_visits(session, who, at) if visit.appointment.id not in offered]
        past = bookings.past_visits(session, who, at)
        closed = suspension.mine(session, who, at)
    return page(
        "visits.html",
        tab=VISITS,
        waiting=waiting,
        coming=coming,
        past=past,
        closed=closed,
        left={visit.appointment.id: _seconds_left(visit, at) for visit in coming},
        note=request.args.get("note"),
    )


def _seconds_left(visit: Visit, at: datetime) -> int:
    """For how long a number is still held; 0 for what is not held (any more)."""
    until = visit.appointment.hold_until
    return max(0, int((until - at).total_seconds())) if until else 0


def _pool(text: str | None) -> Pool:
    """Whose numbers are asked for; whether the child may have them is asked when it is booked."""
    return Pool(text) if text in {Pool.FOLLOWUP, Pool.AREA} else Pool.OPEN
