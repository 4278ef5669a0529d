"""What the family told before a visit, at the desk: warning signs first, then what the doctor needs, compactly; and the
doctor's own decision against the rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.admission import PASSING, Level, Text
from booking.screens import results as screens
from config.clock import now, today
from config.database import transaction
from config.errors import NotFound
from consultation.encounters.rooms import seat
from consultation.growth import z_score
from consultation.intake.answers import UNSURE
from consultation.intake.queries import Told, told, versions, weights
from consultation.intake.questionnaire import BrokenQuestionnaire, Item, Type
from consultation.intake.weights import Weight, kilograms
from consultation.intake.words import spoken
from consultation.queries import pictures
from consultation.triage import actions, queries
from consultation.triage.models import OverruleReason, TriageResult
from consultation.triage.rules import BrokenRules
from desk.pages import bp, page
from desk.visit import Here, Part
from people import tasks
from people.access import practitioner_of
from people.audit import record as audit
from people.models import Patient, Role
from wechat.signin import member, staff, viewer, visitor_locale

CONTACTS = "contacts"  # the step with the epidemiological history
STRONG = ("allergic", "allergies")  # what is set in strong type when it was answered with more than no


@dataclass(frozen=True)
class Weighed:
    """A weight with the WHO's z-value on its day (None: from ten years on)."""

    kg: str
    on: date
    z: float | None


def values(here: Here) -> dict[str, Any] | None:
    """What the part shows."""
    try:
        found = told(here.session, here.visit, here.now)
    except BrokenQuestionnaire:
        return {"broken": True}
    appointment = here.visit.appointment
    screen = (
        screens(here.session, {appointment.screen_id}).get(appointment.screen_id) if appointment.screen_id else None
    )
    changes = versions(here.session, appointment.id)
    return {
        "told": found,
        "judged": judged(here.session, appointment.id),
        "screen": screen,
        "answers": _lines(found),
        **_contacts(found),
        "no": _labels(found, False),
        "unsure": _labels(found, UNSURE),
        "missing": [
            item.label.model_dump() for item in found.questions.questions() if item.linkId in found.reading.missing
        ],
        "weights": weighed(weights(here.session, here.visit.patient.id), here.visit.patient),
        "fresh": found.about.weight_known or found.reading.weight_g is not None,
        "pictures": len(pictures(here.session, here.visit)),
        "changed": changes[-1].at if changes else None,
        "reasons": list(OverruleReason),
        "levels": list(Level),
        "today": today(here.now),
    }


PART = Part("main", "desk/intake.html", values)


def judged(session: Session, visit_id: UUID) -> dict[str, Any] | None:
    """What the rules found, the level that counts, and what the doctor decided; None while nothing was judged."""
    result = queries.latest(session, visit_id)
    if result is None:
        return None
    against = queries.overrule(session, result.id)
    return {
        "result": result,
        "level": against.level if against else result.level,
        "against": against,
        "stop": result.level not in PASSING,
        "signs": _texts(result.held),
        "taken_back": _texts(result.taken_back),
        "unknown": _texts(result.unknown),
        "earlier": _decided(session, visit_id, result),
    }


def _decided(session: Session, visit_id: UUID, result: TriageResult) -> bool:
    """Whether a doctor decided about earlier answers, which have changed since."""
    return any(
        queries.overrule(session, other.id) for other in queries.results(session, visit_id) if other is not result
    )


def _texts(rule_ids: list[str]) -> list[Text]:
    """The rules in words; one that the file has no more by its id."""
    try:
        rules = actions.rules()
    except BrokenRules:
        return [{"zh_CN": id_, "en": id_} for id_ in rule_ids]
    known = [(id_, rules.rule_of(id_)) for id_ in rule_ids]
    return [rule.text.model_dump() if rule and rule.text else {"zh_CN": id_, "en": id_} for id_, rule in known]


def _lines(found: Told) -> list[tuple[Text, str, bool]]:
    """What was answered with more than no: label, words, whether it is set in strong type."""
    lines: list[tuple[Text, str, bool]] = []
    answers, apart = found.reading.answers, _apart(found)
    answered = [item for item in found.questions.questions() if answers.get(item.linkId) not in (None, False, UNSURE)]
    told_by = {
        item.enableWhen[0].question for item in answered if len(item.enableWhen) == 1
    }  # said by what hangs on it
    for item in answered:
        value = answers[item.linkId]
        if item.linkId in apart or item.type is Type.QUANTITY or (value is True and item.linkId in told_by):
            continue
        text = spoken(item, value, visitor_locale()) or ""
        lines.append((item.label.model_dump(), text, item.linkId in STRONG))
    return lines


def _apart(found: Told) -> frozenset[str]:
    """The questions of the epidemiological history, which has a line of its own: the doctor asks it again."""
    step = found.questions.step(CONTACTS)
    return frozenset(item.linkId for item in step.item) if step else frozenset()


def _contacts(found: Told) -> dict[str, Any]:
    step, answers = found.questions.step(CONTACTS), found.reading.answers
    items = [item for item in step.item if found.reading.asked[item.linkId]] if step else []
    return {
        "contacts": [item.label.model_dump() for item in items if answers.get(item.linkId) is True],
        "contact_which": "; ".join(
            answers[item.linkId]
            for item in items
            if isinstance(answers.get(item.linkId), str) and item.type is Type.STRING
        ),
        "contacts_open": any(item.required and answers.get(item.linkId) in (None, UNSURE) for item in items),
    }


def _labels(found: Told, answer: bool | str) -> list[Text]:
    def given(item: Item) -> bool:
        value = found.reading.answers.get(item.linkId)
        return isinstance(value, type(answer)) and value == answer

    apart = _apart(found)
    return [
        item.label.model_dump()
        for item in found.questions.questions()
        if given(item) and (item.linkId not in apart or answer == UNSURE)
    ]


def weighed(found: list[Weight], patient: Patient) -> list[Weighed]:
    """The child's weights, the newest first, with their z-values."""
    return [
        Weighed(
            kilograms(one.grams),
            one.measured_on,
            z_score(patient.sex, (one.measured_on - patient.birth_date).days, one.grams),
        )
        for one in reversed(found)
    ]


@bp.post("/visits/<uuid:visit_id>/triage")
@staff(Role.DOCTOR)
def overrule(visit_id: UUID) -> ResponseReturnValue:
    """The doctor of the visit decides otherwise than the rules; level, reason and words are kept."""
    form = request.form
    with transaction() as session:
        at, who = now(), viewer()
        if not seat(session, who, visit_id).is_doctor:
            raise NotFound
        doctor = practitioner_of(session, who)
        actions.overrule(
            session, bookings.visit(session, visit_id), doctor.id, form.get("result", ""), form.get("level", ""),
            form.get("reason", ""), form.get("text", ""), at,
        )  # fmt: skip
    return redirect(url_for("desk.visit", visit_id=visit_id) + "#told", 303)


@bp.get("/triage/<uuid:visit_id>")
@staff(Role.TEAM_LEAD)
def team_alert(visit_id: UUID) -> ResponseReturnValue:
    """For the team lead, while the task is open: about whom the warning signs are, and which."""
    with transaction() as session:
        task = tasks.about(session, member(), actions.TEAM_TASK, visit_id)
        visit = bookings.visit(session, visit_id)
        found = judged(session, visit_id)
        by = viewer().account_id
        audit(session, "see-triage", at=now(), entity="appointment", entity_id=visit_id, account_id=by)
    return page("triage.html", task=task, visit=visit, judged=found, note=tasks.NOTE)
