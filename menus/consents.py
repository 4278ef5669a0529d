"""The consents: read, agreed to or refused, asked once per version before the first binding."""

from __future__ import annotations

from flask import redirect, request
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.text import N_
from menus.pages import bp, locale, page
from menus.ways import CHILDREN, way_on
from people import consents
from people.models import ConsentKind, Decision
from wechat.signin import signed_in, viewer

BIND = "/children/bind"


@bp.get("/consents")
@signed_in
def consent() -> ResponseReturnValue:
    with transaction() as session:
        given = consents.decisions(session, viewer().account_id)
    return _form(dict(given), {})


@bp.post("/consents")
@signed_in
def decide() -> ResponseReturnValue:
    who = viewer()
    answers = _answers()
    missing = [text.kind for text in consents.texts() if text.kind not in answers]
    if missing:
        problem = N_("Please choose: agree or do not agree.")
        return _form(answers, dict.fromkeys(missing, problem), status=422)
    with transaction() as session:
        for kind, decision in answers.items():
            consents.decide(session, who.account_id, kind, decision, locale=locale(), now=now())
    if consents.passes(answers):
        return redirect(way_on(request.form.get("next"), BIND), 303)
    refused = [text for text in consents.texts() if text.required and answers[text.kind] is Decision.DENY]
    return page("refused_consent.html", tab=CHILDREN, refused=refused)


def _answers() -> dict[ConsentKind, Decision]:
    answers = {}
    for text in consents.texts():
        try:
            answers[text.kind] = Decision(request.form.get(text.kind, ""))
        except ValueError:
            continue
    return answers


def _form(
    answers: dict[ConsentKind, Decision], problems: dict[ConsentKind, str], status: int = 200
) -> ResponseReturnValue:
    next_path = way_on(request.values.get("next"), BIND)
    return page(
        "consents.html",
        tab=CHILDREN,
        status=status,
        texts=consents.texts(),
        answers=answers,
        problems=problems,
        next=next_path,
    )
