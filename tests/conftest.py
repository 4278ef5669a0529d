"""Real servers for every test: a PostgreSQL database and a Redis-protocol server per test process."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import psycopg
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect, sync_playwright
from psycopg import sql
from redis import Redis
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker

import config.database
import config.redis
from app import create_app
from booking import gone
from config import encryption, policy, start
from config.migrate import migrate
from config.settings import Settings
from dev.browser import find_browser
from dev.servers import InUseError, Postgres, Server, Valkey
from migrations.models import METADATA
from prescriptions.signing.authority import SetupAuthority, trust
from tests.backwards import turn_around
from tests.held import all_sent
from tests.product import Hospital, make_settings, seed
from tests.remembered import remember_templates_and_routes

# Enough for every run; `make test ARGS="--hypothesis-profile=thorough"` looks ten times as hard.
hypothesis.settings.register_profile("quick", max_examples=20, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=200, deadline=None)
hypothesis.settings.load_profile("quick")

gc.freeze()  # what is imported stays
start.done()
remember_templates_and_routes()
turn_around()
expect.set_options(
    timeout=45_000
)  # milliseconds: the machine may be busy with other tests; else a page never takes that long


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys first: they take minutes each, and with the short ones last no core waits for another at the end."""
    items.sort(key=lambda item: "journeys" not in item.path.parts)


SERVERS = Path(__file__).parents[1] / "var" / "tests" / "servers"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Returns the URL of DATABASE_URL's server when it is set, else of this test process's own."""
    with ExitStack() as stack:
        yield os.environ.get("DATABASE_URL") or stack.enter_context(running(Postgres))


@contextmanager
def empty_database(server: str, name: str) -> Iterator[str]:
    """Returns the SQLAlchemy URL of an empty database, dropped afterwards."""
    url = urlsplit(server)
    with psycopg.connect(url._replace(scheme="postgresql").geturl(), autocommit=True) as connection:
        drop_database(connection, name)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield url._replace(scheme="postgresql+psycopg", path=f"/{name}").geturl()
        drop_database(connection, name)


def drop_database(connection: psycopg.Connection, name: str) -> None:
    """Drop it with our own connections to it. By FORCE it would fail while autovacuum is at work there, which only a
    superuser may end; a plain drop sends that away by itself."""
    ours = "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s and usename = current_user"
    connection.execute(ours, [name])
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def postgres_url(postgres_server: str, worker_id: str) -> Iterator[str]:
    """Returns the SQLAlchemy URL of an empty database of this test process."""
    with empty_database(postgres_server, f"clinic_test_{worker_id}") as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(worker_id: str) -> Iterator[str]:
    """Returns the URL of this test process's server, empty at first; of a numbered database on REDIS_URL's when set."""
    if given := os.environ.get("REDIS_URL"):
        number = worker_id.removeprefix("gw") if worker_id != "master" else "0"
        yield urlsplit(given)._replace(path=f"/{number}").geturl()
    else:
        with running(Valkey) as url:
            yield url


@pytest.fixture(autouse=True)
def nothing_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is held for Redis goes at once, and not into the next test."""
    monkeypatch.setattr(config.redis, "HELD", 0)
    yield
    all_sent()


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
    trust(SetupAuthority(settings.blind_index_key.get_secret_value().encode()).roots)
    made = create_engine(settings.sqlalchemy_url, pool_size=5)
    migrate(made)
    yield made
    made.dispose()


Seeded = tuple[Engine, Hospital]


@pytest.fixture(scope="session")
def seeded(postgres_server: str, worker_id: str, engine: Engine) -> Iterator[Seeded]:
    """A second database of this test process, in which the small hospital stands at NOW: seeding it takes longer than
    most tests. Nothing is ever committed there again."""
    with empty_database(postgres_server, f"clinic_test_{worker_id}_hospital") as url:
        made = create_engine(url, pool_size=5)
        migrate(made)
        with Session(made, expire_on_commit=False) as session, session.begin():
            hospital = seed(session, NOW)
        yield made, hospital
        made.dispose()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium, closed with its module: while Playwright is open, this thread runs an event loop."""
    flags = "headless no-sandbox disable-gpu disable-quic no-first-run disable-component-update disable-sync"
    # The phone's page in one process with the simulator's: between two, a tap can go to what was shown a moment ago.
    flags += " disable-site-isolation-trials"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=find_browser(),
            args=[f"--{flag}" for flag in (*flags.split(), "disable-background-networking")],
        )
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process keeps for a moment would outlast a test's rows."""
    monkeypatch.setattr(policy.KEPT, "seconds", 0.0)
    monkeypatch.setattr(gone.GONE, "seconds", 0.0)


@pytest.fixture
def now() -> datetime:
    """The moment at which a test takes place."""
    return NOW


@pytest.fixture
def database(request: pytest.FixtureRequest, engine: Engine, settings: Settings) -> Iterator[Connection]:
    """Everything that the product writes goes over one connection and is rolled back after the test: to the database
    where the hospital stands if the test wants it, else to the empty one.

    A ``transaction()`` of the product is a savepoint here, so it commits and rolls back as it does in life.
    """
    if "seeded" in request.fixturenames:
        engine = request.getfixturevalue("seeded")[0]
    encryption.use(encryption.KeyRing.from_settings(settings))  # an application of another test may have set its own
    with engine.connect() as connection, connection.begin() as outer:
        config.database.use(sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint"))
        yield connection
        outer.rollback()


@pytest.fixture
def session(database: Connection) -> Iterator[Session]:
    """A session beside the product's own, on the same connection."""
    with Session(database, expire_on_commit=False, join_transaction_mode="create_savepoint") as made:
        yield made


@pytest.fixture(scope="session")
def redis(redis_url: str) -> Iterator[Redis]:
    """This test process's Redis."""
    with Redis.from_url(redis_url) as made:
        yield made


@pytest.fixture
def hospital(seeded: Seeded, session: Session, redis: Redis) -> Hospital:
    """The small hospital at NOW, as the product sees it; Redis has heard of none of its people."""
    redis.flushdb()
    stands = {field.name: getattr(seeded[1], field.name) for field in fields(Hospital)}
    return Hospital(**{name: session.get_one(type(row), row.id) for name, row in stands.items()})


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
