"""Real servers for every test: a PostgreSQL database and a Redis-protocol server per test process."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

import config.database
from app import create_app
from config import encryption
from config.migrate import migrate
from config.settings import Settings
from dev.browser import find_browser
from dev.servers import InUseError, Postgres, Server, Valkey
from migrations.models import METADATA
from tests.product import Hospital, make_settings, seed

# Enough for every run; `make test ARGS="--hypothesis-profile=thorough"` looks ten times as hard.
hypothesis.settings.register_profile("quick", max_examples=20, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=200, deadline=None)
hypothesis.settings.load_profile("quick")

SERVERS = Path(__file__).parents[1] / "var" / "tests" / "servers"


@pytest.fixture(scope="session")
def postgres_url(worker_id: str) -> Iterator[str]:
    """Returns the SQLAlchemy URL of an empty database of this test process, on DATABASE_URL's server when it is set."""
    name = f"clinic_test_{worker_id}"
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
    with ExitStack() as stack:
        url = urlsplit(os.environ.get("DATABASE_URL") or stack.enter_context(running(Postgres)))
        plain = url._replace(scheme="postgresql").geturl()
        connection = stack.enter_context(psycopg.connect(plain, autocommit=True))
        connection.execute(drop)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield url._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()
        connection.execute(drop)


@pytest.fixture(scope="session")
def redis_url(worker_id: str) -> Iterator[str]:
    """Returns the URL of this test process's server, empty at first; of a numbered database on REDIS_URL's when set."""
    if given := os.environ.get("REDIS_URL"):
        number = worker_id.removeprefix("gw") if worker_id != "master" else "0"
        yield urlsplit(given)._replace(path=f"/{number}").geturl()
    else:
        with running(Valkey) as url:
            yield url


@contextmanager
def running(kind: type[Server]) -> Iterator[str]:
    """Runs a server in the first folder that no other test process uses: made once, then up in a twentieth second."""
    for number in count():
        server = kind(SERVERS / f"{kind.__name__.lower()}-{number}", fast=True)
        try:
            url = server.start()
        except InUseError:
            continue
        try:
            yield url
        finally:
            server.stop()
        return


NOW = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)  # a Wednesday, 10:00 in Beijing


@pytest.fixture(scope="session")
def settings(postgres_url: str, redis_url: str) -> Settings:
    """The settings of this test process, on its own database and Redis."""
    return make_settings(postgres_url, redis_url)


@pytest.fixture(scope="session")
def engine(settings: Settings) -> Iterator[Engine]:
    """The migrated database of this test process."""
    encryption.use(encryption.KeyRing.from_settings(settings))
    made = create_engine(settings.sqlalchemy_url, pool_size=5)
    migrate(made)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, closed with its module: while Playwright is open, this thread runs an event loop."""
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run disable-component-update disable-sync"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=find_browser(),
            args=[f"--{flag}" for flag in (*flags.split(), "disable-background-networking")],
        )
        yield opened
        opened.close()


@pytest.fixture
def now() -> datetime:
    """The moment at which a test takes place."""
    return NOW


@pytest.fixture
def database(engine: Engine, settings: Settings) -> Iterator[Connection]:
    """Everything that the product writes goes over one connection and is rolled back after the test.

    A ``transaction()`` of the product is a savepoint here, so it commits and rolls back as it does in life.
    """
    with engine.connect() as connection, connection.begin() as outer:
        config.database.use(sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint"))
        yield connection
        outer.rollback()


@pytest.fixture
def session(database: Connection) -> Iterator[Session]:
    """A session beside the product's own, on the same connection."""
    with Session(database, expire_on_commit=False, join_transaction_mode="create_savepoint") as made:
        yield made


@pytest.fixture
def hospital(session: Session, now: datetime) -> Hospital:
    """The small hospital, committed as the product sees it."""
    made = seed(session, now)
    session.commit()
    return made


@pytest.fixture
def app(settings: Settings, database: Connection, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application on the test's connection."""
    monkeypatch.setattr(config.database, "connect", lambda _url: database.engine)
    made = create_app(settings)
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


@pytest.fixture
def committed(engine: Engine, settings: Settings) -> Iterator[sessionmaker[Session]]:
    """The product on its own connections, committing for good; every table is emptied afterwards."""
    own = config.database.connect(settings.sqlalchemy_url, pool=70)
    yield sessionmaker(own, expire_on_commit=False)
    own.dispose()
    tables = ", ".join(table.name for table in METADATA.sorted_tables)
    with engine.begin() as connection:
        connection.execute(text(f"truncate {tables}, procrastinate_jobs cascade"))
