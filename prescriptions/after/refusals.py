"""Why something after a prescription is refused, in a parent's words."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NoReminders(Refused):
    """The prescription is not good any more, or its course is over."""

    code = "no-reminders"
    message = N_("There is nothing left to remind you of: the prescription is not in force, or its days are over.")


class TimesTooClose(Refused):
    """Two times of a medicine are closer together than it may be given."""

    code = "times-too-close"
    status = 422
    message = N_("Leave at least %(hours)s hours between two times, over the night too.")


class TooManyTimes(Refused):
    """More times a day than the doctor prescribed."""

    code = "too-many-times"
    status = 422
    message = N_("The doctor prescribed it %(times)s times a day: take one time out.")


class TimeUnreadable(Refused):
    """Not a time of the day."""

    code = "time-unreadable"
    status = 422
    message = N_("Please write each time like 08:00.")


class CourseOpen(Refused):
    """Nobody has been asked yet."""

    code = "course-open"
    message = N_("We ask you how your child is once the days of the prescription are over.")


class SignMissing(Refused):
    """A reaction without a sign, or with one that is not in the list."""

    code = "sign-missing"
    status = 422
    message = N_("Please tap at least one of these.")


class MedicineUnknown(Refused):
    """A medicine that is not on the prescription."""

    code = "medicine-unknown"
    status = 422
    message = N_("Please choose one of the medicines.")


class BeganUnreadable(Refused):
    """No moment, one to come, or one before the medicine was prescribed."""

    code = "began-unreadable"
    status = 422
    message = N_("Please say when it began: after it was prescribed, and not later than now.")


class WordsMissing(Refused):
    """Something else, but not what."""

    code = "words-missing"
    status = 422
    message = N_("Please say in a few words what it is.")


class ReactionClosed(Refused):
    """Nothing is added to it any more."""

    code = "reaction-closed"
    message = N_("This report was closed. Report it anew if there is more.")


class LookUnreadable(Refused):
    """No day to look again, or one that is past."""

    code = "look-unreadable"
    status = 422
    message = N_("Please choose the day on which you look again: today at the earliest.")


class NoteMissing(Refused):
    """A note needs a few words."""

    code = "note-missing"
    status = 422
    message = N_("Please write what you found or did.")


class OutcomeMissing(Refused):
    """An outcome, or how likely the medicine was the cause, is not chosen."""

    code = "outcome-missing"
    status = 422
    message = N_("Please choose one of these.")
