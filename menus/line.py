"""The waiting room on the family's page: checking in, the place in the line, the call, another doctor."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, cast
from uuid import UUID

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import BeforeValidator, StringConstraints
from pydantic import field_validator as checks
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import Policy, current
from config.text import N_
from consultation.encounters.models import Encounter, EncounterStatus, Kind
from consultation.encounters.rooms import OVER, known
from consultation.intake.questionnaire import BrokenQuestionnaire
from consultation.line import actions, queries, rules
from consultation.line.actions.handing import Answer
from consultation.line.models import Confirmed
from consultation.line.refusals import RecordingRefused
from consultation.line.texts import texts
from consultation.written import queries as written
from consultation.written.rules import may_begin, offered
from menus.forms import BadForm, Form, plain, read
from menus.intake import judged
from menus.pages import bp, lead_back, lead_on
from menus.room import Here, Part, room
from menus.ways import consent_first
from people.access import Viewer
from people.models import Practitioner
from people.refusals import ConsentMissing
from wechat.signin import signed_in, viewer

ANSWERS = ("agree", "wait", "cancel")
IN_WORDS = {EncounterStatus.IN_PROGRESS: "inside", EncounterStatus.FINISHED: "finished"}


class PresentForm(Form):
    """Which phone rings where the child is, and that a guardian is with it."""

    PROBLEMS: ClassVar[Mapping[str, str]] = {
        "phone": N_("Please enter a phone that rings where you are, such as 13800001234 or 010-59616161."),
        "present": N_("The visit needs a guardian with the child. Please confirm that you are."),
    }

    phone: str = ""
    present: str = ""

    @checks("phone")
    @classmethod
    def _rings(cls, value: str) -> str:
        found = rules.phone(value)
        if found is None:
            raise ValueError("no phone")
        return found

    @checks("present")
    @classmethod
    def _is_there(cls, value: str) -> str:
        if value != "yes":
            raise ValueError("not confirmed")
        return value


class CheckInForm(PresentForm):
    """The same, and where the child is."""

    PROBLEMS: ClassVar[Mapping[str, str]] = {
        **PresentForm.PROBLEMS,
        "place": N_("Please say where your child is: town, street and number, so that an ambulance finds it."),
    }

    place: Annotated[str, BeforeValidator(plain), StringConstraints(min_length=4, max_length=200)]


def part_values(here: Here) -> dict[str, Any] | None:
    """What the part shows: ``state`` says which of its faces."""
    policy = current(here.session, here.now, here.visit.department.code)
    shown = _face(here.session, here.viewer, here.visit, here.encounter, here.now, policy)
    if shown is not None:
        shown |= g.get("check_in", {"problems": {}, "typed": shown["typed"]})
    return shown


PART = Part("menus/line.html", part_values)


def _face(
    session: Session, who: Viewer, visit: Visit, encounter: Encounter | None, at: datetime, policy: Policy
) -> dict[str, Any] | None:
    """The face of the waiting room for this guardian now; None when it has nothing to say."""
    state = _state(who, visit, encounter, at, policy)
    if state is None:
        return None
    mine = encounter is not None and encounter.account_id == who.account_id
    asked = queries.asked(session, encounter) if encounter and mine else None
    waiting = encounter is not None and state in {"waiting", "called", "taken"}
    return {
        "state": state,
        "visit": visit,
        "encounter": encounter,
        "policy": policy,
        "opens_at": rules.opens_at(visit, policy),
        "place": queries.place(session, encounter, visit, at) if waiting and encounter else None,
        "left": _left(encounter, at, policy),
        "asked": asked,
        "other": session.get_one(Practitioner, asked.to_id) if asked else None,
        "doctor": session.get_one(Practitioner, encounter.practitioner_id) if encounter else visit.practitioner,
        "told": state != "write" or written.told_all(session, visit, at, policy),
        "offered": state in {"early", "form"} and offered(visit.schedule.clinic_type, policy),
        "present": texts().texts[Confirmed.PRESENT],
        "typed": {"place": encounter.place or "", "phone": encounter.phone or ""} if encounter and mine else {},
        "problems": {},
    }


def _state(who: Viewer, visit: Visit, encounter: Encounter | None, at: datetime, policy: Policy) -> str | None:
    if encounter is not None and encounter.kind is Kind.TEXT and encounter.status not in OVER:
        return _written(who, visit, encounter, at)
    may = rules.may_check_in(visit, at, policy)
    if encounter is None or encounter.status is EncounterStatus.PLANNED:
        if may:
            return "form"
        soon = at < rules.opens_at(visit, policy) and visit.appointment.status in {"booked", "arrived"}
        return "early" if soon else None
    if encounter.status is EncounterStatus.ARRIVED:
        mine = "called" if encounter.called_at else "waiting"
        return mine if encounter.account_id == who.account_id else "taken"
    if encounter.status is EncounterStatus.CANCELLED:
        return "missed" if encounter.ending == "missed-calls" else "cancelled"
    return IN_WORDS[encounter.status]


def _written(who: Viewer, visit: Visit, encounter: Encounter, at: datetime) -> str | None:
    if encounter.status is EncounterStatus.PLANNED:
        return "write" if may_begin(visit, at) else None
    return "writing" if encounter.account_id == who.account_id else "taken-writing"


def _left(encounter: Encounter | None, at: datetime, policy: Policy) -> int:
    """Seconds until the call counts as missed; 0 when nobody calls."""
    if encounter is None or encounter.called_at is None:
        return 0
    until = encounter.called_at + timedelta(seconds=policy.call_seconds)
    return max(1, int((until - at).total_seconds()))


@bp.get("/visits/<uuid:visit_id>/line")
@signed_in
def line(visit_id: UUID) -> ResponseReturnValue:
    """The waiting room alone, for the page that looks again."""
    who, at = viewer(), now()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        it = _face(session, who, visit, known(session, visit_id), at, current(session, at, visit.department.code))
    return render_template("menus/line_alone.html", it=it, visit=visit) if it else ""


@bp.post("/visits/<uuid:visit_id>/check-in")
@signed_in
def check_in(visit_id: UUID) -> ResponseReturnValue:
    lead_back(_room(visit_id), N_("Back to the visit"))
    try:
        form = read(CheckInForm, request.form)
    except BadForm as bad:
        return show_again(visit_id, bad)
    who, at = viewer(), now()
    try:
        with transaction() as session:
            visit = bookings.visit_of(session, who, visit_id)
            policy = current(session, at, visit.department.code)
            actions.check_in(session, visit, who.account_id, form.place, form.phone, at, policy)
            strict = asked_again(session, visit, at, f"account:{who.account_id}")
    except ConsentMissing:
        return redirect(consent_first(_room(visit_id)), 303)
    except RecordingRefused:
        lead_on(consent_first(_room(visit_id)), N_("Change my answers"))
        raise
    return redirect(url_for(".intake_now", visit_id=visit_id) if strict else _room(visit_id), 303)


def show_again(visit_id: UUID, bad: BadForm) -> ResponseReturnValue:
    """The room with what was typed, and what is wrong with it."""
    g.check_in = {"problems": bad.problems, "typed": request.form}
    shown = cast(tuple[str, int], room(visit_id))
    return shown[0], 422


def asked_again(session: Session, visit: Visit, at: datetime, by: str) -> bool:
    """Triage, once more as the visit begins: child may be older, rules newer. Without rules the doctor decides."""
    try:
        return judged(session, visit, at, by)
    except BrokenQuestionnaire:
        return False


@bp.post("/visits/<uuid:visit_id>/leave-line")
@signed_in
def leave_line(visit_id: UUID) -> ResponseReturnValue:
    lead_back(_room(visit_id), N_("Back to the visit"))
    with transaction() as session:
        actions.leave(session, _encounter(session, visit_id), viewer().account_id, now())
    return redirect(_room(visit_id), 303)


@bp.post("/visits/<uuid:visit_id>/join")
@signed_in
def join_call(visit_id: UUID) -> ResponseReturnValue:
    """The family answers the call."""
    lead_back(_room(visit_id), N_("Back to the visit"))
    with transaction() as session:
        actions.join(session, _encounter(session, visit_id), viewer().account_id, now())
    return redirect(_room(visit_id), 303)


@bp.post("/visits/<uuid:visit_id>/hand-over")
@signed_in
def answer_handover(visit_id: UUID) -> ResponseReturnValue:
    """The parent agrees to another doctor, or not."""
    lead_back(_room(visit_id), N_("Back to the visit"))
    said, handover = request.form.get("answer"), request.form.get("handover", type=UUID)
    if said not in ANSWERS or handover is None:
        raise NotFound
    who, at = viewer(), now()
    with transaction() as session:
        encounter = _encounter(session, visit_id)
        if encounter.account_id != who.account_id:
            raise NotFound
        policy = current(session, at, queries.department_code(session, encounter))
        actions.answer(session, encounter, handover, cast(Answer, said), who.account_id, at, policy)
    return redirect(_room(visit_id), 303)


def _encounter(session: Session, visit_id: UUID) -> Encounter:
    """The encounter of a visit of one of the viewer's children. Raises NotFound."""
    bookings.visit_of(session, viewer(), visit_id)
    found = known(session, visit_id)
    if found is None:
        raise NotFound
    return found


def _room(visit_id: UUID) -> str:
    return url_for("menus.room", visit_id=visit_id)
