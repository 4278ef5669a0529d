"""Why a booking is refused, and what to do instead."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class SoldOut(Refused):
    """The period has no free number."""

    code = "sold-out"
    message = N_("All numbers of this period are taken. Another doctor or another period may still have one.")


class NotOpen(Refused):
    """The day can't be booked now: too near, too far, not yet released, or the clinic is stopped."""

    code = "not-open"
    message = N_("This period can't be booked now. Numbers are open %(first)s to %(last)s days ahead.")


class NothingFree(Refused):
    """No number of the department that fits is free on any day that can be booked."""

    code = "nothing-free"
    message = N_("No number is free at the moment. New ones open on %(day)s at %(clock)s.")


class TooFewTogether(Refused):
    """The period has fewer free numbers than there are children."""

    code = "too-few-together"
    message = N_(
        "This period has no %(count)s free numbers left, so nothing was booked. Choose another one, or book one by one."
    )


class NotInvited(Refused):
    """The doctor's follow-up numbers are for invited children; the invitation is used, over or not this doctor's."""

    code = "not-invited"
    message = N_(
        "This number is kept for a follow-up that the doctor invited to. The invitation has been used, has run out or "
        "is for another doctor. Other numbers can be booked as usual."
    )


class NotDeclared(Refused):
    """The number is kept for children in areas under control measures, and none was declared for this child."""

    code = "not-declared"
    message = N_(
        "This number is kept for children in areas under control measures. Please say first where your child is, or "
        "book another number."
    )


class AlreadyHolding(Refused):
    """The child holds a number in this department on this day already."""

    code = "already-holding"
    message = N_("This child already has a number in this department on that day. You find it under My visits.")


class TooLateToCancel(Refused):
    """The deadline for cancelling has passed."""

    code = "too-late-to-cancel"
    message = N_(
        "Cancelling is possible until %(hours)s hours before the visit. If your child is worse, do not wait: go to the "
        "hospital now."
    )


class NotCancellable(Refused):
    """The appointment is over or cancelled already."""

    code = "not-cancellable"
    message = N_("This visit can't be cancelled any more.")


class TooLateToChange(Refused):
    """The deadline for changing has passed."""

    code = "too-late-to-change"
    message = N_(
        "Changing is possible until %(hours)s hours before the visit. If your child is worse, do not wait: go to the "
        "hospital now."
    )


class NotChangeable(Refused):
    """The appointment is not a booked one."""

    code = "not-changeable"
    message = N_("This visit can't be changed any more.")


class SamePeriod(Refused):
    """The new number would be in the period of the old one."""

    code = "same-period"
    message = N_("This is the period you have already. Please choose another one.")


class NumberFree(Refused):
    """The period has a free number: nobody needs to wait."""

    code = "number-free"
    message = N_("A number of this period is free: you need not wait, book it now.")


class ListClosed(Refused):
    """The period begins too soon for anybody to wait for it."""

    code = "list-closed"
    message = N_("The waiting list is closed, because the clinic begins soon. Another period may still have a number.")


class TooManyWaits(Refused):
    """The child waits for as many periods as it may."""

    code = "too-many-waits"
    message = N_("This child is on %(most)s waiting lists already. Leave one of them first, under My visits.")


class OfferOver(Refused):
    """The number that was held for the child has gone to the next in line, or was answered for before."""

    code = "offer-over"
    message = N_("This number is no longer held for you.")


class Suspended(Refused):
    """The child or the account may not book for a time."""

    code = "suspended"
    message = N_(
        "Booking online is closed until %(until)s, because visits were missed. You can see which ones, and object if "
        "that is wrong. You can always come to the hospital in person."
    )


class ShortWait(Refused):
    """Too much in a short time: a little patience, and everything chosen is kept. ``seconds``, and which ``rule``."""

    code = "short-wait"
    status = 429
    message = N_("Much was booked or tried here in a short time. Please wait a moment; what you chose is kept.")


class NotMarkable(Refused):
    """Whether the child came can't be said: too early, too late, cancelled, or said already."""

    code = "not-markable"
    message = N_("This visit can't be marked now: it is to come, was cancelled, or is marked already.")


class MarkFinal(Refused):
    """The day on which a mark can be taken back is over."""

    code = "mark-final"
    message = N_("This mark can't be taken back any more. A parent who objects can appeal.")


class NotAppealable(Refused):
    """There is an appeal already, or nothing left to appeal against."""

    code = "not-appealable"
    message = N_("There is an appeal already, or the time is over. Please call us if something is still wrong.")


class AlreadyDecided(Refused):
    """Nobody appeals, or somebody decided before."""

    code = "already-decided"
    message = N_("There is nothing to decide here any more: a colleague has answered, or nobody appealed.")


class NoPayment(Refused):
    """The number costs something, and this clinic takes no money over WeChat (its settings say so)."""

    code = "no-payment"
    status = 503
    message = N_("Paying is not possible at the moment, so numbers with a fee can't be booked here. Please call us.")


class TooYoung(Refused):
    """The child is younger than the department takes online (Policy ``age_from_days``)."""

    code = "too-young"
    message = N_(
        "This clinic takes children from %(days)s days of age on. Please bring a newborn to the hospital: %(address)s, "
        "phone %(phone)s."
    )


class TooOld(Refused):
    """The child is older than the department takes online (Policy ``age_until_years``)."""

    code = "too-old"
    message = N_("This clinic takes children under %(years)s years of age. Please go to a clinic for adults.")


class VisitNeeded(Refused):
    """The hospital's index knows of no visit in person (internet diagnosis rules 2018, art. 16: follow-up only)."""

    code = "visit-needed"
    message = N_(
        "Online visits are for children whom this hospital has seen before, and we find no earlier visit. Please come "
        "in person the first time: %(address)s, phone %(phone)s."
    )


class DepartmentVisitNeeded(Refused):
    """The department asks for a visit of its own (Policy ``needs_visit``)."""

    code = "department-visit-needed"
    message = N_(
        "This department sees online only children whom it has seen in person before. Please book the department that "
        "knows your child, or come in person first: %(address)s, phone %(phone)s."
    )


class VisitTooOld(Refused):
    """The last visit that would count is too long ago (Policy ``visit_within_days``)."""

    code = "visit-too-old"
    message = N_(
        "The last visit in person was on %(last)s; for an online visit it may be at most %(days)s days ago. Please "
        "come in person: %(address)s, phone %(phone)s."
    )


class VisitsUnknown(Refused):
    """The index has never answered about this child."""

    code = "visits-unknown"
    status = 503
    message = N_(
        "We could not look up your child's earlier visits at the moment. Please try again in a few minutes, or call "
        "us: %(phone)s."
    )


class LimitReached(Refused):
    """The child holds as many numbers as a calendar window allows (Beijing unified booking rules)."""

    code = "limit-reached"


class WeekFull(LimitReached):
    """Policy ``per_child_week``."""

    message = N_(
        "This child has %(count)s numbers in that week, as many as one week allows. Please choose a day from "
        "%(first)s on, or cancel a number that is not needed."
    )


class MonthFull(LimitReached):
    """Policy ``per_child_month``."""

    message = N_(
        "This child has %(count)s numbers in that month, as many as one month allows. Please choose a day from "
        "%(first)s on, or cancel a number that is not needed."
    )


class QuarterFull(LimitReached):
    """Policy ``per_child_quarter``."""

    message = N_(
        "This child has %(count)s numbers in that quarter, as many as one quarter allows. Please choose a day from "
        "%(first)s on, or cancel a number that is not needed."
    )


class ScreenNeeded(Refused):
    """Nobody has said how the child is within the last minutes (Policy ``screen_minutes``), or booking was stopped."""

    code = "screen-needed"
    message = N_("Before a number is booked, please answer a few questions about how your child is now.")


class ScreenUnavailable(Refused):
    """The questions or their rules are missing or broken: nothing can be booked until they are repaired."""

    code = "screen-unavailable"
    status = 503
    message = N_(
        "Booking is closed for the moment, because our safety questions can't be asked. Please call us: %(phone)s. If "
        "your child is in danger, call 120."
    )


class BadSpan(Refused):
    """A stop that ends before it begins, lies in the past, or is too long."""

    code = "bad-span"
    status = 422
    message = N_("Please choose a time from today on that ends after it begins, %(days)s days at most.")


class NotStoppable(Refused):
    """The stop is still being carried out."""

    code = "not-stoppable"
    message = N_("This is still being carried out. Please wait until it is done.")


class PeriodOver(Refused):
    """The period is over, or the clinic is stopped."""

    code = "period-over"
    message = N_("This period is over or stopped; nothing can be changed about it.")


class BadDelay(Refused):
    """Not a number of minutes that a doctor can be late."""

    code = "bad-delay"
    status = 422
    message = N_("Please enter minutes as a whole number from 0 to %(most)s.")


class DoctorNotFree(Refused):
    """The doctor has a period of their own then, is stopped, or is none of the department's."""

    code = "doctor-not-free"
    status = 422
    message = N_("This doctor is not free in that period. Please choose another one.")
