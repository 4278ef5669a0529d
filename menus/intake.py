"""Telling the doctor before the visit: a few short steps, each kept as typed, a look at all of it, and what to do now
when the answers hold a warning sign."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from flask import Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from booking import queries as bookings
from booking.admission import PASSING, Level
from booking.queries import Visit
from config.clock import local, now, today
from config.database import transaction
from config.errors import NotFound, Refused
from config.policy import Policy, current
from config.text import N_
from consultation.intake import actions
from consultation.intake.queries import Told, told
from consultation.intake.questionnaire import BrokenQuestionnaire, Item
from consultation.intake.refusals import IntakeClosed, IntakeIncomplete
from consultation.queries import pictures
from consultation.rules import may_add
from consultation.triage import actions as triage
from consultation.triage import queries as results
from consultation.triage.rules import BrokenRules
from menus.changing import standing
from menus.intake_page import questions_of, said
from menus.pages import bp, lead_back, page
from menus.room import Here, Part
from menus.ways import VISITS
from wechat.signin import signed_in, viewer

log = structlog.get_logger()
STRICT = tuple(level for level in Level if level not in PASSING)


class IntakeUnavailable(Refused):
    """The hospital's questions can't be read: the visit takes place all the same."""

    code = "intake-unavailable"
    status = 503
    message = N_("The questions can't be shown at the moment. The doctor will ask you at the visit.")


@bp.get("/visits/<uuid:visit_id>/intake")
@signed_in
def intake(visit_id: UUID) -> ResponseReturnValue:
    """To the first step that still needs an answer, else to the look at all of it."""
    _, found, _ = _found(visit_id)
    open_step = next((step for step in found.questions.item if _open(found, step)), None)
    if open_step is None or found.done:
        return redirect(url_for(".intake_review", visit_id=visit_id))
    return redirect(url_for(".intake_step", visit_id=visit_id, step=open_step.linkId))


@bp.get("/visits/<uuid:visit_id>/intake/<step>")
@signed_in
def intake_step(visit_id: UUID, step: str) -> ResponseReturnValue:
    return _step_page(visit_id, step)


@bp.post("/visits/<uuid:visit_id>/intake/<step>")
@signed_in
def answer_step(visit_id: UUID, step: str) -> ResponseReturnValue:
    """Keep a step as it was typed, then go where the button says: on, back, one more row, or nowhere (``leave``)."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    who, at = viewer(), now()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        policy = current(session, at, visit.department.code)
        try:
            before = told(session, visit, at, policy)
            item = _item(before, step)
            sent = _sent(item, request.form)
            after = actions.save(session, visit, who.account_id, item, sent, at, policy)
            strict = judged(session, visit, at, f"account:{who.account_id}")
        except BrokenQuestionnaire as broken:
            raise _unavailable(broken) from broken
    if "leave" in request.form:
        return Response(status=204)
    if strict:
        return redirect(url_for(".intake_now", visit_id=visit_id, then=step), 303)
    return _on(visit_id, before, after, item)


def _on(visit_id: UUID, before: Told, after: Told, item: Item) -> ResponseReturnValue:
    """The next page. A step with something that can't be accepted, or with newly asked questions, is shown again."""
    steps = [step.linkId for step in after.questions.item]
    place = steps.index(item.linkId)
    if row := request.form.get("add"):
        return redirect(url_for(".intake_step", visit_id=visit_id, step=item.linkId, add=row) + f"#{row}", 303)
    if "back" in request.form:
        return redirect(url_for(".intake_step", visit_id=visit_id, step=steps[max(place - 1, 0)]), 303)
    inside = {inner.linkId for inner in item.item}
    fields = inside | {row.linkId for inner in item.item for row in inner.item}
    if any(name.partition(".")[0] in fields for name in after.reading.problems):
        return _step_page(visit_id, item.linkId, status=422)
    fresh = {id_ for id_ in inside if after.reading.asked[id_] and not before.reading.asked[id_]}
    if fresh & set(after.reading.missing) and "shown" not in request.form:
        return redirect(url_for(".intake_step", visit_id=visit_id, step=item.linkId, more=1), 303)
    if place + 1 == len(steps) or "review" in request.form:
        return redirect(url_for(".intake_review", visit_id=visit_id), 303)
    return redirect(url_for(".intake_step", visit_id=visit_id, step=steps[place + 1]), 303)


@bp.get("/visits/<uuid:visit_id>/intake/review")
@signed_in
def intake_review(visit_id: UUID) -> ResponseReturnValue:
    return _review_page(visit_id)


@bp.post("/visits/<uuid:visit_id>/intake/review")
@signed_in
def finish_intake(visit_id: UUID) -> ResponseReturnValue:
    """The family says that this is all."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    who, at = viewer(), now()
    try:
        with transaction() as session:
            visit = bookings.visit_of(session, who, visit_id)
            actions.complete(session, visit, who.account_id, at, current(session, at, visit.department.code))
            strict = judged(session, visit, at, f"account:{who.account_id}")
    except IntakeIncomplete as incomplete:
        return _review_page(visit_id, incomplete)
    except BrokenQuestionnaire as broken:
        raise _unavailable(broken) from broken
    return redirect(url_for(".intake_now" if strict else ".visit", visit_id=visit_id), 303)


@bp.get("/visits/<uuid:visit_id>/intake/now")
@signed_in
def intake_now(visit_id: UUID) -> ResponseReturnValue:
    """What to do at once, as long as the answers hold a warning sign that an online visit can't wait for."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    at, who = now(), viewer()
    with transaction() as session:
        visit = bookings.visit_of(session, who, visit_id)
        result = results.latest(session, visit_id)
        shown = warning(session, visit)
        may = standing(visit, at, current(session, at, visit.department.code))
    if shown is None or result is None:
        return redirect(url_for(".visit", visit_id=visit_id))
    then = request.args.get("then", "")
    return page("intake_now.html", tab=VISITS, visit=visit, warning=shown, then=then, **may)


def warning(session: Session, visit: Visit) -> dict[str, Any] | None:
    """What the visit's pages say of warning signs in the answers; None without, or when the doctor decided else."""
    found, level = results.latest(session, visit.appointment.id), results.level(session, visit.appointment.id)
    if found is None or level not in STRICT:
        return None
    try:
        rules = triage.rules()
    except BrokenRules:
        return {"level": level, "signs": [], "advice": []}
    signs = [rule.text.model_dump() for id_ in found.held if (rule := rules.rule_of(id_)) and rule.text]
    advice = [line.model_dump() for advice in rules.advice if advice.level is level for line in advice.lines]
    return {"level": level, "signs": signs, "advice": advice}


def told_of(session: Session, visit: Visit, at: datetime, policy: Policy) -> dict[str, Any]:
    """What the visit's page says of the intake: ``intake`` is ``open`` (to be told), ``done``, or None (no more)."""
    try:
        found = told(session, visit, at, policy)
    except BrokenQuestionnaire as broken:
        log.error("intake-broken", why=str(broken))
        return {"intake": None, "intake_begun": False, "warning": None}
    state = None
    if actions.is_open(session, visit, at):
        state = "done" if found.done else "open"
    return {"intake": state, "intake_begun": found.response is not None, "warning": warning(session, visit)}


def part(here: Here) -> dict[str, Any] | None:
    """The part of the room's page: until the doctor calls."""
    policy = current(here.session, here.now, here.visit.department.code)
    found = told_of(here.session, here.visit, here.now, policy)
    called = here.encounter is not None and here.encounter.called_at is not None
    return found | {"called": called} if found["intake"] else None


def warning_part(here: Here) -> dict[str, Any] | None:
    """Warning signs, before everything else on the room's page, as long as the answers can be changed."""
    found = warning(here.session, here.visit) if actions.is_open(here.session, here.visit, here.now) else None
    return {"warning": found} if found else None


PART = Part("menus/intake_part.html", part)
WARNING = Part("menus/intake_part_warning.html", warning_part)


def judged(session: Session, visit: Visit, at: datetime, by: str) -> bool:
    """Run the rules; whether something new was found that has to be shown at once. Raises BrokenQuestionnaire."""
    before = results.latest(session, visit.appointment.id)
    after = triage.run(session, visit, at, by)
    new = set(after.held) - set(before.held if before else ())
    return after.level in STRICT and after is not before and bool(new)


def _found(visit_id: UUID) -> tuple[Visit, Told, dict[str, Any]]:
    """The visit, what was told, and what else the pages show. Raises NotFound, IntakeClosed, IntakeUnavailable."""
    lead_back(f"/visits/{visit_id}", N_("Back to the visit"))
    at = now()
    with transaction() as session:
        visit = bookings.visit_of(session, viewer(), visit_id)
        policy = current(session, at, visit.department.code)
        try:
            found = told(session, visit, at, policy)
        except BrokenQuestionnaire as broken:
            raise _unavailable(broken) from broken
        if not actions.is_open(session, visit, at):
            raise IntakeClosed
        album = pictures(session, visit)
        left = max(policy.pictures_per_visit - len(album), 0) if may_add(visit, at) else 0
    return visit, found, {"pictures": album, "pictures_left": left}


def _unavailable(broken: BrokenQuestionnaire) -> IntakeUnavailable:
    log.error("intake-broken", why=str(broken))
    return IntakeUnavailable()


def _item(found: Told, step: str) -> Item:
    item = found.questions.step(step)
    if item is None:
        raise NotFound
    return item


def _open(found: Told, step: Item) -> bool:
    """Whether a step still needs something."""
    ids = {item.linkId for item in step.item}
    return bool(ids & set(found.reading.missing)) or any(
        name.partition(".")[0] in ids for name in found.reading.problems
    )


def _sent(step: Item, form: MultiDict[str, str]) -> dict[str, list[str]]:
    """The fields as sent. "No to all the others" says no to each yes-or-no question that has no answer."""
    sent = {name: form.getlist(name) for name in form}
    if "none" in form and step.none:
        for item in step.item:
            if item.type == "boolean" and not item.enableWhen:
                sent.setdefault(item.linkId, ["no"])
    return sent


def _step_page(visit_id: UUID, step: str, status: int = 200) -> ResponseReturnValue:
    visit, found, album = _found(visit_id)
    item = _item(found, step)
    steps = [step.linkId for step in found.questions.item]
    return page(
        "intake_step.html",
        status=status,
        tab=VISITS,
        visit=visit,
        step=item,
        questions=questions_of(found, item, extra=request.args.get("add")),
        place=steps.index(step),
        steps=steps,
        more="more" in request.args,
        bad=status == 422,
        before=found.before,
        known=found.about.weight_known,
        at=f"{local(found.about.now):%Y-%m-%dT%H:%M}",
        today=today(found.about.now).isoformat(),
        **album,
    )


def _review_page(visit_id: UUID, refused: IntakeIncomplete | None = None) -> ResponseReturnValue:
    visit, found, album = _found(visit_id)
    return page(
        "intake_review.html",
        status=refused.status if refused else 200,
        tab=VISITS,
        visit=visit,
        refused=refused,
        steps=[(step, said(found, step)) for step in found.questions.item],
        missing=set(found.reading.missing),
        problems={name.partition(".")[0] for name in found.reading.problems},
        done=found.done,
        before=found.before if found.about.weight_known and found.reading.weight_g is None else None,
        **album,
    )
