"""Why a change of the roster is refused, in the words of those who keep it."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class YearKnown(Refused):
    """Only a year that the public calendar does not know is declared complete."""

    code = "year-known"
    message = N_("The public calendar knows %(year)s already. Enter only the days on which the hospital differs.")


class ExceptionThere(Refused):
    """One of the periods has an exception already: there is one at most."""

    code = "exception-there"
    status = 422
    message = N_("There is an exception for this doctor, day and period already. Revoke it first.")


class NothingToLeave(Refused):
    """A leave or a swap of a period in which the doctor has no clinic."""

    code = "nothing-to-leave"
    status = 422
    message = N_("The doctor has no clinic in that period, so there is nothing to cancel or to move.")


class BothBusy(Refused):
    """A swap with a colleague who has a clinic then."""

    code = "both-busy"
    status = 422
    message = N_("The colleague has a clinic of their own in that period and can't stand in.")


class OtherDepartment(Refused):
    """The doctor works for another department then, whose roster is not changed from here."""

    code = "other-department"
    status = 422
    message = N_("The doctor has a clinic of another department in that period. It has to end there first.")


class DayPast(Refused):
    """An exception for a day that is over."""

    code = "day-past"
    status = 422
    message = N_("That day is over.")


class NotYourDepartment(Refused):
    """A department head keeps the roster of their own department."""

    code = "not-your-department"
    status = 403
    message = N_("You keep the roster of your own department only.")


class Stale(Refused):
    """The roster changed between the preview and the yes."""

    code = "stale"
    message = N_("The roster has changed in the meantime. Please look at the changes again.")
