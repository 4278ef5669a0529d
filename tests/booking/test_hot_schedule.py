"""Eight threads do what families do, with the same few numbers, beside a worker: in the end all books agree, and nobody
was undone for waiting in a circle. ``HOT_RUNS=200`` repeats each with as many seeds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from random import Random
from threading import Barrier, Event, RLock
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.orm import Session, sessionmaker

from booking.models import Appointment, AppointmentStatus, Why
from booking.waiting_models import WaitingEntry, WaitingStatus
from config.database import transaction
from payments.gateway import Payment
from payments.models import LedgerAccount
from payments.queries import balances
from tests.booking import books
from tests.booking.world import World, build
from tests.payments.till import Till
from tests.product import seed

T = TypeVar("T")
THREADS, ACTS = 8, 25
RUNS = int(os.environ.get("HOT_RUNS", "0"))
FREE = ((0, 0, 5000), (0, 0, 5000))
OFFERED = select(Appointment.id).where(
    Appointment.status == AppointmentStatus.PENDING, Appointment.payment_id.is_(None)
)
WAITING = select(WaitingEntry.id).where(WaitingEntry.status == WaitingStatus.WAITING)
PAUSE = 0.02  # seconds at most, before a lock is taken: what others do falls between


class Gateway(Till):
    """One that answers several at once."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = RLock()

    def pay(self, number: str, at: datetime, *, amount_fen: int | None = None) -> Payment | None:
        with self.lock:
            return super().pay(number, at, amount_fen=amount_fen)

    def _call(self, name: str, what: Callable[[], T]) -> T:
        with self.lock:
            return super()._call(name, what)


@pytest.fixture
def undone(engine: Engine) -> Iterator[None]:
    """PostgreSQL has broken no circle of waiting, also where somebody tried again."""
    count = text("select deadlocks from pg_stat_database where datname = current_database()")
    with engine.connect() as connection:
        before = connection.scalar(count)
    yield
    with engine.connect() as connection:
        assert connection.scalar(count) == before


@pytest.fixture
def build_world(undone: None, committed: sessionmaker[Session], now: datetime) -> Callable[..., World]:
    """The clinic, committed for good; two mornings of one department are what everybody wants."""

    def building(**how: Any) -> World:
        with committed.begin() as session:
            made = build(session, seed(session, now), now, **how)
        made.till = Gateway()
        return made

    return building


@pytest.mark.parametrize("seed_of", range(1, (RUNS or 1) + 1))
def test_eight_families_at_once(build_world: Callable[..., World], seed_of: int) -> None:
    """Two numbers of each doctor and day."""
    world = build_world(quota=2)
    at_once(world, seed_of, ACTS, _something)
    _all_agrees(world)
    world.refunds_arrive()
    world.everything_ends()
    _all_agrees(world)
    with transaction() as session:
        assert balances(session)[LedgerAccount.GATEWAY] == world.till.holds
        assert session.scalars(select(Appointment.id)).first(), "nobody did anything"


def test_families_on_two_lists_at_once(build_world: Callable[..., World]) -> None:
    """Two give a number back for which the other's child is the next, while others do what they like. Pauses at random,
    before locks are taken, mix it."""
    world = build_world(fees=FREE)
    chance = Random(0)

    def pause(_: object, __: object, statement: str, *___: object) -> None:
        if "UPDATE" in statement or statement.startswith("SAVEPOINT"):
            time.sleep(chance.random() * PAUSE)

    for seed_of in range(RUNS or 3):
        crossed = world.cross()
        event.listen(Engine, "before_cursor_execute", pause)
        try:
            at_once(world, seed_of, 2, partial(_with_lists, crossed))
        finally:
            event.remove(Engine, "before_cursor_execute", pause)
        _all_agrees(world)


def at_once(world: World, seed_of: int, times: int, act: Callable[[World, Random], object]) -> None:
    """Eight threads act so many times each while the worker works."""
    ready, over = Barrier(THREADS + 1), Event()

    def family(which: int) -> None:
        chance = Random(f"{seed_of}-{which}")
        ready.wait(30)
        for _ in range(times):
            act(world, chance)

    def worker() -> None:
        ready.wait(30)
        while not over.is_set():
            world.sweep()
            world.work()

    with ThreadPoolExecutor(THREADS + 1) as pool:
        working = pool.submit(worker)
        try:
            for done in [pool.submit(family, which) for which in range(THREADS)]:
                done.result()
        finally:
            over.set()
        working.result()
    world.sweep()
    world.work()


def _all_agrees(world: World) -> None:
    with transaction() as session:
        books.never_oversold(session)
        books.nobody_comes_to_a_stopped_clinic(session)
        books.money_balances(session, idle=True)
        books.the_list_is_in_order(session, world.now)
        books.everybody_was_told(session, world.now)


def _something(world: World, chance: Random) -> None:
    """One thing that a family, or now and then the head of the department, may do."""
    schedule, child = chance.choice(world.schedules[:2]), chance.choice(list(world.guardians))
    visit = _one(chance, select(Appointment.id).where(Appointment.status != AppointmentStatus.CANCELLED))
    acts: list[Callable[[], object]] = [
        lambda: world.book(child, schedule),
        lambda: world.book(child, schedule),
        lambda: world.join(child, schedule),
        lambda: world.join(child, schedule),
        lambda: visit and world.cancel(visit, Why.PARENT, closes=chance.random() < 0.5),
        lambda: visit and world.change(visit, chance.choice(world.schedules)),
        lambda: _if(_one(chance, OFFERED), lambda it: world.answer(it, yes=True)),
        lambda: _if(_one(chance, OFFERED), lambda it: world.answer(it, yes=False)),
        lambda: _if(_one(chance, select(Appointment.payment_id)), lambda it: _pay(world, it)),
        lambda: _if(_one(chance, select(Appointment.payment_id)), lambda it: _pay(world, it)),
        lambda: _if(_one(chance, WAITING), world.leave),
        lambda: chance.random() < 0.2 and world.stop(chance.randrange(2), whole=False),
        lambda: _if(_stop(world), world.lift),
    ]
    chance.choice(acts)()


def _with_lists(crossed: list[UUID], world: World, chance: Random) -> None:
    """What makes numbers go from child to child, of two mornings that everybody waits for."""
    schedule, child = chance.choice(world.schedules[:2]), chance.choice(list(world.guardians))
    acts: list[Callable[[], object]] = [
        lambda: world.cancel(crossed[0], Why.PARENT, closes=False),
        lambda: world.cancel(crossed[1], Why.PARENT, closes=False),
        lambda: world.join(child, schedule),
        lambda: world.change(chance.choice(crossed), schedule),
        lambda: _if(_one(chance, OFFERED), lambda it: world.answer(it, yes=chance.random() < 0.5)),
    ]
    chance.choice(acts)()


def _one(chance: Random, found: Any) -> UUID | None:
    with transaction() as session:
        ids = [one for one in session.scalars(found) if one]
    return chance.choice(ids) if ids else None


def _if(it: UUID | None, then: Callable[[UUID], object]) -> object:
    return it and then(it)


def _stop(world: World) -> UUID | None:
    with transaction() as session:
        return next(iter(world.done_stops(session)), None)


def _pay(world: World, payment: UUID) -> None:
    """The cashier opens, if it still does, and the money comes."""
    world.open_cashier(payment)
    world.pay(payment.hex, told=1)
