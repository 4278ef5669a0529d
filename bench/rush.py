"""The second of a release: thousands of parents, a few hundred numbers, a thousand connections, and many tap twice.

The product as the Procfile starts it, a real PostgreSQL, sessions that were signed in beforehand. Everybody has to be
answered; nobody may be sold a number twice. The time is compared with the same requests to a POST that does nothing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine, text

from bench.crowd import Asking, Crowd, crowd, reset, rested
from bench.http import CLINIC, NO_OP
from bench.webhook import Server, serve
from config import clock, database
from config.settings import Settings

PARENTS, NUMBERS, CONNECTIONS, ROUNDS = 4000, 300, 1000, 3
DOUBLE = 0.2
GENERATORS = 2
PATIENCE = 60.0  # seconds for one answer

Answers = Counter[str]


def run(settings: Settings, folder: Path) -> None:
    """Let the rush loose on both in turns, look that nothing went wrong, and print."""
    engine = database.connect(settings.sqlalchemy_url)
    people = crowd(engine, settings, clock.now(), PARENTS)
    asking = Asking(settings, people.schedule)
    taps = _taps(random.Random(7))
    requests = [asking.book(family) for family in taps]
    with ExitStack() as stack:
        nothing, clinic = (stack.enter_context(serve(bot, "plain", settings, folder)) for bot in (NO_OP, CLINIC))
        _let_loose(nothing, requests)
        rounds = []
        for _ in range(ROUNDS):
            took, answers = _rush(clinic, engine, people, requests)
            idle, _ = _let_loose(nothing, requests)
            rounds.append((took, idle, answers))
    engine.dispose()
    _show(len(taps), rounds)


def _taps(chance: random.Random) -> list[int]:
    """The families in the order of their taps; a second tap follows soon after the first."""
    taps = []
    for family in chance.sample(range(1, PARENTS + 1), PARENTS):
        taps.append(family)
        if chance.random() < DOUBLE:
            taps.insert(max(0, len(taps) - chance.randrange(1, 20)), family)
    return taps


def _rush(server: Server, engine: Engine, people: Crowd, requests: Sequence[bytes]) -> tuple[float, Answers]:
    reset(engine, people.schedule, NUMBERS)
    rested(server.valkey)
    took, answers = _let_loose(server, requests)
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "select count(*) as booked, count(distinct patient_id) as children, count(distinct slot_id) as slots,"
                " (select count(*) from procrastinate_jobs) as facts from appointments where status = 'booked'"
            )
        ).one()
    if tuple(row) != (NUMBERS,) * 4:
        raise RuntimeError(f"booked, children, numbers, facts: {tuple(row)}")
    if set(answers) - {"visit", "already", "sold out"} or answers["visit"] != NUMBERS:
        raise RuntimeError(str(answers))
    return took, answers


def _let_loose(server: Server, requests: Sequence[bytes]) -> tuple[float, Answers]:
    """Send everything over all connections from processes of their own; the seconds it took, and what came back."""
    shares = [(server.port, requests[n::GENERATORS], CONNECTIONS // GENERATORS) for n in range(GENERATORS)]
    with multiprocessing.get_context("spawn").Pool(GENERATORS) as pool:
        done = pool.starmap(_generate, shares, chunksize=1)
    began, ended = min(part[0] for part in done), max(part[1] for part in done)
    return ended - began, sum((part[2] for part in done), Counter())


def _generate(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, float, Answers]:
    """One process's share: when it began and ended (monotonic clock of the machine), and its answers."""
    return asyncio.run(_all(port, requests, connections))


async def _all(port: int, requests: Sequence[bytes], connections: int) -> tuple[float, float, Answers]:
    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    answers: Answers = Counter()
    waiting = iter(requests)
    began = time.monotonic()
    await asyncio.gather(*(_browser(reader, writer, waiting, answers) for reader, writer in opened))
    ended = time.monotonic()
    for _, writer in opened:
        writer.close()
    return began, ended, answers


async def _browser(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waiting: Iterator[bytes], answers: Answers
) -> None:
    """One connection: the next request when the one before is answered."""
    for request in waiting:
        try:
            writer.write(request)
            head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode("latin-1")
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n"))}
            await reader.readexactly(int(fields.get("content-length", "0")))
            answers[_kind(head.split(" ", 2)[1], fields.get("location", ""))] += 1
            if fields.get("connection", "").lower() == "close":
                answers["closed"] += 1
                return
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            answers[type(error).__name__] += 1
            return


def _kind(status: str, location: str) -> str:
    if status == "303":
        return "already" if location.endswith("note=already") else "visit"
    return {"200": "nothing", "409": "sold out"}.get(status, status)


def _show(taps: int, rounds: Sequence[tuple[float, float, Answers]]) -> None:
    ratios = sorted(took / idle for took, idle, _ in rounds)
    load = os.getloadavg()[0]
    print(
        f"Rush ({PARENTS} parents, {taps} taps, {NUMBERS} numbers, {CONNECTIONS} connections, {ROUNDS} rounds; "
        f"load average {load:.1f})"
    )
    for took, idle, answers in rounds:
        said = ", ".join(f"{count} {kind}" for kind, count in sorted(answers.items()))
        print(f"  {took:5.1f} s; the same to a POST that does nothing {idle:5.1f} s;   {said}")
    print(f"  ratio {statistics.median(ratios):.2f}   (rounds {ratios[0]:.2f} to {ratios[-1]:.2f})\n")
