"""Why what a family tells is not taken, and what to do instead."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class IntakeClosed(Refused):
    """The doctor has called, or the visit is over or was cancelled: the answers stay as they are."""

    code = "intake-closed"
    message = N_(
        "The doctor has begun, or this visit is over, so these answers can't be changed. Tell the doctor what is new."
    )


class IntakeIncomplete(Refused):
    """Something needed was not answered, or can't be accepted."""

    code = "intake-incomplete"
    status = 422
    message = N_("Some answers are still missing. “Not sure” is an answer too.")
