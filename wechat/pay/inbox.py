"""POST /pay/notify: WeChat Pay tells us of payments and refunds. Believed when verified; written, then answered."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, request

from config.clock import now, real_now
from config.database import transaction
from config.errors import NotFound
from payments import actions, gateway
from people.audit import record as audit
from wechat.pay.notify import NOTIFY_PATH, Notice, Notices
from wechat.pay.signing import Unverified
from wechat.signin import public

log = structlog.get_logger()

BODY_BYTES = 64 * 1024
NOT_AUDITED = frozenset({"probe", "unsigned"})  # WeChat Pay's own tests, and anybody who merely knocks


def blueprint(notices: Notices | None) -> Blueprint:
    """The one route; ``notices`` reads what comes. None: nothing can be paid, and nobody has anything to tell."""
    inbox = Blueprint("pay", __name__)

    @inbox.post(NOTIFY_PATH)
    @public
    def told() -> Response:
        if notices is None:
            raise NotFound
        body = request.stream.read(BODY_BYTES + 1)
        if len(body) > BODY_BYTES:
            return refused("too-long", 413)
        try:
            notice = notices.read(dict(request.headers), body, real_now())
        except Unverified as error:
            log.warning("pay-notice-refused", code=error.code)
            if error.code not in NOT_AUDITED:
                with transaction() as session:
                    audit(session, "pay-notice", at=now(), entity="payment", outcome=error.code)
            return refused(error.code, 401)
        take_in(notice)
        return Response(status=204)

    return inbox


def take_in(notice: Notice) -> None:
    """Write what a verified notice says. Told twice, nothing happens twice."""
    with transaction() as session:
        if isinstance(notice.about, gateway.Payment):
            known: object = actions.settle(session, notice.about, now())
        else:
            known = actions.refund_result(session, notice.about, now())
    log.info("pay-notice", id=notice.id, kind=notice.kind, number=notice.about.number, known=known is not None)


def refused(code: str, status: int) -> Response:
    """As WeChat Pay wants a failure: it comes again later."""
    return Response(f'{{"code": "FAIL", "message": "{code}"}}', status, content_type="application/json")
