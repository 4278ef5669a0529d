"""Why a decision against the rules is not taken."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NoReason(Refused):
    """A decision against the rules needs a reason and a few words."""

    code = "no-reason"
    status = 422
    message = N_("Please choose a level and a reason, and write a few words: both are kept in the record.")


class NothingToOverrule(Refused):
    """The answers have changed since the page was opened, or the rules found nothing."""

    code = "nothing-to-overrule"
    message = N_("The answers have changed meanwhile. Please look at them again before you decide.")
