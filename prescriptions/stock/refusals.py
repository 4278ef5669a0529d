"""Why the stock does not do what was asked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from config.errors import Refused
from config.text import N_


class OutOfStock(Refused):
    """There are not enough packages that stay good for long enough; ``medications`` says of which products."""

    code = "out-of-stock"
    message = N_(
        "The pharmacy does not have all of it at the moment, so picking it up is not possible either. Please ask your "
        "doctor for another medicine, or take the paper prescription to another pharmacy."
    )

    def __init__(self, medications: Collection[UUID]) -> None:
        super().__init__()
        self.medications = frozenset(medications)


class OtherExpiry(Refused):
    """The lot is there already, with another expiry."""

    code = "other-expiry"
    status = 422
    message = N_("This lot is there already, with the expiry %(day)s. Please compare it with the package.")

    def __init__(self, day: date) -> None:
        super().__init__(field="expires_on", day=day.isoformat())


class Expired(Refused):
    """A lot whose time is over is not received."""

    code = "lot-expired"
    status = 422
    message = N_("This lot has expired. It can't be received.")

    def __init__(self) -> None:
        super().__init__(field="expires_on")


class Recalled(Refused):
    """A recalled lot is neither received nor given out, and not recalled twice."""

    code = "lot-recalled"
    message = N_("This lot has been recalled.")

    def __init__(self) -> None:
        super().__init__(field="number")


class BelowReserved(Refused):
    """More would be taken away than is free."""

    code = "below-reserved"
    status = 422
    message = N_("Only %(free)s packages of this lot are free; the others are reserved for orders.")

    def __init__(self, free: int) -> None:
        super().__init__(field="quantity", free=free)


class DeliveryChanged(Refused):
    """What a file would bring is not what was shown."""

    code = "delivery-changed"
    message = N_("What this file would bring has changed in the meantime. Please look at it again.")


class NotReserved(Refused):
    """What is given out must be what was kept back for this line."""

    code = "not-reserved"
    message = N_("So many packages of this lot are not reserved for this order. Please pick again.")


class NotUsable(Refused):
    """The lot can't be given for this course."""

    code = "lot-not-usable"
    message = N_("This lot can't be given for this course: it has been recalled, or expires too early.")
