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
                BENCHMARKS[name](settings, Path(folder))
        finally:
            valkey.stop()
            postgres.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
