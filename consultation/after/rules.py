"""Rules of what comes after a visit: pure functions, no session, no clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

from booking.rosters.calendar import FRIDAY, Calendar, UnknownYear
from config.clock import at
from config.policy import Policy
from consultation.after.models import Rating
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.line.rules import ANSWERS

TEXT = 500  # characters of a family's question or complaint
REPLY = 1000  # characters of the clinic's answer
FEWEST = 5  # answers below which no counts are shown: nobody is to be guessed from them
CLOSES = time(17)  # when an office day ends


def ended(encounter: Encounter | None) -> datetime | None:
    """When the doctor finished with the child; None for a visit that did not take place or goes on."""
    return encounter.ended_at if encounter and encounter.status is EncounterStatus.FINISHED else None


def question_until(encounter: Encounter | None, policy: Policy) -> datetime | None:
    """Until when a question about the advice can be asked; None when there was no advice."""
    over = ended(encounter)
    advised = encounter is not None and encounter.ending in ANSWERS
    return over + timedelta(hours=policy.question_hours) if over and advised else None


def worse_until(encounter: Encounter | None, policy: Policy) -> datetime | None:
    """Until when "it got worse" reaches the team."""
    over = ended(encounter)
    return over + timedelta(days=policy.worse_days) if over else None


def rating_until(rating: Rating, policy: Policy) -> datetime:
    """Until when a family can change its answer."""
    return rating.at + timedelta(days=policy.rating_days)


def answer_by(filed: date, days: int, calendar: Calendar) -> datetime:
    """The end of the last of so many working days after the day of a complaint."""
    return at(_after(filed, days, lambda day: _works(calendar, day)), CLOSES)


def _after(day: date, count: int, works: Callable[[date], bool]) -> date:
    while count > 0:
        day += timedelta(days=1)
        count -= works(day)
    return day


def _works(calendar: Calendar, day: date) -> bool:
    """In a year whose holidays nobody knows yet every weekday counts: that promises too early, never too late."""
    try:
        return calendar.works(day)
    except UnknownYear:
        return day.isoweekday() <= FRIDAY
