"""Siblings back to back: next to each other, all or none, each with its own fee."""

from __future__ import annotations

from datetime import datetime
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session, sessionmaker

from booking import actions
from booking.actions import together
from booking.actions.together import _free
from booking.models import Appointment, AppointmentStatus, Pool, Schedule, Slot, SlotStatus
from booking.refusals import AlreadyHolding, SoldOut, TooFewTogether
from booking.rules import nearest
from config.policy import Policy
from payments.models import Payment
from tests.booking.test_booking import schedule_of
from tests.product import Hospital, patient, seed

POLICY = Policy()


def taken(session: Session, schedule: Schedule, *numbers: int) -> None:
    session.execute(
        update(Slot).where(Slot.schedule_id == schedule.id, Slot.number.in_(numbers)).values(status=SlotStatus.BUSY)
    )


@given(st.sets(st.integers(1, 60)), st.integers(1, 4))
def test_nearest_is_the_narrowest_window(free: set[int], count: int) -> None:
    found = nearest({number: number for number in free}, count)
    if len(free) < count:
        assert found == []
        return
    ordered = sorted(free)
    spans = [ordered[i + count - 1] - ordered[i] for i in range(len(ordered) - count + 1)]
    assert len(found) == count
    assert set(found) <= free
    assert found[-1] - found[0] == min(spans)


def test_two_numbers_next_to_each_other(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    taken(session, schedule, 2, 4)
    both = [hospital.child, hospital.sibling]
    found = actions.book_together(session, schedule.id, both, hospital.mother.id, now, POLICY)
    assert [visit.number for visit in found] == [5, 6]
    assert [visit.patient_id for visit in found] == [child.id for child in both]


def test_else_the_nearest_and_never_kept_ones(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    taken(session, schedule, 2, 3, 4, 6, 8, 9)
    session.execute(update(Slot).where(Slot.number > 9).values(pool=Pool.LATER))
    both = [hospital.child, hospital.sibling]
    found = actions.book_together(session, schedule.id, both, hospital.mother.id, now, POLICY)
    assert [visit.number for visit in found] == [5, 7]


def test_all_or_none(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    actions.book(session, schedule.id, hospital.sibling, hospital.mother.id, now, POLICY)
    both = [hospital.child, hospital.sibling]
    with pytest.raises(AlreadyHolding), session.begin_nested():
        actions.book_together(session, schedule.id, both, hospital.mother.id, now, POLICY)
    taken(session, schedule, *range(1, 12))
    with pytest.raises(TooFewTogether):
        actions.book_together(session, schedule.id, both, hospital.mother.id, now, POLICY)
    assert session.scalar(select(func.count()).select_from(Appointment)) == 1
    free = select(func.count()).where(Slot.schedule_id == schedule.id, Slot.status == SlotStatus.FREE)
    assert session.scalar(free) == 1


def test_a_number_that_went_meanwhile_is_chosen_anew(
    session: Session, hospital: Hospital, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second goes to somebody while the first is being taken: the first is given back, and both tried again."""
    schedule = schedule_of(session, hospital, now)
    before = _free(session, schedule.id)
    taken(session, schedule, 2)
    readings = iter([before])
    monkeypatch.setattr(together, "_free", lambda *given: next(readings, None) or _free(*given))
    both = [hospital.child, hospital.sibling]
    found = actions.book_together(session, schedule.id, both, hospital.mother.id, now, POLICY)
    assert [visit.number for visit in found] == [3, 4]
    assert session.scalar(select(func.count()).select_from(Appointment)) == 2


def test_each_is_paid_by_itself(session: Session, hospital: Hospital, now: datetime) -> None:
    schedule = schedule_of(session, hospital, now)
    session.execute(update(Schedule).where(Schedule.id == schedule.id).values(fee_fen=5000))
    both = [hospital.child, hospital.sibling]
    found = actions.book_together(session, schedule.id, both, hospital.mother.id, now, POLICY)
    assert {visit.status for visit in found} == {AppointmentStatus.PENDING}
    assert session.scalars(select(Payment.amount_fen)).all() == [5000, 5000]


def test_families_in_a_rush_get_pairs_or_nothing(committed: sessionmaker[Session], now: datetime) -> None:
    """Ten families of two and ten single children want twelve numbers at once."""
    with committed.begin() as session:
        hospital = seed(session, now)
        born = hospital.child.birth_date
        children = [patient(session, f"QR-5{n:03}", "赵小", born, now) for n in range(30)]
        schedule = schedule_of(session, hospital, now)
    ready, odd = Barrier(20), []

    def want(which: int) -> None:
        ready.wait()
        mine = children[2 * which : 2 * which + 2] if which < 10 else [children[which + 10]]
        try:
            with committed.begin() as session:
                if which < 10:
                    actions.book_together(session, schedule.id, mine, hospital.mother.id, now, POLICY)
                else:
                    actions.book(session, schedule.id, mine[0], hospital.mother.id, now, POLICY)
        except (SoldOut, TooFewTogether):
            pass
        except Exception as error:
            odd.append(error)

    threads = [Thread(target=want, args=(which,)) for which in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert odd == []
    with committed() as session:
        held = set(session.scalars(select(Appointment.patient_id)))
        doubled = session.execute(text("select slot_id from appointments group by 1 having count(*) > 1")).all()
    assert doubled == []
    assert 0 < len(held) <= 12
    for family in range(10):
        pair = {child.id for child in children[2 * family : 2 * family + 2]}
        assert len(pair & held) in {0, 2}
