"""Finding a family: exact keys over what is encrypted, counted and recorded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from config.database import transaction
from config.errors import NotFound, Refused
from people import finding
from people.finding import Wanted, complete, found, look_up, plain_phone
from people.index import IndexRecord, TablePatientIndex, put
from people.looking import look_again
from people.models import AuditEvent, Patient, PatientPhone, Sex
from people.refusals import IndexUnavailable, NothingToFind, PhoneMalformed, TooManyLookUps
from tests.product import Hospital, account, patient


def children(session: Session, hospital: Hospital, wanted: Wanted, now: datetime) -> set[str]:
    """The codes of the children that the doctor's account finds."""
    session.flush()
    by = hospital.doctor.account_id
    assert by
    made = look_up(session, by, wanted, now)
    session.flush()
    return {child.code for child in found(session, by, made, now).children}


@pytest.mark.parametrize(
    "typed", ["13800001234", "138 0000 1234", "+86 138-0000-1234", "008613800001234", "8613800001234", "１３８00001234"]
)
def test_by_a_guardians_phone(session: Session, hospital: Hospital, now: datetime, typed: str) -> None:
    assert children(session, hospital, Wanted(phone=typed), now) == {"QR-0001", "QR-0002", "QR-0003"}


def test_only_the_whole_of_it(session: Session, hospital: Hospital, now: datetime) -> None:
    for wanted in (
        Wanted(phone="1380000123"),
        Wanted(phone="13800001235"),
        Wanted(name="王小"),
        Wanted(name="王小明", born=date(2023, 5, 18)),
        Wanted(code="QR-000"),
    ):
        assert children(session, hospital, wanted, now) == set(), wanted


def test_by_name_and_by_code(session: Session, hospital: Hospital, now: datetime) -> None:
    patient(session, "QR-0004", "王小明", date(2024, 1, 1), now)
    assert children(session, hospital, Wanted(name="王 小明"), now) == {"QR-0001", "QR-0004"}
    assert children(session, hospital, Wanted(name="王小明", born=date(2023, 5, 17)), now) == {"QR-0001"}
    assert children(session, hospital, Wanted(code="QR-0002"), now) == {"QR-0002"}
    assert children(session, hospital, Wanted(code="pqr-0003"), now) == {"QR-0003"}
    assert children(session, hospital, Wanted(phone="13800001234", name="李雷"), now) == {"QR-0003"}
    assert children(session, hospital, Wanted(name="李雷", code="QR-0002"), now) == set()


@pytest.mark.parametrize(
    ("wanted", "refusal"),
    [
        (Wanted(), NothingToFind),
        (Wanted(name=" · "), NothingToFind),
        (Wanted(born=date(2023, 5, 17)), NothingToFind),
        (Wanted(phone="123456"), PhoneMalformed),
        (Wanted(phone="1380000123x"), PhoneMalformed),
        (Wanted(phone="1" * 16), PhoneMalformed),
    ],
)
def test_bad_input(session: Session, hospital: Hospital, now: datetime, wanted: Wanted, refusal: type[Refused]) -> None:
    with pytest.raises(refusal) as refused:
        children(session, hospital, wanted, now)
    assert refused.value.field == "phone"


def test_no_more_are_shown_than_fit(session: Session, hospital: Hospital, now: datetime) -> None:
    for n in range(finding.SHOWN):
        patient(session, f"QR-1{n}", "王小明", date(2024, 1, 1), now)
    session.flush()
    by = hospital.mother.id
    made = look_up(session, by, Wanted(name="王小明"), now)
    session.flush()
    seen = found(session, by, made, now)
    assert (len(seen.children), seen.more) == (finding.SHOWN, True)


def test_what_was_found_is_for_who_looked_and_for_an_hour(session: Session, hospital: Hospital, now: datetime) -> None:
    made = look_up(session, hospital.mother.id, Wanted(name="王小明"), now)
    session.flush()
    for by, at in ((hospital.stranger.id, now), (hospital.mother.id, now + timedelta(minutes=61))):
        with pytest.raises(NotFound):
            found(session, by, made, at)
    found(session, hospital.mother.id, made, now + timedelta(minutes=59))
    session.flush()
    seen = select(AuditEvent.entity_id).where(AuditEvent.action == "see-child")
    assert session.scalars(seen).all() == [hospital.child.id]
    event = session.scalars(select(AuditEvent).where(AuditEvent.action == "look-up")).one()
    assert event.detail == {"by": "name", "children": [str(hospital.child.id)], "more": False}


def test_so_many_an_hour(session: Session, hospital: Hospital, now: datetime) -> None:
    for n in range(finding.PER_HOUR):
        look_up(session, hospital.mother.id, Wanted(name=f"王{n}"), now + timedelta(seconds=n))
        session.flush()
    with pytest.raises(TooManyLookUps) as refused:
        look_up(session, hospital.mother.id, Wanted(name="王小明"), now + timedelta(minutes=59))
    assert refused.value.afterwards
    refused.value.afterwards(session)
    look_up(session, hospital.stranger.id, Wanted(name="王小明"), now + timedelta(minutes=59))
    session.flush()
    outcomes = select(AuditEvent.outcome, func.count()).where(AuditEvent.action == "look-up")
    counted = {row[0]: row[1] for row in session.execute(outcomes.group_by(AuditEvent.outcome))}
    assert counted == {"done": finding.PER_HOUR + 1, "too-many-look-ups": 1}
    look_up(session, hospital.mother.id, Wanted(name="王小明"), now + timedelta(minutes=61))


def test_nobody_slips_past_the_limit_by_asking_at_once(
    committed: sessionmaker[Session], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "PER_HOUR", 3)
    with committed.begin() as session:
        by = account(session, "o-admin", now).id
    together = Barrier(8)

    def ask(n: int) -> bool:
        together.wait()
        try:
            with transaction() as session:
                look_up(session, by, Wanted(phone=f"1380000123{n}"), now)
        except TooManyLookUps:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 3


def test_a_phone_is_not_kept_where_it_could_be_read(session: Session, hospital: Hospital) -> None:
    assert {len(key) for key in session.scalars(select(PatientPhone.phone_blind))} == {32}
    assert plain_phone("010-8888 0000") == "01088880000", "a city's 86 is not the country's"
    assert plain_phone("86123456") == "86123456"


def test_a_new_phone_replaces_the_old_one(session: Session, hospital: Hospital, now: datetime) -> None:
    born = hospital.child.birth_date
    record = IndexRecord("QR-0001", "PQR-0001", "王小明", born, Sex.MALE, ("13955556666",), None)
    put(session, record)
    session.commit()
    look_again(TablePatientIndex(), [hospital.child], now + timedelta(days=2))
    assert children(session, hospital, Wanted(phone="13955556666"), now) == {"QR-0001"}
    assert children(session, hospital, Wanted(phone="13800001234"), now) == {"QR-0002", "QR-0003"}


class Away:
    """An index that does not answer."""

    def find(self, code: str) -> IndexRecord | None:
        raise IndexUnavailable

    def find_number(self, number: str) -> IndexRecord | None:
        raise IndexUnavailable


@pytest.mark.parametrize(("index", "by_phone"), [(TablePatientIndex(), 3), (Away(), 0)])
def test_children_of_before_are_made_known(
    session: Session, hospital: Hospital, now: datetime, index: TablePatientIndex | Away, by_phone: int
) -> None:
    session.execute(delete(PatientPhone))
    session.execute(update(Patient).values(name_blind=None))
    session.commit()
    assert children(session, hospital, Wanted(name="王小明"), now) == set()
    assert complete(index) == 3
    assert complete(index) == 0
    session.expire_all()
    assert children(session, hospital, Wanted(name="王小明"), now) == {"QR-0001"}
    assert len(children(session, hospital, Wanted(phone="13800001234"), now)) == by_phone
