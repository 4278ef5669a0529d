"""WeChat's cashier, whatever is paid for: what opens it, whether the money has come, and an order that is given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import structlog
from flask import jsonify
from flask.typing import ResponseReturnValue

from config.clock import now
from menus.pages import say
from payments import collecting
from payments.gateway import Gateway, GatewayError, TradeState

log = structlog.get_logger()


def parameters(gateway: Gateway, payment_id: UUID, try_again: str) -> ResponseReturnValue:
    """What opens the cashier; ``try_again`` (an English msgid) when WeChat Pay does not answer. No transaction may be
    open."""
    try:
        made = collecting.checkout(gateway, payment_id, now())
    except GatewayError as error:
        log.warning("checkout-failed", code=error.code)
        return jsonify(message=say(try_again)), 503
    return jsonify(status="pending", parameters=made.parameters)


def called(gateway: Gateway | None, what: Callable[[Gateway, UUID, datetime], TradeState], payment_id: UUID) -> bool:
    """Ask WeChat Pay about an order, or close it (payments/collecting); whether it answered. No transaction may be
    open."""
    if gateway is None:
        return True
    try:
        what(gateway, payment_id, now())
    except GatewayError as error:
        log.warning("gateway-failed", code=error.code)  # the notice, or the sweep, will tell
        return False
    return True


def told(status: str) -> ResponseReturnValue:
    """What became of it, for the page that waits."""
    answer = jsonify(status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
