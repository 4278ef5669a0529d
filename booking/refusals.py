"""Why a booking is refused, and what to do instead."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class SoldOut(Refused):
    """The period has no free number."""

    code = "sold-out"
    message = N_("All numbers of this period are taken. Another doctor or another period may still have one.")


class NotOpen(Refused):
    """The day can't be booked now: too near, too far, not yet released, or the clinic is stopped."""

    code = "not-open"
    message = N_("This period can't be booked now. Numbers are open %(first)s to %(last)s days ahead.")


class AlreadyHolding(Refused):
    """The child holds a number in this department on this day already."""

    code = "already-holding"
    message = N_("This child already has a number in this department on that day. You find it under My visits.")


class TooLateToCancel(Refused):
    """The deadline for cancelling has passed."""

    code = "too-late-to-cancel"
    message = N_(
        "Cancelling is possible until %(hours)s hours before the visit. If your child is worse, do not wait: go to the "
        "hospital now."
    )


class NotCancellable(Refused):
    """The appointment is over or cancelled already."""

    code = "not-cancellable"
    message = N_("This visit can't be cancelled any more.")
