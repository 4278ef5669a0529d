"""What people agreed to: counted once, used up once, ended when it is taken back or WeChat knows of none."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from notifications.agreements import ended, given, left, none_left, used
from people.models import Account
from tests.notifications.rows import queued
from tests.product import account

T, OTHER = "NTC1", "NTC2"


def person(session: Session, now: datetime) -> Account:
    return account(session, "o-mother", now)


def test_each_yes_is_one_notice_and_a_repeated_push_is_none(session: Session, now: datetime) -> None:
    mother, father = person(session, now), account(session, "o-father", now)
    for at in (now, now, now + timedelta(seconds=9)):
        given(session, mother.id, T, at)
    given(session, father.id, T, now)
    assert (left(session, mother.id), left(session, father.id)) == ({T: 2}, {T: 1})


def test_a_notification_uses_up_one_and_only_one(session: Session, now: datetime) -> None:
    mother = person(session, now)
    for late in range(2):
        given(session, mother.id, T, now + timedelta(seconds=late))
    given(session, mother.id, OTHER, now)
    told = queued(session, mother, now)
    for _ in range(2):
        used(session, told.id, T, now)
    assert left(session, mother.id) == {T: 1, OTHER: 1}
    for _ in range(2):
        used(session, queued(session, mother, now).id, T, now)
    assert left(session, mother.id) == {OTHER: 1}


def test_what_is_taken_back_is_gone_and_a_later_yes_stays(session: Session, now: datetime) -> None:
    mother = person(session, now)
    given(session, mother.id, T, now)
    given(session, mother.id, T, now + timedelta(minutes=1))
    ended(session, mother.id, T, now, now)
    assert left(session, mother.id) == {T: 1}
    none_left(session, queued(session, mother, now).id, T, now + timedelta(minutes=2))
    assert left(session, mother.id) == {}
