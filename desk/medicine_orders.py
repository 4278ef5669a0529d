"""What a pharmacist decides about an order: money back after the work has begun, and packages that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from config.text import N_
from desk.pages import bp, page, say
from people.models import Patient, Role
from prescriptions.orders import deciding, queries
from prescriptions.orders.models import Answer
from prescriptions.orders.refusals import AnswerMissing, NotCancellable, WrongAmount
from prescriptions.stock.queries import lacking
from wechat.signin import member, staff, visitor_locale

CHOOSE = N_("Please choose what goes back.")
LONGEST = 300


@bp.get("/medicine-orders/<uuid:order_id>")
@staff(Role.PHARMACIST)
def decide_order(order_id: UUID) -> ResponseReturnValue:
    return _order(order_id)


def _order(order_id: UUID, problems: Mapping[str, str] | None = None, status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        order = queries.order(session, order_id)
        context = {
            "child": session.get_one(Patient, order.patient_id),
            "lines": queries.lines(session, order_id),
            "work": queries.dispense_of(session, order_id),
            "left": deciding.left_fen(session, order),
            "missing": lacking(session, order_id),
        }
    typed = {name: value[:LONGEST] for name, value in request.form.items()}
    locale = visitor_locale()
    return page(
        "medicine_order.html", status, order=order, problems=problems or {}, typed=typed, locale=locale, **context
    )


@bp.post("/medicine-orders/<uuid:order_id>/answer")
@staff(Role.PHARMACIST)
def answer_order(order_id: UUID) -> ResponseReturnValue:
    """All, a part or nothing goes back, and why."""
    said = next((one for one in Answer if one.value == request.form.get("answer")), None)
    if said is None:
        return _order(order_id, {"answer": say(CHOOSE)}, 422)
    fen = fen_of(request.form.get("amount", "")) if said is Answer.PART else 0
    text = request.form.get("text", "")[:LONGEST]
    try:
        with transaction() as session:
            deciding.answer(session, order_id, said, fen, text, by=member().practitioner, now=now())
    except (AnswerMissing, WrongAmount) as refused:
        return _order(order_id, {refused.field or "text": say(refused.message, **refused.params)}, refused.status)
    except NotCancellable:
        pass  # somebody was quicker: the page says what was decided
    return redirect(url_for("desk.decide_order", order_id=order_id), 303)


def fen_of(text: str) -> int:
    """An amount in yuan as somebody writes it, in fen; 0 for what is none."""
    whole, _, part = text.strip().removeprefix("¥").replace("，", "").partition(".")
    digits = whole + part.ljust(2, "0")
    return int(digits) if whole and len(part) <= 2 and digits.isascii() and digits.isdigit() and len(digits) < 10 else 0


@bp.post("/medicine-orders/<uuid:order_id>/refill")
@staff(Role.PHARMACIST)
def refill_order(order_id: UUID) -> ResponseReturnValue:
    """Keep back what has come since."""
    with transaction() as session:
        deciding.refill(session, order_id, now())
    return redirect(url_for("desk.decide_order", order_id=order_id), 303)


@bp.post("/medicine-orders/<uuid:order_id>/end")
@staff(Role.PHARMACIST)
def end_order(order_id: UUID) -> ResponseReturnValue:
    """What is missing will not come: all the money goes back."""
    with transaction() as session:
        deciding.give_up(session, order_id, by=member().practitioner, now=now())
    return redirect(url_for("desk.decide_order", order_id=order_id), 303)
