"""`make bench`: a fresh database, then every benchmark in turn."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench import booking, web
from config import database, encryption
from config.migrate import migrate
from dev.servers import Postgres, Valkey
from tests.product import make_settings


def main() -> None:
    """Start private servers, migrate, run, stop."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder).chmod(0o755)
        postgres, valkey = Postgres(Path(folder) / "postgres"), Valkey(Path(folder) / "valkey")
        settings = make_settings(postgres.start(), valkey.start())
        try:
            encryption.use(encryption.KeyRing.from_settings(settings))
            engine = database.connect(settings.sqlalchemy_url, pool=40)
            migrate(engine)
            booking.run(engine)
            engine.dispose()
            web.run(settings)
        finally:
            valkey.stop()
            postgres.stop()


main()
