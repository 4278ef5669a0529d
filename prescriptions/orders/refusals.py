"""Why medicines can't be ordered, or an order not ended, in a parent's words."""

from __future__ import annotations

from uuid import UUID

from config.errors import Refused
from config.text import N_


class NotOrderable(Refused):
    """The prescription is not approved, or its time is over."""

    code = "not-orderable"
    message = N_(
        "This prescription can't be ordered any more: it is good for a short time only. Please ask the doctor for a "
        "new one; nothing was charged."
    )


class AlreadyOrdered(Refused):
    """There is an order for it; ``order_id`` is that one."""

    code = "already-ordered"
    message = N_("The medicines of this prescription have been ordered already.")

    def __init__(self, order_id: UUID) -> None:
        super().__init__()
        self.order_id = order_id


class OutOfArea(Refused):
    """Nothing is delivered there."""

    code = "out-of-area"
    status = 422
    message = N_("We do not deliver to this address. Please choose another one, or pick the medicines up.")

    def __init__(self) -> None:
        super().__init__(field="way")


class PickupOnly(Refused):
    """Something has to stay cold."""

    code = "pickup-only"
    status = 422
    message = N_("One of the medicines has to stay cold and can't be sent. Please pick it up at the hospital.")

    def __init__(self) -> None:
        super().__init__(field="way")


class QuoteChanged(Refused):
    """Price, fee or time are not what was shown."""

    code = "quote-changed"
    message = N_("Price or time have changed in the meantime. Please look at them again.")


class NoPaying(Refused):
    """This clinic takes no money over WeChat (its settings say so)."""

    code = "no-payment"
    status = 503
    message = N_("Paying is not possible at the moment, so medicines can't be ordered here. Please call us.")


class NotTheirs(Refused):
    """Another guardian has ordered."""

    code = "order-not-yours"
    status = 403
    message = N_("Another guardian has made this order. Only that person can pay or cancel it.")


class DispensingBegun(Refused):
    """The pharmacy is at work on it."""

    code = "dispensing-begun"
    message = N_(
        "The pharmacy has begun to prepare these medicines. You can still ask for the money back: a pharmacist decides."
    )


class NotCancellable(Refused):
    """It has ended already."""

    code = "order-over"
    message = N_("This order has ended already.")


class AlreadyAsked(Refused):
    """The pharmacist was asked, or has answered."""

    code = "refund-asked"
    message = N_("You have asked already. The pharmacist's answer comes as a message.")


class AnswerMissing(Refused):
    """An answer says how much and why."""

    code = "answer-missing"
    status = 422
    message = N_("Please say in a few words why.")

    def __init__(self) -> None:
        super().__init__(field="text")


class WrongAmount(Refused):
    """More than what is left, or nothing."""

    code = "wrong-amount"
    status = 422
    message = N_("Please enter an amount in yuan, more than nothing and at most %(left)s.")

    def __init__(self, left: str) -> None:
        super().__init__(field="amount", left=left)


class TooManyAddresses(Refused):
    """The address book is full."""

    code = "too-many-addresses"
    message = N_("You have %(most)s addresses already. Please remove one first.")
