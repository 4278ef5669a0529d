"""Why something is not sent in a room, and what to do instead."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class RoomClosed(Refused):
    """The visit has not begun yet, or it is over."""

    code = "room-closed"
    message = N_("The visit is not going on now, so nothing can be sent.")


class NothingSaid(Refused):
    """Neither a text nor a picture."""

    code = "nothing-said"
    status = 422
    message = N_("Please write something or choose a picture.")


class MessageTooLong(Refused):
    """More characters than the policy allows."""

    code = "message-too-long"
    status = 422
    message = N_("Please use at most %(limit)s characters. You can send several messages.")


class EnoughPictures(Refused):
    """The chat holds as many pictures as the policy allows."""

    code = "enough-pictures"
    message = N_("This chat holds %(limit)s pictures already, which is all it can. Please describe it in words.")


class TooFast(Refused):
    """More in a few seconds than a person or a call needs."""

    code = "too-fast"
    status = 429
    message = N_("That was a lot at once. Please wait a few seconds and try again.")


class BadSignal(Refused):
    """A call's signal that no page of ours sends."""

    code = "bad-signal"
    status = 422
    message = N_("This can't be part of a call.")


class LinkOver(Refused):
    """The link was used, is too old, or its visit is over."""

    code = "link-over"
    status = 410
    message = N_("This link has been used or is too old. Please make a new one on the page of the visit in WeChat.")
