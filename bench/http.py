"""Booking through HTTP with everything around it, against a Flask POST that does nothing on the same gunicorn."""

from __future__ import annotations

import os
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
from sqlalchemy import Engine, text

from bench.crowd import Asking, Crowd, crowd, reset, rested
from bench.load import drive
from bench.webhook import Bot, Server, serve, spread
from booking.gone import SECONDS
from config import clock, database
from config.settings import Settings

CLIENTS, CALLS, ROUNDS = 32, 1000, 5
NO_OP = Bot("Flask, a POST that does nothing", "no_op")
STATEMENT = Bot("the bare statement", "statement")
CLINIC = Bot("a whole booking", "full_clinic")
WHOLE, SOLD_OUT = "a whole booking: access, limits, audit, fact", "sold out"
WITH_FEE = "a whole booking with a fee: its payment, too"


@dataclass(frozen=True)
class Way:
    """What is asked of which application, and the status that has to come."""

    name: str
    server: Server
    numbers: int
    status: int
    fee_fen: int = 0


@dataclass(frozen=True)
class Figure:
    """One round: requests per second; processor time per request of the workers and PostgreSQL in microseconds; how
    many were booked at a time, on average."""

    rate: float
    cost: float
    batch: float = 0


def run(settings: Settings, folder: Path) -> None:
    """Measure in turns and print."""
    engine = database.connect(settings.sqlalchemy_url)
    people = crowd(engine, settings, clock.now(), CALLS)
    asking = Asking(settings, people.schedule)
    with ExitStack() as stack:
        bots = (NO_OP, STATEMENT, CLINIC)
        nothing, bare, clinic = (stack.enter_context(serve(bot, "plain", settings, folder)) for bot in bots)
        ways = (
            Way(NO_OP.name, nothing, CALLS, 200),
            Way(STATEMENT.name, bare, CALLS, 200),
            Way(WHOLE, clinic, CALLS, 303),
            Way(WITH_FEE, clinic, CALLS, 303, 5000),
            Way(SOLD_OUT, clinic, 0, 409),
        )
        for way in ways:
            _rate(way, engine, people, _requests(asking)[:400])
        rounds = [[_rate(way, engine, people, _requests(asking)) for way in ways] for _ in range(ROUNDS)]
    engine.dispose()
    _show(ways, rounds)


def _requests(asking: Asking) -> list[bytes]:
    """One of each family, with cookies that nobody has seen before."""
    return [asking.book(family) for family in range(1, CALLS + 1)]


def _rate(way: Way, engine: Engine, people: Crowd, requests: list[bytes]) -> Figure:
    """One round. Raises RuntimeError when not everybody got what was asked for."""
    reset(engine, people.schedule, way.numbers, way.fee_fen)
    rested(way.server.valkey)
    postgres = _postgres(engine)
    with spread(way.server, CLIENTS) as connections:
        if way.status == 409:  # a rush that lasts, not its first moment
            drive(connections, requests[:100], way.status)
        before = way.server.seconds() + _seconds(postgres)
        rate = drive(connections, requests, way.status).rate
        cost = (way.server.seconds() + _seconds(postgres) - before) / len(requests)
    if way.status == 409:
        time.sleep(2 * SECONDS)  # until no process remembers that it was sold out
    batch = _batch(engine, "pending" if way.fee_fen else "booked", len(requests)) if way.status == 303 else 0
    return Figure(rate, cost * 1e6, batch)


def _batch(engine: Engine, status: str, wanted: int) -> float:
    """How many were booked by one statement: those have one moment. Raises RuntimeError unless all were booked."""
    counted = text("select count(*), count(distinct booked_at) from appointments where status = :status")
    with engine.connect() as connection:
        booked, statements = connection.execute(counted, {"status": status}).one()
    if booked != wanted:
        raise RuntimeError(f"{booked} of {wanted} were booked")
    return float(booked / statements)


def _postgres(engine: Engine) -> psutil.Process:
    with engine.connect() as connection:
        return psutil.Process(connection.scalar(text("select pg_backend_pid()"))).parent() or psutil.Process()


def _seconds(postgres: psutil.Process) -> float:
    """The processor time of all its processes, in seconds."""
    return float(sum(sum(process.cpu_times()[:2]) for process in [postgres, *postgres.children()]))


def _show(ways: tuple[Way, ...], rounds: list[list[Figure]]) -> None:
    load = os.getloadavg()[0]
    print(f"Booking through HTTP ({CLIENTS} connections, {ROUNDS} rounds of {CALLS}; load average {load:.1f})")
    for number, way in enumerate(ways):
        rate = statistics.median(found[number].rate for found in rounds)
        cost = statistics.median(found[number].cost for found in rounds)
        ratios = sorted(found[number].rate / found[0].rate for found in rounds)
        costs = statistics.median(found[0].cost / found[number].cost for found in rounds)
        middle = statistics.median(ratios)
        batch = statistics.median(found[number].batch for found in rounds)
        print(
            f"  {way.name:<46}{rate:>6.0f} /s {cost:>6.0f} us processor   of doing nothing {middle:.2f}"
            f"   (rounds {ratios[0]:.2f} to {ratios[-1]:.2f}; by processor time {costs:.2f})"
            + (f"   {batch:.1f} at a time" if batch else "")
        )
    print()
