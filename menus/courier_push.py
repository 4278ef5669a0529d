"""POST /courier/routes: the courier tells where parcels are. Believed when verified; written, then answered. A push
that is told again changes nothing, since every step is kept once, so none has to be remembered."""

from __future__ import annotations

import structlog
from flask import Blueprint, Response, jsonify, request

from config.clock import now, real_now
from config.database import transaction
from config.errors import NotFound
from integrations.couriers import Fengqiao, Unverified
from people.audit import record as audit
from prescriptions.delivery import actions
from prescriptions.delivery.couriers import Couriers
from wechat.signin import public

log = structlog.get_logger()

PATH = "/courier/routes"
BODY_BYTES = 256 * 1024


def blueprint(courier: Couriers) -> Blueprint:
    """The one route; its guard is the courier's digest. With a courier that pushes nothing there is no such page."""
    bp = Blueprint("courier", __name__)

    @bp.post(PATH)
    @public
    def routes() -> Response:
        if not isinstance(courier, Fengqiao):
            raise NotFound
        if (request.content_length or 0) > BODY_BYTES:
            return answered("too-long", 413)
        try:
            told = courier.read(request.form.to_dict(), real_now())
        except Unverified as refused:
            log.warning("courier-push-refused", code=refused.code)
            with transaction() as session:
                audit(session, "courier-push", at=now(), entity="delivery", outcome=refused.code)
            return answered(refused.code, 401)
        for one in told:
            with transaction() as session:
                known = actions.hear(session, one, courier.code, now())
            log.info("courier-push", id=str(one.id), known=known)
        return answered()

    return bp


def answered(code: str = "", status: int = 200) -> Response:
    """As the platform wants it; after a failure it comes again."""
    said = {"return_code": "1000", "return_msg": code} if code else {"return_code": "0000", "return_msg": "成功"}
    answer = jsonify(said)
    answer.status_code = status
    return answer
