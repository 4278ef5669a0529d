"""What I have paid and what came back: a list, and a receipt for each payment."""

from __future__ import annotations

from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from config.database import transaction
from config.ids import parse_id
from menus.pages import bp, page
from menus.ways import HELP
from payments import queries
from payments.reasons import reason_text
from wechat.signin import signed_in, viewer


@bp.get("/payments")
@signed_in
def payments() -> ResponseReturnValue:
    with transaction() as session:
        found = queries.receipts(session, viewer(), parse_id(request.args.get("before", "")))
    more = found[-1].payment.id if len(found) == queries.RECEIPTS else None
    return page("payments.html", tab=HELP, receipts=found, more=more)


@bp.get("/payments/<uuid:payment_id>")
@signed_in
def payment(payment_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = queries.receipt(session, viewer(), payment_id)
    return page("payment.html", tab=HELP, receipt=found, payment=found.payment, reason_text=reason_text)
