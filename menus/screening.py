"""The questions before a number: how is the child now? A warning sign leads to help instead of a booking."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from booking import actions
from booking.admission import PASSING, Admission, Age, Level, Screen, Text, Unanswered
from booking.refusals import ScreenUnavailable
from booking.screens import result_of
from config.clock import now, today
from config.database import transaction
from config.policy import current
from menus.pages import page
from menus.ways import HOME, way_on
from people.access import patient_of
from people.models import Patient
from wechat.signin import signed_in, viewer

FIELD = "q-"


def blueprint(admission: Admission) -> Blueprint:
    """The pages."""
    bp = Blueprint("screening", __name__)

    @bp.get("/children/<uuid:child_id>/screen")
    @signed_in
    def ask(child_id: UUID) -> ResponseReturnValue:
        child, age = _child(child_id)
        try:
            return _form(child, admission.questions(age))
        except ScreenUnavailable as closed:
            return page("screen_closed.html", status=closed.status)

    @bp.post("/children/<uuid:child_id>/screen")
    @signed_in
    def answer(child_id: UUID) -> ResponseReturnValue:
        child, age = _child(child_id)
        try:
            asked = admission.questions(age)
            answers = answers_to(asked)
            verdict = admission.judge(age, answers)
        except Unanswered as missing:
            return _form(child, asked, missing.ids)
        except ScreenUnavailable as closed:
            return page("screen_closed.html", status=closed.status)
        with transaction() as session:
            at, who = now(), viewer()
            patient = patient_of(session, who, child_id)
            policy = current(session, at)
            kept = actions.keep_answers(session, patient, who.account_id, asked, answers, verdict, at, policy)
        if kept.level in PASSING:
            return redirect(_next(), 303)
        return redirect(url_for(".result", result_id=kept.id, next=_next()), 303)

    @bp.get("/screens/<uuid:result_id>")
    @signed_in
    def result(result_id: UUID) -> ResponseReturnValue:
        with transaction() as session:
            kept = result_of(session, viewer(), result_id)
            child = patient_of(session, viewer(), kept.patient_id)
        if kept.level in PASSING:
            return redirect(_next())
        return page("screen_stop.html", kept=kept, child=child, advice=advice_at(admission, kept.level), next=_next())

    return bp


def _child(child_id: UUID) -> tuple[Patient, Age]:
    with transaction() as session:
        child = patient_of(session, viewer(), child_id)
    return child, Age.of(child.birth_date, today(now()))


def _next() -> str:
    return way_on(request.values.get("next"), HOME.path)


def answers_to(asked: Screen) -> dict[str, bool]:
    """What was sent. "None of these" says no to every question that has no answer; a yes stays a yes."""
    none = {question.id: False for question in asked.questions} if "none" in request.form else {}
    sent = {question.id: request.form.get(FIELD + question.id) for question in asked.questions}
    return none | {id_: answer == "yes" for id_, answer in sent.items() if answer in {"yes", "no"}}


def _form(child: Patient, asked: Screen, missing: Collection[str] = ()) -> ResponseReturnValue:
    typed = {question.id: request.form.get(FIELD + question.id) for question in asked.questions}
    return page(
        "screen.html",
        status=422 if missing else 200,
        child=child,
        today=today(now()),
        questions=asked.questions,
        typed=typed,
        missing=missing,
        next=_next(),
    )


def advice_at(admission: Admission, level: Level) -> tuple[Text, ...]:
    """What to watch; the page says what to do now even when the rules have broken since."""
    try:
        return admission.advice(level)
    except ScreenUnavailable:
        return ()
