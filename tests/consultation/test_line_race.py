"""Two tabs at once: one call, one child in the room."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.database import transaction
from config.errors import Refused
from consultation.encounters.models import Encounter, EncounterStatus, RoomEvent
from consultation.line import actions
from tests.consultation.lines import POLICY, arrive, booked, checked, child, morning, viewer
from tests.product import seed

TABS = 6


def test_six_tabs_call_one_and_begin_one(committed: sessionmaker[Session], now: datetime) -> None:
    with committed.begin() as session:
        hospital = seed(session, now)
        schedule = morning(session, hospital.doctor, now)
        at = schedule.starts_at + timedelta(hours=1)
        checked(session, schedule, hospital.doctor, at)
        visits = booked(session, hospital, schedule, [child(session, hospital, n, now) for n in range(3)], now)
        line = [arrive(session, hospital, visit, at) for visit in visits]
    doctor, ready = viewer(hospital.doctor), Barrier(TABS)

    def tab(n: int) -> str:
        ready.wait()
        try:
            with transaction() as session:
                return str(actions.call_next(session, doctor, at, POLICY).id)
        except Refused as refused:
            return refused.code

    def begin(n: int) -> str:
        ready.wait()
        try:
            with transaction() as session:
                return str(actions.start(session, doctor, line[n % 3].appointment_id, at).id)
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(TABS) as tabs:
        assert set(tabs.map(tab, range(TABS))) == {str(line[0].id)}
        begun = set(tabs.map(begin, range(TABS)))
    assert begun == {str(line[0].id), "still-busy"}
    with committed() as session:
        assert session.scalar(select(func.count()).where(RoomEvent.kind == "called")) == 1
        inside = select(func.count()).where(Encounter.status == EncounterStatus.IN_PROGRESS)
        assert session.scalar(inside) == 1
