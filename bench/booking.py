"""Booking on one hot doctor, against a counter that every booking must update.

By a statement for each of 32 at once, and as the web books: its two processes each send one statement for all who came
meanwhile, with record, fact and reminders.

pgbench is the client, so that PostgreSQL is measured and not Python; all are prepared statements. A service's
connections are open for hours: so rounds are long, since each reads the catalogue first, and a plan is made once and
kept, which PostgreSQL does by itself from the sixth time on.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, text

from bench.crowd import crowd, reset
from booking.models import Pool
from booking.numbers import BOOK, TAKE, Wanted
from config import clock, database
from config.hot import given
from config.migrate import migrate
from config.settings import Settings
from dev.servers import Postgres

CLIENTS, EACH, ROUNDS = 32, 100, 5
NUMBERS = CLIENTS * EACH
PROCESSES = 2  # of the Procfile's web; each books for one batch at a time (menus/lane.py)
BATCH = 10  # `make bench ARGS=http` prints how many it is with 32 connections: more
BATCHES = NUMBERS // PROCESSES // BATCH  # of each process
CHILD = f"lpad(to_hex(:client_id * {EACH} + :call), 32, '0')::uuid"  # the ids that bench/crowd.py gives
TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


class Delayed(Postgres):
    """PostgreSQL whose every flush takes two milliseconds more, as on a slower disk.

    With ``commit_siblings`` above 0 only commits beside others are delayed, and whoever waits for the counter's row is
    not counted: the delay would do nothing for the counter, and nothing of a slow disk be seen.
    """

    def command(self) -> list[str]:
        return [*super().command(), "-c", "commit_delay=2000", "-c", "commit_siblings=0"]


@dataclass(frozen=True)
class Way:
    """How all get their numbers: over so many connections, by so many calls of the script on each."""

    name: str
    script: Callable[[UUID], str]
    connections: int = CLIENTS
    calls: int = EACH


@dataclass(frozen=True)
class Bench:
    """A server with one hot doctor."""

    engine: Engine
    url: str
    pgbench: Path
    folder: Path
    schedule: UUID

    def rate(self, way: Way) -> float:
        """Bookings per second of one round, connecting not counted. Raises RuntimeError when one failed."""
        reset(self.engine, self.schedule, NUMBERS)
        script = self.folder / "script.sql"
        script.write_text(way.script(self.schedule))
        command = [str(self.pgbench), "-n", "-M", "prepared", "-j", "2", "-D", "call=0", "-f", str(script)]
        command += ["-c", str(way.connections), "-t", str(way.calls), self.url.replace("+psycopg", "")]
        kept = os.environ | {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
        done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
        found = TPS.search(done.stdout)
        if done.returncode or not found or "failed transactions: 0 " not in done.stdout:
            raise RuntimeError(f"{done.stdout[-300:]}{done.stderr[:600]}")
        with self.engine.connect() as connection:
            taken = connection.scalar(text("select count(*) from appointments where status = 'booked'"))
        if taken != NUMBERS:
            raise RuntimeError(f"{taken} of {NUMBERS} numbers were booked")
        return float(found[1]) * NUMBERS / (way.connections * way.calls)


def run(settings: Settings, folder: Path) -> None:
    """Compare the ways on PostgreSQL as it comes, and with commit_delay."""
    for title, kind in (("as it comes", Postgres), ("commit_delay=2000", Delayed)):
        with ExitStack() as stack:
            server = kind(folder / f"hot-{kind.__name__}")
            url = server.start()
            stack.callback(server.stop)
            engine = database.connect(url)
            stack.callback(engine.dispose)
            migrate(engine)
            schedule = crowd(engine, settings, clock.now(), NUMBERS).schedule
            _ask(engine, schedule)
            _compare(title, Bench(engine, url, server.binaries / "pgbench", folder, schedule))


def _compare(title: str, bench: Bench) -> None:
    rounds = [[bench.rate(way) for way in WAYS] for _ in range(ROUNDS + 1)][1:]
    print(f"Booking on one hot doctor, PostgreSQL {title} ({ROUNDS} rounds of {NUMBERS})")
    for place, way in enumerate(WAYS):
        ratios = sorted(rates[place] / rates[-1] for rates in rounds)
        print(f"  {way.name:<62}{statistics.median(rates[place] for rates in rounds):>6.0f} /s", end="")
        print(f"{statistics.median(ratios):>6.1f}   (rounds {ratios[0]:.1f} to {ratios[-1]:.1f})")
    print()


def _ask(engine: Engine, schedule: UUID) -> None:
    """Write down what the web would send for each batch of children."""
    rows = []
    for number in range(PROCESSES * BATCHES):
        children = range(number * BATCH + 1, (number + 1) * BATCH + 1)
        rows.append({"number": number, "asked": given([_wanted(schedule, UUID(int=child)) for child in children])})
    with engine.begin() as connection:
        connection.execute(text("create table asked_for (number int primary key, asked text not null)"))
        connection.execute(text("insert into asked_for values (:number, :asked)"), rows)
        connection.execute(text("analyze asked_for"))


def _wanted(schedule: UUID, child: UUID) -> Mapping[str, object]:
    now = clock.now()
    seen = {"department": "internal-medicine", "on": "2026-01-05"}
    reminders = now + timedelta(days=1), timedelta(minutes=30)
    until = now + timedelta(minutes=10)
    return Wanted(schedule, child, child, now, until, Pool.OPEN, seen, child, *reminders, "").values()


def for_each(schedule: UUID) -> str:
    """booking/numbers.py's statement for one, with pgbench's variables in the places of its parameters."""
    values = {
        "new_id": "gen_random_uuid()",
        "for_schedule": f"'{schedule}'",
        "from_pool": "'open'",
        "for_patient": f"({CHILD})",
        "by_account": f"({CHILD})",
        "instead_of": "null",
        "until": "now()",
        "at_moment": "now()",
    }
    written, names = TAKE.compiled
    written = re.sub(r"\$(\d+)", lambda place: values[names[int(place[1]) - 1]], written)
    return f"\\set call :call + 1\n{written};\n"


def for_many(_: UUID) -> str:
    """The statement by which the web books, given what it would send."""
    asked = f"(select asked from asked_for where number = :client_id * {BATCHES} + :call - 1)::json"
    return f"\\set call :call + 1\n{BOOK.written.replace('$1', asked)};\n"


def counter(schedule: UUID) -> str:
    """What many booking systems do: is the child free, take one off the counter, find a number, write the visit."""
    return f"""\\set call :call + 1
begin;
select 1 from appointments where patient_id = {CHILD} and schedule_id = '{schedule}';
update counters set free = free - 1 where schedule_id = '{schedule}' and free > 0 returning free \\gset
update slots set status = 'busy' where schedule_id = '{schedule}' and number = :free + 1 returning id as slot \\gset
insert into appointments (id, slot_id, schedule_id, department_id, patient_id, account_id, day, number, starts_at,
                          fee_fen, status, booked_at)
select gen_random_uuid(), slots.id, schedules.id, department_id, {CHILD}, {CHILD}, day, number, slots.starts_at,
       fee_fen, 'booked', now()
from slots join schedules on schedules.id = slots.schedule_id where slots.id = :slot::uuid;
end;
"""


WAYS = (
    Way(f"as the web: {PROCESSES} connections, {BATCH} at a time, record and fact", for_many, PROCESSES, BATCHES),
    Way(f"a statement each, {CLIENTS} connections", for_each),
    Way(f"conditional UPDATE of a counter, four trips, {CLIENTS} connections", counter),
)
