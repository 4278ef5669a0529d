"""Why a payment is not taken now, in a parent's words."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class PaymentOver(Refused):
    """The time to pay is over, or the payment was closed."""

    code = "payment-over"
    message = N_("The time to pay is over. Nothing was charged; if you did pay, it comes back by itself.")


class AlreadyPaid(Refused):
    """It was paid before."""

    code = "already-paid"
    message = N_("This is paid already. You need do nothing more.")


class GatewayAway(Refused):
    """The gateway can't be reached or refuses."""

    code = "gateway-away"
    status = 503
    message = N_("WeChat Pay can't be reached just now. Nothing was charged. Please try again in a moment.")


class MoreThanLeft(Refused):
    """A refund of more than what is left of the payment."""

    code = "more-than-left"
    message = N_("This is more than what is left of the payment.")


class NotRepeatable(Refused):
    """Only a refund that the gateway has closed can be made again, once."""

    code = "not-repeatable"
    message = N_("Only a refund that WeChat Pay has closed can be made again.")


class NoteMissing(Refused):
    """A difference is settled by somebody who says how."""

    code = "note-missing"
    status = 422
    message = N_("Please say in a few words what was done.")
