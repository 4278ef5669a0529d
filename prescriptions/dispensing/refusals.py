"""Why something is not picked, checked or handed over, in words for whoever stands at the counter."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotInThisState(Refused):
    """Somebody else was quicker."""

    code = "dispense-state"
    message = N_("Somebody has gone on with this order meanwhile: look at it anew.")


class WrongAmounts(Refused):
    """What was picked is not what was ordered."""

    code = "wrong-amounts"
    status = 422
    message = N_("%(medicine)s: %(packages)s packages are needed, of lots that are kept back or free.")


class ReasonMissing(Refused):
    """Another lot than the one kept back needs a reason."""

    code = "reason-missing"
    status = 422
    message = N_("%(medicine)s: write why another lot was taken.")


class OwnPick(Refused):
    """Who picked does not check (处方管理办法: two people)."""

    code = "own-pick"
    status = 403
    message = N_("You picked this order, so somebody else must check it.")


class WrongPackage(Refused):
    """The scanned code is of nothing that belongs here."""

    code = "wrong-package"
    status = 422
    message = N_("Wrong package: %(scanned)s does not belong to this order. Put it back, and look which one does.")


class LotOfSeveral(Refused):
    """The scanned lot is of several medicines of the order, so it does not say which package it is."""

    code = "lot-of-several"
    status = 422
    message = N_("Lot %(scanned)s is on several medicines of this order: scan or type the product's code.")


class OneTooMany(Refused):
    """All packages of this medicine were scanned already."""

    code = "one-too-many"
    status = 422
    message = N_("One too many: all packages of %(scanned)s were scanned already.")


class NotAllScanned(Refused):
    """Something was not scanned yet."""

    code = "not-all-scanned"
    status = 422
    message = N_("%(count)s packages were not scanned yet.")


class WrongPickupCode(Refused):
    """Number and code do not belong together."""

    code = "wrong-pickup-code"
    status = 422
    message = N_("No order with this number and code lies ready. Look at both again.")


class TooManyPickupCodes(Refused):
    """Wrong codes are counted, so that nobody can try them all."""

    code = "too-many-pickup-codes"
    status = 429
    message = N_(
        "Too many wrong codes for this order. Ask for the child's QR code, and try again in %(minutes)s minutes."
    )
