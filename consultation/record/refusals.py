"""Why a record is not saved, signed or shown, in the doctor's words."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class OldVersion(Refused):
    """Another page saved the record meanwhile: nothing is overwritten unseen."""

    code = "old-version"
    message = N_("This record was saved elsewhere meanwhile. Nothing is lost: both texts stand below. Which counts?")


class NotOpen(Refused):
    """The record is signed: it is amended, not changed."""

    code = "record-signed"
    message = N_("This record is signed. What is to be corrected becomes a new version: choose “Amend”.")


class NotBegun(Refused):
    """A record is signed once the visit has begun."""

    code = "not-begun"
    message = N_("The visit has not begun: the record can be written, and signed once the child was called.")


class Incomplete(Refused):
    """Something without which a record is not signed. ``fields`` names it."""

    code = "incomplete"
    status = 422
    message = N_("Not signed yet. What is marked below is missing.")

    def __init__(self, fields: tuple[str, ...]) -> None:
        super().__init__(field=fields[0])
        self.fields = fields


class NoReason(Refused):
    """An amendment says why."""

    code = "no-reason"
    status = 422
    message = N_("Please say why the record is amended.")


class NoSuchCode(Refused):
    """A diagnosis that is not in ICD-10."""

    code = "no-such-code"
    status = 422
    message = N_("There is no such diagnosis. Please choose one from the list.")


class TooManyConditions(Refused):
    """A record holds at most five diagnoses."""

    code = "too-many-conditions"
    status = 422
    message = N_("A record holds at most %(limit)s diagnoses. Remove one first.")


class BadPhrase(Refused):
    """A phrase without a code, a text or a field, or with the code of another."""

    code = "bad-phrase"
    status = 422
    message = N_("A phrase needs a text and a short code of 1 to 12 letters or digits that none of yours has yet.")


class Damaged(Refused):
    """What is stored is not what was signed."""

    code = "record-damaged"
    status = 409
    message = N_("This record is not what was signed: its digest does not match. Do not rely on it; call the hospital.")
