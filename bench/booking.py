"""The booking statement on one hot doctor, against a counter that every booking must update.

pgbench is the client, so that PostgreSQL is measured and not Python; both ways are prepared statements. A service's
connections are open for hours: so rounds are long, since each reads the catalogue first, and a plan is made once and
kept, which PostgreSQL does by itself from the sixth time on.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sqlalchemy import Engine, text

from bench.crowd import crowd, reset
from booking.numbers import TAKE
from config import clock, database
from config.migrate import migrate
from config.settings import Settings
from dev.servers import Postgres

CLIENTS, EACH, ROUNDS = 32, 100, 5
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
class Bench:
    """A server with one hot doctor."""

    engine: Engine
    url: str
    pgbench: Path
    folder: Path
    schedule: UUID

    def rate(self, script: Path) -> float:
        """Transactions per second of one round, connecting not counted. Raises RuntimeError when one failed."""
        reset(self.engine, self.schedule, CLIENTS * EACH)
        command = [str(self.pgbench), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-t", str(EACH)]
        command += ["-D", "call=0", "-f", str(script), self.url.replace("+psycopg", "")]
        kept = os.environ | {"PGOPTIONS": "-c plan_cache_mode=force_generic_plan"}
        done = subprocess.run(command, env=kept, capture_output=True, text=True, check=False)
        found = TPS.search(done.stdout)
        if done.returncode or not found or "failed transactions: 0 " not in done.stdout:
            raise RuntimeError(f"{done.stdout[-300:]}{done.stderr[:600]}")
        with self.engine.connect() as connection:
            taken = connection.scalar(text("select count(*) from appointments where status = 'booked'"))
        if taken != CLIENTS * EACH:
            raise RuntimeError(f"{taken} of {CLIENTS * EACH} numbers were booked")
        return float(found[1])


def run(settings: Settings, folder: Path) -> None:
    """Compare the two ways on PostgreSQL as it comes, and with commit_delay."""
    for title, kind in (("as it comes", Postgres), ("commit_delay=2000", Delayed)):
        with ExitStack() as stack:
            server = kind(folder / f"hot-{kind.__name__}")
            url = server.start()
            stack.callback(server.stop)
            engine = database.connect(url)
            stack.callback(engine.dispose)
            migrate(engine)
            schedule = crowd(engine, settings, clock.now(), CLIENTS * EACH).schedule
            bench = Bench(engine, url, server.binaries / "pgbench", folder, schedule)
            _compare(title, bench)


def _compare(title: str, bench: Bench) -> None:
    ours, theirs = bench.folder / "statement.sql", bench.folder / "counter.sql"
    ours.write_text(f"\\set call :call + 1\n{statement(bench.schedule)};\n")
    theirs.write_text(counter(bench.schedule))
    rounds = [(bench.rate(ours), bench.rate(theirs)) for _ in range(ROUNDS + 1)][1:]
    ratios = sorted(a / b for a, b in rounds)
    print(f"Booking on one hot doctor, PostgreSQL {title} ({CLIENTS} clients, {ROUNDS} rounds of {CLIENTS * EACH})")
    print(f"  one statement, one row per number          {statistics.median(a for a, _ in rounds):>7.0f} /s")
    print(f"  conditional UPDATE of a counter, four trips{statistics.median(b for _, b in rounds):>8.0f} /s")
    print(f"  ratio {statistics.median(ratios):.1f}   (rounds {ratios[0]:.1f} to {ratios[-1]:.1f})\n")


def statement(schedule: UUID) -> str:
    """booking/numbers.py's statement with pgbench's variables in the places of its parameters."""
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
    return re.sub(r"\$(\d+)", lambda place: values[names[int(place[1]) - 1]], written)


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
