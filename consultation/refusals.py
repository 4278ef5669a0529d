"""Why a picture is not taken, and what to do instead."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotAPicture(Refused):
    """What was sent can't be decoded as one of the formats that we take."""

    code = "not-a-picture"
    status = 422
    message = N_("This file can't be opened as a picture. Please send a photo or a screenshot (JPEG or PNG).")


class PictureTooLarge(Refused):
    """More bytes, or more pixels, than we take."""

    code = "picture-too-large"
    status = 413
    message = N_(
        "This picture is too large. Please send it with at most %(megabytes)s MB, in the chat without “original”."
    )


class NoPicture(Refused):
    """The form came without a file."""

    code = "no-picture"
    status = 422
    message = N_("Please choose a picture first.")


class TooManyPictures(Refused):
    """The visit has as many pictures as the hospital allows."""

    code = "too-many-pictures"
    message = N_("This visit has %(limit)s pictures already, which is all it can hold. Remove one to add another.")


class VisitOver(Refused):
    """The visit is over or cancelled: nothing is added any more."""

    code = "visit-over"
    message = N_("This visit is over or cancelled, so no picture can be added to it.")


class PartOfRecord(Refused):
    """The visit has begun: what was sent for it belongs to the medical record."""

    code = "part-of-record"
    message = N_("The visit has begun, so its pictures belong to the medical record and can't be changed any more.")
