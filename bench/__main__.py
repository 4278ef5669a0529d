"""`make bench`: a fresh database, then every benchmark in turn; `make bench ARGS=webhook` runs those named."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bench import booking, http, large, live, pages, rush, stopped, web, webhook
from bench.crowd import crowd
from config import clock, database, encryption
from config.migrate import migrate
from config.settings import Settings
from dev.servers import Postgres, Valkey
from tests.product import make_settings

BENCHMARKS: dict[str, Callable[[Settings, Path], None]] = {
    "booking": booking.run,
    "large": large.run,
    "http": http.run,
    "rush": rush.run,
    "pages": web.run,
    "webhook": webhook.run,
    "live": live.run,
    "kept": lambda settings, _: pages.run(settings),
    "stopped": lambda settings, _: stopped.run(database.connect(settings.sqlalchemy_url), settings),
}


MISSED = 0.02  # of the time; less is not worth a line
ASKED_FOR = {"large"}  # by name only: it takes long, and much room


def main(names: list[str]) -> None:
    """Start private servers, migrate, run, stop."""
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"clinic: no benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        postgres, valkey = Postgres(Path(folder) / "postgres"), Valkey(Path(folder) / "valkey", fast=True)
        database_url, _ = postgres.start(), valkey.start()
        settings = make_settings(database_url, valkey.socket_url)
        try:
            encryption.use(encryption.KeyRing.from_settings(settings))
            engine = database.connect(settings.sqlalchemy_url)
            migrate(engine)
            crowd(engine, settings, clock.now(), 1)
            engine.dispose()
            for name in names or [name for name in BENCHMARKS if name not in ASKED_FOR]:
                before = _processors()
                BENCHMARKS[name](settings, Path(folder))
                _say_what_was_missing(before, _processors())
        finally:
            valkey.stop()
            postgres.stop()


def _processors() -> tuple[int, int]:
    """Processor time since the machine began, in ticks: what was asked for, and what of it a virtual machine's host
    gave to others. Zeros where that is not said."""
    said = Path("/proc/stat")
    if not said.exists():
        return 0, 0
    user, nice, system, _, _, irq, softirq, stolen = map(int, said.read_text().split(maxsplit=9)[1:9])
    return user + nice + system + irq + softirq + stolen, stolen


def _say_what_was_missing(before: tuple[int, int], after: tuple[int, int]) -> None:
    asked, stolen = (later - earlier for earlier, later in zip(before, after, strict=True))
    if asked and stolen / asked >= MISSED:
        print(f"  (of the processor time that was asked for, the host gave {stolen / asked:.0%} to others)\n")


if __name__ == "__main__":
    main(sys.argv[1:])
