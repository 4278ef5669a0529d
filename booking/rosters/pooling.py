"""When the hospital's own system does not say which numbers are ours: the administrators learn it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy.orm import Session

from config.formats import short_day
from config.text import LOCALES, N_
from people import tasks
from people.models import Role

POOL_TASK = tasks.kind(
    "number-pool",
    title=N_("The hospital's own system does not say which numbers of %(about)s are ours: they can't be cut."),
    path="/desk/rosters",
)


def unanswered(session: Session, day: date, now: datetime) -> None:
    """The pool did not answer for a day. It is asked again by itself; the task says that somebody should look."""
    about = {locale: short_day(day, locale) for locale in LOCALES}
    deadline = now + timedelta(hours=4)
    role = Role.ADMINISTRATOR
    tasks.open(session, kind=POOL_TASK, subject_id=_id(day), about=about, deadline=deadline, now=now, role=role)


def answered(session: Session, day: date, now: datetime) -> None:
    """It answers again."""
    tasks.settle(session, POOL_TASK, _id(day), why="answered", now=now)


def _id(day: date) -> UUID:
    return uuid5(NAMESPACE_OID, f"number-pool:{day.isoformat()}")
