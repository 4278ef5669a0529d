"""Why something in the line is refused, in words for a parent or a doctor."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class CheckInClosed(Refused):
    """Too early, or the period is over, or the visit will not take place."""

    code = "check-in-closed"
    message = N_("You can check in from %(first)s until %(last)s on the day of the visit.")


class RecordingRefused(Refused):
    """The guardian who checks in does not agree to be recorded, as a visit by video is."""

    code = "recording-refused"
    message = N_(
        "Video visits are recorded, and you have not agreed to that. Please change your answer, let the other guardian "
        "check in, or come to the hospital."
    )


class VisitBegun(Refused):
    """What can only be done before the visit."""

    code = "visit-begun"
    message = N_("This visit has begun already, so that can't be done any more.")


class VisitOver(Refused):
    """What can only be done while the visit is not over."""

    code = "visit-over"
    message = N_("This visit is over.")


class NotCalled(Refused):
    """The family joins, or a call is taken back, when nobody calls."""

    code = "not-called"
    message = N_("The call is over. You keep a place in the line; the page says which.")


class NobodyWaiting(Refused):
    """There is nobody to call."""

    code = "nobody-waiting"
    message = N_("Nobody waits at the moment.")


class NotWaiting(Refused):
    """The child is not in the line (any more)."""

    code = "not-waiting"
    message = N_("This child is not in the line.")


class StillBusy(Refused):
    """One child at a time."""

    code = "still-busy"
    message = N_("Another child is in the room or being called. Finish first, or keep that visit open by hand.")


class CheckNeeded(Refused):
    """The doctor's own real-name check comes before the session (internet diagnosis supervision rules 2022)."""

    code = "check-needed"
    message = N_("Confirm who you are first: once before each session.")


class SignInAgain(Refused):
    """The sign-in through WeChat is too old to say who this is."""

    code = "sign-in-again"
    message = N_("Sign in anew through WeChat, then enter your PIN.")


class PinWrong(Refused):
    """A wrong PIN."""

    code = "pin-wrong"
    status = 422
    message = N_("That is not your PIN. %(left)s tries are left.")


class PinLocked(Refused):
    """Too many wrong PINs."""

    code = "pin-locked"
    status = 429
    message = N_("Too many wrong tries. Try again from %(until)s on.")


class PinWeak(Refused):
    """A PIN that anybody would guess, or typed differently the second time."""

    code = "pin-weak"
    status = 422
    message = N_("Choose six digits, twice the same, not all alike and not in a row.")


class DoctorNotThere(Refused):
    """A child is handed over only to a doctor of the department who is there."""

    code = "doctor-not-there"
    message = N_("That doctor is not there now. Choose another one.")


class HandoverOver(Refused):
    """The question was answered or taken back."""

    code = "handover-over"
    message = N_("This question is no longer open.")


class WentThroughRoom(Refused):
    """Whether a child came is said by the visit itself once it has begun."""

    code = "went-through-room"
    message = N_("This visit was held online, so it marks itself. It can't be marked by hand.")
