"""The number pool: one contract for its adapters, answers that are not believed, and cutting by it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
import time_machine
from procrastinate import App
from sqlalchemy import select, text
from sqlalchemy.orm import Session, sessionmaker

from booking.models import Period, Schedule, Slot
from booking.pool import Clinic, NumberPool, OursAlone, PoolUnavailable
from booking.roster_models import Roster
from booking.rosters.changes import Template, save_template, template_of
from booking.rosters.pooling import POOL_TASK
from config import redis
from config.policy import Policy
from config.settings import Settings
from integrations.pool import HttpPool, connect
from integrations.simulators.pool import HospitalSystem, serve
from people.models import Practitioner
from people.tasks import Task, TaskStatus
from tests.product import make_settings, seed
from wechat.service import connect as wechat
from worker import jobs
from worker.app import build

CLINIC = Clinic("internal-medicine", "D001", date(2026, 11, 27), Period.MORNING)
OTHER = replace(CLINIC, period=Period.AFTERNOON)
WANTED = {CLINIC: frozenset(range(1, 7)), OTHER: frozenset({1, 2})}


@pytest.fixture
def hospital_system() -> Iterator[tuple[HospitalSystem, str]]:
    """The stand-in, which keeps nothing for itself at first, and where it is."""
    system = HospitalSystem("dev-pool-token", kept=0)
    server = serve(system)
    yield system, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def http(hospital_system: tuple[HospitalSystem, str]) -> HttpPool:
    """The adapter as the settings make it."""
    given: dict[str, Any] = {"number_pool_url": f"{hospital_system[1]}/", "number_pool_token": "dev-pool-token"}
    made = connect(make_settings("postgresql://localhost/x", "redis://localhost", **given))
    assert isinstance(made, HttpPool)
    return made


@pytest.fixture(params=["alone", "http"])
def pool(request: pytest.FixtureRequest) -> NumberPool:
    """Each adapter in turn."""
    if request.param == "alone":
        return connect(make_settings("postgresql://localhost/x", "redis://localhost"))
    made: HttpPool = request.getfixturevalue("http")
    return made


def test_every_adapter_gives_only_what_was_asked_and_the_same_again(pool: NumberPool) -> None:
    first = pool.reserve(WANTED)
    assert first == WANTED
    assert pool.reserve(WANTED) == first
    assert pool.reserve({}) == {}


def test_every_adapter_takes_back_twice(pool: NumberPool) -> None:
    pool.reserve(WANTED)
    for _ in range(2):
        pool.give_back({CLINIC: frozenset({5, 6, 99})})
    assert pool.reserve({CLINIC: frozenset({5})}) == {CLINIC: frozenset({5})}


def test_alone_is_the_default() -> None:
    assert isinstance(connect(make_settings("postgresql://localhost/x", "redis://localhost")), OursAlone)
    with pytest.raises(ValueError, match="NUMBER_POOL_URL"):
        make_settings("postgresql://localhost/x", "redis://localhost", number_pool_url="his")


def test_the_hospital_keeps_some(hospital_system: tuple[HospitalSystem, str], http: HttpPool) -> None:
    hospital_system[0].kept = 3
    assert http.reserve(WANTED)[CLINIC] == {1, 2, 4, 5}
    http.give_back({CLINIC: frozenset({5})})
    with urllib.request.urlopen(f"{hospital_system[1]}/given") as answer:
        assert json.load(answer)["internal-medicine D001 2026-11-27 morning"] == [1, 2, 4]


@pytest.mark.parametrize("fault", ["500", "nonsense", "too-much", "hang-up"])
def test_faults(hospital_system: tuple[HospitalSystem, str], http: HttpPool, fault: str) -> None:
    hospital_system[0].fault = fault
    with pytest.raises(PoolUnavailable):
        http.reserve(WANTED)


def test_another_token_is_refused(http: HttpPool) -> None:
    with pytest.raises(PoolUnavailable, match="401"):
        replace(http, token="another").reserve(WANTED)


# Cutting by it


@pytest.fixture
def clinic(committed: sessionmaker[Session], now: datetime) -> Iterator[None]:
    """The small hospital with nothing cut yet, at a fixed moment."""
    with time_machine.travel(now, tick=False), committed() as session, session.begin():
        seed(session, now, quota=6)
        session.execute(text("truncate schedules cascade"))
        session.execute(text("delete from procrastinate_jobs"))
    with time_machine.travel(now, tick=False):
        yield


def numbers(committed: sessionmaker[Session]) -> list[int]:
    """The numbers of CLINIC."""
    query = (
        select(Slot.number)
        .join(Schedule, Schedule.id == Slot.schedule_id)
        .join(Practitioner, Practitioner.id == Schedule.practitioner_id)
        .where(Practitioner.code == "D001", Schedule.day == CLINIC.day, Schedule.period == CLINIC.period)
    )
    with committed() as session:
        return sorted(session.scalars(query))


def change_quota(committed: sessionmaker[Session], now: datetime, quota: int) -> None:
    with committed() as session, session.begin():
        doctor = select(Practitioner.id).where(Practitioner.code == "D001").scalar_subquery()
        query = select(Roster).where(Roster.practitioner_id == doctor, Roster.weekday == 4)
        roster = session.scalars(query.where(Roster.period == Period.MORNING)).one()
        wanted = Template(**{**template_of(roster).__dict__, "quota": quota})
        save_template(session, wanted, by=None, now=now, policy=Policy())


@pytest.mark.usefixtures("clinic")
def test_only_our_numbers_are_cut_and_unwanted_ones_go_back(
    committed: sessionmaker[Session],
    settings: Settings,
    hospital_system: tuple[HospitalSystem, str],
    http: HttpPool,
    now: datetime,
) -> None:
    system, key = hospital_system[0], ("internal-medicine", "D001", "2026-11-27", "morning")
    system.kept = 3
    queue = build(settings, lambda: None, wechat(settings, redis.connect(settings.redis_url)).tags, pool=http)
    assert jobs.cut_day(CLINIC.day, http) == 4
    assert numbers(committed) == [1, 2, 4, 5]
    change_quota(committed, now, 4)
    work(queue)
    assert numbers(committed) == [1, 2, 4]
    assert system.given[key] == {1, 2, 4}
    change_quota(committed, now, 8)
    work(queue)
    assert numbers(committed) == [1, 2, 4, 5, 7, 8]
    jobs.give_back(http, CLINIC, [7, 8])
    assert system.given[key] == {1, 2, 4, 5, 7, 8}  # they are in use again


@pytest.mark.usefixtures("clinic")
def test_a_pool_that_does_not_answer_leaves_the_day_for_later(
    committed: sessionmaker[Session], hospital_system: tuple[HospitalSystem, str], http: HttpPool
) -> None:
    hospital_system[0].fault = "500"
    assert jobs.cut_day(CLINIC.day, http) == 0
    assert numbers(committed) == []
    with committed() as session:
        task = session.scalars(select(Task).where(Task.kind == POOL_TASK)).one()
        assert (task.status, task.about["en"]) == (TaskStatus.OPEN, "27 Nov")
    hospital_system[0].fault = ""
    assert jobs.cut_day(CLINIC.day, http) == 4
    assert numbers(committed) == [1, 2, 3, 4, 5, 6]
    with committed() as session:
        assert session.scalars(select(Task).where(Task.kind == POOL_TASK)).one().status is TaskStatus.CANCELLED
    before = hospital_system[0].asked
    assert jobs.cut_day(CLINIC.day, http) == 0
    assert hospital_system[0].asked == before  # nothing is wanted, so nobody is asked


def work(queue: App) -> None:
    """Run what is in the queue, and return when it is empty or waiting."""
    queue.run_worker(
        wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="successful", concurrency=1
    )
