"""Why something about a parcel is not done, in words for whoever asked."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotThisWay(Refused):
    """The parcel is not in a state for this: somebody else was quicker, or the courier has told of more meanwhile."""

    code = "not-this-way"
    message = N_("This can't be done with the parcel as it is now: look at its state and choose anew.")


class WrongDoorCode(Refused):
    """What the messenger wrote is not what the family was given."""

    code = "wrong-door-code"
    status = 422
    message = N_("This is not the family's code. Ask for the 4 digits on their delivery page.")
