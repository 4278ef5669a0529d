"""The doctor's own check before a session: a recent sign-in and a PIN, wrong tries counted, locked, forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from consultation.line import actions, queries
from consultation.line.models import CheckedDoctor, Pin
from consultation.line.realname import LOCK, TRIES, Need, SignInAndPin, forget_pin
from consultation.line.refusals import PinLocked, PinWeak, PinWrong, SignInAgain
from people.models import Account, Practitioner
from people.sessions import SignInKind, begin
from tests.consultation.lines import POLICY, morning, viewer
from tests.product import PHONE, Hospital

GOOD = {"pin": "280519", "again": "280519"}
CHECK = SignInAndPin()


@pytest.fixture
def doctor(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    """The doctor, signed in on the phone now."""
    begin(session, session.get_one(Account, hospital.doctor.account_id), SignInKind.WECHAT, PHONE, now, POLICY)
    session.flush()
    return session.merge(hospital.doctor)


def test_without_a_recent_sign_in_there_is_no_check(session: Session, doctor: Practitioner, now: datetime) -> None:
    later = now + timedelta(hours=POLICY.real_name_hours)
    assert CHECK.needs(session, doctor, later, POLICY) is Need.SIGN_IN
    assert isinstance(CHECK.check(session, doctor, GOOD, later, POLICY), SignInAgain)
    assert session.get(Pin, doctor.id) is None


def test_the_pin_is_chosen_once_and_asked_for_afterwards(session: Session, doctor: Practitioner, now: datetime) -> None:
    assert CHECK.needs(session, doctor, now, POLICY) is Need.CHOOSE
    for bad in ({"pin": "123456", "again": "123456"}, {"pin": "280519", "again": "280518"}, {}):
        assert isinstance(CHECK.check(session, doctor, bad, now, POLICY), PinWeak)
    assert CHECK.check(session, doctor, GOOD, now, POLICY) is None
    session.flush()
    assert CHECK.needs(session, doctor, now, POLICY) is Need.PIN
    assert b"280519" not in session.get_one(Pin, doctor.id).hash
    assert isinstance(CHECK.check(session, doctor, {"pin": "640207", "again": "640207"}, now, POLICY), PinWrong)
    assert CHECK.check(session, doctor, {"pin": "280519"}, now, POLICY) is None


def test_five_wrong_tries_close_it_for_a_quarter_of_an_hour(
    session: Session, doctor: Practitioner, now: datetime
) -> None:
    CHECK.check(session, doctor, GOOD, now, POLICY)
    session.flush()
    answers = [CHECK.check(session, doctor, {"pin": "000001"}, now, POLICY) for _ in range(TRIES)]
    assert [type(one) for one in answers] == [PinWrong] * (TRIES - 1) + [PinLocked]
    assert isinstance(CHECK.check(session, doctor, GOOD, now, POLICY), PinLocked), "the right one, too"
    assert CHECK.check(session, doctor, GOOD, now + LOCK, POLICY) is None
    assert forget_pin(session, doctor, now, "test")
    session.flush()
    assert CHECK.needs(session, doctor, now, POLICY) is Need.CHOOSE
    assert not forget_pin(session, doctor, now, "test")


def test_a_check_counts_for_its_session_only(
    session: Session, hospital: Hospital, doctor: Practitioner, now: datetime
) -> None:
    today, tomorrow = (morning(session, doctor, now, ahead=n) for n in (2, 3))
    refusal = actions.confirm_doctor(session, viewer(doctor), today.id, {"pin": "1"}, CHECK, now, POLICY)
    assert isinstance(refusal, PinWeak)
    assert session.scalar(select(CheckedDoctor.id)) is None
    for _ in range(2):
        assert actions.confirm_doctor(session, viewer(doctor), today.id, GOOD, CHECK, now, POLICY) is None
    assert queries.checked(session, doctor.id, today.id)
    assert not queries.checked(session, doctor.id, tomorrow.id)
    assert not queries.checked(session, hospital.colleague.id, today.id)
