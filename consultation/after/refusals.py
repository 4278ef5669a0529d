"""Why something after a visit is refused, in a parent's words."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotOver(Refused):
    """The visit has not taken place (yet)."""

    code = "visit-not-over"
    message = N_("This can be done once the doctor has seen your child.")


class RatingFixed(Refused):
    """The days for changing it are over."""

    code = "rating-fixed"
    message = N_("Thank you: your answer is counted. It could be changed until %(until)s.")


class QuestionClosed(Refused):
    """The hours for a question are over, or the visit ended without advice."""

    code = "question-closed"
    message = N_(
        "A question about the advice can be asked within %(hours)s hours after the visit. Book a visit and the doctor "
        "takes time for it; if your child is worse, tell us on the page of the visit, or call 120."
    )


class AlreadyAsked(Refused):
    """One question for each visit."""

    code = "already-asked"
    message = N_("You have asked your question about this visit. For more, book a visit or call the hospital.")


class AlreadyAnswered(Refused):
    """The family has read an answer perhaps: it is not exchanged."""

    code = "already-answered"
    message = N_("This has been answered already.")


class NoText(Refused):
    """An answer needs a few words."""

    code = "no-text"
    status = 422
    message = N_("Please write a few words: the family reads them.")


class WorseClosed(Refused):
    """The visit is too long ago."""

    code = "worse-closed"
    message = N_(
        "This visit is more than %(days)s days ago. If your child is ill now, go to the hospital or book a visit; in "
        "an emergency call 120."
    )
