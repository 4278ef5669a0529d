"""Why a prescription is not written, signed or taken back, in the doctor's words."""

from __future__ import annotations

from collections.abc import Sequence

from config.errors import Refused
from config.text import N_


class OldVersion(Refused):
    """Another page saved the draft meanwhile: nothing is overwritten unseen."""

    code = "old-version"
    message = N_("This prescription was saved elsewhere meanwhile. What was saved last stands below; look at it first.")


class NotNow(Refused):
    """A prescription is written during the visit or shortly after it, and not for a child sent to the hospital."""

    code = "not-now"
    message = N_("A prescription can be written from the call on until %(hours)s hours after the visit.")


class ToHospital(Refused):
    """A child that is to come to the hospital gets no prescription online."""

    code = "to-hospital"
    message = N_("The record sends the child to the hospital: nothing is prescribed online then.")


class NotAttested(Refused):
    """Under six a guardian and a doctor of the specialty must be there, and it must be stored (rules 2018, art. 19)."""

    code = "not-attested"
    message = N_(
        "Not signed. First confirm who is in the room (the ticks beside the call): the child, the guardian, and under "
        "%(years)s years that a guardian and a doctor of the specialty are present."
    )


class NoDiagnosis(Refused):
    """A prescription has a diagnosis."""

    code = "no-diagnosis"
    status = 422
    message = N_("Not signed. The record has no diagnosis yet.")


class NothingOrdered(Refused):
    """A prescription has a medicine."""

    code = "nothing-ordered"
    status = 422
    message = N_("Not signed. There is no medicine on it.")


class OutOfUse(Refused):
    """A medicine is not prescribed any more."""

    code = "out-of-use"
    status = 422
    message = N_("A medicine on it is not prescribed any more. Remove it.")


class Blocked(Refused):
    """The rules forbid this order."""

    code = "blocked"
    status = 422
    message = N_("Not signed. What is marked with “stop” has to be changed first.")


class ReasonsMissing(Refused):
    """Findings that ask for a written reason. ``keys`` names them."""

    code = "reasons-missing"
    status = 422
    message = N_("Not signed. What is marked needs a reason.")

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(field="reasons")
        self.keys = tuple(keys)


class ValidityReason(Refused):
    """Longer than today needs a reason (处方管理办法 art. 18)."""

    code = "validity-reason"
    status = 422
    message = N_("Not signed. Please say why it is to be good for longer than today.")


class TooManyLines(Refused):
    """At most five medicines."""

    code = "too-many-lines"
    status = 422
    message = N_("At most %(limit)s medicines on a prescription.")


class NoDose(Refused):
    """The rules propose nothing for this child."""

    code = "no-dose"
    status = 422
    message = N_("No dose of this medicine is known for this child: look at age, weight and diagnosis.")


class NoSuchMedicine(Refused):
    """Not in the formulary, or out of use."""

    code = "no-such-medicine"
    status = 422
    message = N_("There is no such medicine to prescribe.")


class NothingBefore(Refused):
    """There is no earlier prescription to repeat."""

    code = "nothing-before"
    status = 422
    message = N_("The child has no earlier prescription here that could be repeated.")


class BadTemplate(Refused):
    """A template has a name and medicines."""

    code = "bad-template"
    status = 422
    message = N_("A template needs a name of at most 40 characters and at least one medicine; %(limit)s can be kept.")


class NoReason(Refused):
    """Taking a prescription back needs a reason."""

    code = "no-reason"
    status = 422
    message = N_("Please say why the prescription is taken back.")


class AlreadyDispensed(Refused):
    """What has been given out is not taken back by the doctor."""

    code = "already-dispensed"
    message = N_("The pharmacy has packed these medicines already: call it.")


class NotStanding(Refused):
    """It is over: rejected, taken back, or not signed."""

    code = "not-standing"
    message = N_("This prescription has moved on meanwhile. Look at it again.")
