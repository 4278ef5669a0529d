"""Why something about keeping is refused."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NoSuchChild(Refused):
    """Nobody has bound a child with this patient number."""

    code = "no-such-child"
    status = 422
    message = N_("There is no child with this patient number here.")


class ReasonMissing(Refused):
    """A hold, or a copy for the hospital, needs a reason."""

    code = "reason-missing"
    status = 422
    message = N_("Please write the reason.")


class AlreadyHeld(Refused):
    """The child is under a hold."""

    code = "already-held"
    status = 422
    message = N_("This child is under a hold already.")


class TooManyCopies(Refused):
    """One guardian asked for too many copies of one child's file within a day."""

    code = "too-many-copies"
    status = 429
    message = N_("You have asked for %(most)s copies within a day. Please ask again tomorrow.")


class WishEmpty(Refused):
    """A wish says what it is about."""

    code = "wish-empty"
    status = 422
    message = N_("Please write what should be deleted.")


class WishWaits(Refused):
    """One wish at a time."""

    code = "wish-waits"
    status = 409
    message = N_("Your earlier request is still waiting for our answer. Please wait for it first.")


class AnswerEmpty(Refused):
    """A wish is never closed without a word."""

    code = "answer-empty"
    status = 422
    message = N_("Please write the answer: the family reads it.")
