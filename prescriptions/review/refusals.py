"""Why a review is not taken, in the pharmacist's words."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class OwnPrescription(Refused):
    """Who reviews is never who prescribed."""

    code = "own-prescription"
    status = 403
    message = N_("You wrote this prescription: a colleague has to review it.")


class Decided(Refused):
    """Somebody has decided already, it was taken back, or its time is over."""

    code = "decided"
    message = N_("This prescription does not wait for a review any more.")


class StillBlocked(Refused):
    """The rules find something now that forbids it."""

    code = "still-blocked"
    status = 422
    message = N_("It can't be accepted: the rules forbid it now. See what is marked with “stop”.")


class ReasonsNeeded(Refused):
    """A rejection says what and why."""

    code = "reasons-needed"
    status = 422
    message = N_("Please choose at least one reason, and write in a few words what is to be changed.")


class NothingAsked(Refused):
    """A question has a text."""

    code = "nothing-asked"
    status = 422
    message = N_("Please write the question.")
