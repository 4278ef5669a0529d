"""Why something about people is refused, in words a parent understands."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class ProofRefused(Refused):
    """The code is unknown or the proof is wrong: one answer for both, so that nothing can be probed."""

    code = "proof-refused"
    status = 422
    message = N_(
        "We could not match this QR code with what you entered. Please compare with the registration slip: the child's "
        "full name, the birth date and the phone number left at the hospital. If they are right, the hospital's "
        "registration desk can correct its record."
    )


class IndexUnavailable(Refused):
    """The hospital's patient index does not answer."""

    code = "index-unavailable"
    status = 503
    message = N_("The hospital's records can't be reached at the moment. Please try again in a few minutes.")


class TooManyTries(Refused):
    """Too many tries of this account, or at this code: one answer for both."""

    code = "too-many-tries"
    status = 429
    message = N_("Too many tries. Please wait %(minutes)s minutes and try again, with the registration slip at hand.")


class TooManyChildren(Refused):
    """The account holds as many children as the hospital allows."""

    code = "too-many-children"
    message = N_("One WeChat account can hold at most %(limit)s children. Unbind one first under My children.")


class AlreadyBound(Refused):
    """This account holds this child already."""

    code = "already-bound"
    message = N_("This child is already among your children.")


class BindingFrozen(Refused):
    """Another guardian froze this account's binding to the child."""

    code = "binding-frozen"
    message = N_(
        "Another guardian of this child has paused your access. Please talk to them, or bring your ID to the "
        "hospital's registration desk."
    )


class ConsentMissing(Refused):
    """Binding and booking need the consents, in their current versions."""

    code = "consent-missing"
    message = N_("Please read and answer the statements first.")


class OpenAppointments(Refused):
    """A child with a coming visit that this account booked can't be unbound."""

    code = "open-appointments"
    message = N_("This child has a coming visit that you booked. Cancel it first under My visits, then unbind.")


class NotStaff(Refused):
    """The account is not bound to an active member of staff."""

    code = "not-staff"
    status = 403
    message = N_("This page is for the clinic's staff. Your WeChat account is not bound to a member of staff.")


class RoleMissing(Refused):
    """A member of staff without a role that the page asks for."""

    code = "role-missing"
    status = 403
    message = N_("Your role does not include this page. An administrator of the clinic can change your roles.")


class LicenceMissing(Refused):
    """Only who has a title and a licence can be a doctor here."""

    code = "licence-missing"
    status = 422
    message = N_("A doctor needs a title and a licence number on record.")


class DepartmentMissing(Refused):
    """Team leads and department heads are it for one department."""

    code = "department-missing"
    status = 422
    message = N_("Please choose the department for which this role is held.")


class LastAdministrator(Refused):
    """Without an administrator nobody could let anybody in again."""

    code = "last-administrator"
    message = N_("This is the clinic's only administrator. Make somebody else an administrator first.")


class CodeTaken(Refused):
    """Another member of staff has this staff number."""

    code = "code-taken"
    status = 422
    message = N_("Another member of staff has this staff number.")


class StaffLeft(Refused):
    """A member of staff who has left can't be invited."""

    code = "staff-left"
    message = N_("This member of staff has left. Let them in again first.")


class TooManyCodes(Refused):
    """A browser, an address or the whole clinic asked for more codes than anybody needs; WeChat gives so many a day."""

    code = "too-many-codes"
    status = 429
    message = N_("Too many sign-in codes were asked for just now. Please wait %(seconds)s seconds and try again.")


class NothingToFind(Refused):
    """Nothing was typed to look for."""

    code = "nothing-to-find"
    status = 422
    message = N_("Please fill in the phone, the name or the code.")


class PhoneMalformed(Refused):
    """What was typed is no phone number."""

    code = "phone-malformed"
    status = 422
    message = N_("Please write the whole phone number, 7 to 15 digits.")


class TooManyLookUps(Refused):
    """One member of staff looked up too many families within the hour."""

    code = "too-many-look-ups"
    status = 429
    message = N_(
        "You have looked up %(most)s families within the hour. Please go on later; the audit record shows all."
    )


class CodeWorthless(Refused):
    """A sign-in code was used, is too old, or was seen by somebody else: one answer for all."""

    code = "code-worthless"
    message = N_("This code has been used or is too old. Nobody was signed in. Please ask the computer for a new code.")
