"""The doctor's line: calling next, the call, who is in the room, handing over, ending by rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking.queries import Visit
from booking.queries import visit as whole
from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import Policy, current
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind, SeatRole
from consultation.encounters.rooms import Seat, seat
from consultation.line import actions, queries, rules
from consultation.line.models import Confirmed
from consultation.line.refusals import CheckNeeded, DoctorNotThere, NobodyWaiting
from consultation.line.texts import texts
from consultation.written import actions as writing
from consultation.written import queries as written
from desk.pages import bp
from desk.visit import Here, Part
from people.access import Viewer, practitioner_of
from people.models import Department, Practitioner, RelatedPerson, Role
from wechat.signin import member, staff, viewer

ENDINGS = tuple(sorted(rules.BY_RULE))


def list_values(session: Session, who: Viewer, at: datetime) -> dict[str, Any] | None:
    """The doctor's line for their list, and who waits for an answer in writing; None when they hold no session today
    and nobody waits."""
    doctor = practitioner_of(session, who)
    found, on = queries.rows(session, doctor.id), queries.next_session(session, doctor.id, at)
    waits = written.rows(session, doctor.id)
    if not found and not waits and on is None:
        return None
    return {
        "rows": found,
        "writing": waits,
        "session": on,
        "checked": on is None or queries.checked(session, doctor.id, on.id),
        "at": at,
        "called": next((row for row in found if row.encounter.called_at and row.encounter.status == "arrived"), None),
    }


begun = queries.begun_of


def part_values(here: Here) -> dict[str, Any] | None:
    """What the part shows to the treating doctor; None to others in the room."""
    if here.seat.role is not SeatRole.PRACTITIONER:
        return None
    session, encounter, at = here.session, here.seat.encounter, here.now
    policy = current(session, at, queries.department_code(session, encounter))
    asked = queries.asked(session, encounter)
    waiting = queries.line(session, encounter.practitioner_id)
    there = queries.doctors_there(session, encounter.department_id, at, but=encounter.practitioner_id)
    alone = encounter.kind is Kind.TEXT and encounter.status is EncounterStatus.IN_PROGRESS
    return {
        "encounter": encounter,
        "at": at,
        "more": written.left(session, encounter, policy) if alone else None,
        "state": _state(encounter),
        "line": len(waiting) - sum(one.called_at is not None for one in waiting),
        "place": next((n for n, one in enumerate(waiting, 1) if one.id == encounter.id), 0),
        "until": (until := _until(encounter, policy)),
        "left": max(0, int((until - at).total_seconds())) if until else 0,
        "checked": queries.checked(session, encounter.practitioner_id, encounter.schedule_id),
        "confirmed": queries.confirmed(session, encounter),
        "needed": queries.needed(session, encounter, policy),
        "texts": texts().texts,
        "guardian": _guardian(session, encounter),
        "doctors": there,
        "asked": asked,
        "asked_name": session.get_one(Practitioner, asked.to_id).name if asked else None,
        "endings": ENDINGS,
        "refunded": [ending for ending in ENDINGS if rules.refunded(ending, policy)],
        "policy": policy,
    }


PART = Part("side", "desk/line.html", part_values)


def _state(encounter: Encounter) -> str:
    if encounter.kind is Kind.TEXT and encounter.status is EncounterStatus.PLANNED:
        return "unwritten"
    if encounter.kind is Kind.TEXT and encounter.status is EncounterStatus.IN_PROGRESS:
        return "writing"
    if encounter.status is EncounterStatus.ARRIVED and encounter.called_at:
        return "called"
    if encounter.status is EncounterStatus.IN_PROGRESS and encounter.extended_at:
        return "kept-open"
    return str(encounter.status)


def _until(encounter: Encounter, policy: Policy) -> datetime | None:
    return encounter.called_at + timedelta(seconds=policy.call_seconds) if encounter.called_at else None


def _guardian(session: Session, encounter: Encounter) -> RelatedPerson | None:
    """As what the guardian with the child was bound to it."""
    found = session.query(RelatedPerson).filter_by(account_id=encounter.account_id, patient_id=encounter.patient_id)
    return found.order_by(RelatedPerson.id.desc()).first()


@bp.get("/line")
@staff(Role.DOCTOR)
def line_list() -> ResponseReturnValue:
    """The line alone, for the list that looks again."""
    with transaction() as session:
        shown = list_values(session, viewer(), now())
    return render_template("desk/line_alone.html", template="desk/line_list.html", line=shown) if shown else ""


@bp.get("/visits/<uuid:visit_id>/line")
@staff(Role.DOCTOR)
def line_part(visit_id: UUID) -> ResponseReturnValue:
    """The part alone, for the page that looks again."""
    with transaction() as session:
        visit = _treated(session, visit_id)
        it = part_values(Here(session, seat(session, viewer(), visit_id), visit, now()))
    return render_template("desk/line_alone.html", template="desk/line.html", it=it, visit=visit) if it else ""


@bp.post("/line/next")
@staff(Role.DOCTOR)
def call_next() -> ResponseReturnValue:
    at = now()
    try:
        with transaction() as session:
            doctor = practitioner_of(session, viewer())
            policy = _policy(session, doctor.department_id, at)
            called = actions.call_next(session, viewer(), at, policy).appointment_id
    except NobodyWaiting:
        return redirect(url_for("desk.my_list"), 303)
    except CheckNeeded:
        return _to_check()
    return redirect(url_for("desk.visit", visit_id=called), 303)


Verb = Callable[[Session, UUID, datetime, Policy], object]
VERBS: dict[str, Verb] = {
    "call": lambda session, one, at, policy: actions.call(session, viewer(), one, at, policy),
    "again": lambda session, one, at, _: actions.call_again(session, viewer(), one, at),
    "undo": lambda session, one, at, _: actions.uncall(session, viewer(), one, at),
    "skip": lambda session, one, at, policy: actions.skip(session, viewer(), one, at, policy),
    "start": lambda session, one, at, _: actions.start(session, viewer(), one, at),
    "keep-open": lambda session, one, at, _: actions.extend(session, viewer(), one, at),
    "resume": lambda session, one, at, _: actions.resume(session, viewer(), one, at),
    "write": lambda session, one, at, policy: writing.switch(session, _seat(session, one), at, policy),
    "withdraw": lambda session, one, at, _: actions.withdraw(session, _own(session, one), viewer().account_id, at),
}


@bp.post("/visits/<uuid:visit_id>/line")
@staff(Role.DOCTOR)
def line_verb(visit_id: UUID) -> ResponseReturnValue:
    """One of the buttons of the part."""
    verb = VERBS.get(request.form.get("do", ""))
    if verb is None:
        raise NotFound
    at = now()
    try:
        with transaction() as session:
            encounter = _own(session, visit_id)
            verb(session, visit_id, at, current(session, at, queries.department_code(session, encounter)))
    except CheckNeeded:
        return _to_check(visit_id)
    return redirect(url_for("desk.visit", visit_id=visit_id), 303)


@bp.post("/visits/<uuid:visit_id>/confirm")
@staff(Role.DOCTOR)
def confirm(visit_id: UUID) -> ResponseReturnValue:
    """The ticks: who is in the room."""
    kinds = [kind for kind in Confirmed if request.form.get(str(kind)) == "yes"]
    with transaction() as session:
        actions.confirm(session, viewer(), visit_id, kinds, now())
    return redirect(url_for("desk.visit", visit_id=visit_id), 303)


@bp.post("/visits/<uuid:visit_id>/end")
@staff(Role.DOCTOR)
def end_by_rule(visit_id: UUID) -> ResponseReturnValue:
    """The visit must not go on; why is chosen."""
    chosen = request.form.get("ending", "")
    if chosen not in set(ENDINGS):
        return redirect(url_for("desk.visit", visit_id=visit_id), 303)
    at = now()
    with transaction() as session:
        policy = current(session, at, queries.department_code(session, _own(session, visit_id)))
        actions.end_by_rule(session, viewer(), visit_id, Ending(chosen), at, policy)
    return redirect(url_for("desk.visit", visit_id=visit_id), 303)


@bp.post("/visits/<uuid:visit_id>/hand-over")
@staff(Role.DOCTOR)
def hand_over(visit_id: UUID) -> ResponseReturnValue:
    """Ask the parent whether a colleague may see the child."""
    chosen = request.form.get("practitioner", type=UUID)
    if chosen is None:
        raise DoctorNotThere(field="practitioner")
    with transaction() as session:
        actions.offer(session, _own(session, visit_id), chosen, member().practitioner, now())
    return redirect(url_for("desk.visit", visit_id=visit_id), 303)


def _own(session: Session, visit_id: UUID) -> Encounter:
    """The encounter that the viewer treats. Raises NotFound."""
    return _seat(session, visit_id).encounter


def _seat(session: Session, visit_id: UUID) -> Seat:
    """The treating doctor's seat. Raises NotFound."""
    found = seat(session, viewer(), visit_id)
    if found.role is not SeatRole.PRACTITIONER:
        raise NotFound
    return found


def _treated(session: Session, visit_id: UUID) -> Visit:
    """The visit of a room in which the viewer sits as a doctor. Raises NotFound."""
    if not seat(session, viewer(), visit_id).is_doctor:
        raise NotFound
    return whole(session, visit_id)


def _policy(session: Session, department_id: UUID | None, at: datetime) -> Policy:
    return current(session, at, session.get_one(Department, department_id).code if department_id else None)


def _to_check(visit_id: UUID | None = None) -> ResponseReturnValue:
    """To the doctor's own check, for the session of that visit or of the first in line; and back."""
    with transaction() as session:
        doctor = practitioner_of(session, viewer())
        first = next(iter(queries.line(session, doctor.id)), None)
        encounter = _own(session, visit_id) if visit_id else first
    if encounter is None:
        return redirect(url_for("desk.my_list"), 303)
    back = visit_id or encounter.appointment_id
    return redirect(url_for("desk.own_check", schedule_id=encounter.schedule_id, visit=back), 303)
