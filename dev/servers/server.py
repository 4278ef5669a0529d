"""What both embedded servers share: one owner per folder, a kept port and password, start, health, stop, leftovers."""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import IO, ClassVar

from dev.processes import arguments_of, die_with_parent, end
from dev.servers.nobody import Identity

LOG_LIMIT = 5_000_000  # bytes; a longer log is put aside once at the next start
START_SECONDS = 60.0  # recovery after a crash may take its time
TRIES = 4  # a second apart: after kill -9 the last children of the old server may hold its memory a little longer


class ServerError(Exception):
    """The server can't run; the message is one line for the person at the terminal."""


class InUseError(ServerError):
    """Another live process owns the folder."""


class Server(ABC):
    """One server over one folder. `start` may be called again after the server died; `stop` is safe at any time.

    The folder holds the data, the log, and in files only its owner reads the password and the port,
    which therefore stay the same from one start to the next (the port, while nobody else took it).
    """

    name: ClassVar[str]
    parent_gone: ClassVar[signal.Signals]  # what the server hears when we die without a word
    stop_steps: ClassVar[Sequence[tuple[signal.Signals, float]]]

    def __init__(self, data_dir: Path, port: int | None = None, *, fast: bool = False) -> None:
        """`port` None: a free one. `fast` gives up durability over a power cut, for tests."""
        self.data_dir = data_dir.resolve()
        self.fast = fast
        self.log = self.data_dir / "server.log"
        self.port = 0
        self._wanted_port = port
        self._lock: IO[str] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the server is, with the password."""

    @property
    @abstractmethod
    def pid_file(self) -> Path:
        """The file in which the server itself notes its pid (first line)."""

    @property
    @abstractmethod
    def marker(self) -> str:
        """An argument on the server's command line that only the server of this folder has."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes the data when there is none, and the server's configuration."""

    @abstractmethod
    def command(self) -> list[str]:
        """Returns the command that runs the server in the foreground."""

    @abstractmethod
    def ready(self) -> bool:
        """Tells by a real, authenticated connection whether the server answers."""

    @property
    def identity(self) -> Identity:
        """As whom the server runs."""
        return Identity()

    def start(self) -> str:
        """Starts the server, waits until it answers and returns its URL. Raises ServerError."""
        try:
            self.launch()
            return self.wait()
        except BaseException:
            self.stop()
            raise

    def attach(self) -> str:
        """Returns the URL of the server that another process runs over this folder. Raises ServerError."""
        self.port = int(self._kept("port") or 0) if self.data_dir.exists() else 0
        if not self.port or not self.ready():
            raise ServerError(f"{self.name} is not running")
        return self.url

    def launch(self) -> None:
        """First half of `start`: everything up to the running process. Raises ServerError."""
        if self.alive():
            return
        self._own_folder()
        self._end_leftover()
        self.port = self._choose_port()
        self.prepare()
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.identity.prefix, *self.command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data_dir,
                start_new_session=True,  # Ctrl-C at the terminal is for the supervisor, which stops us in order
                preexec_fn=die_with_parent(self.parent_gone),  # noqa: PLW1509 - it calls prctl and nothing else
                **self.identity.popen,
            )

    def wait(self) -> str:
        """Second half of `start`: waits until the server answers. Raises ServerError."""
        deadline = time.monotonic() + START_SECONDS
        tries = TRIES
        while time.monotonic() < deadline:
            if self.ready():
                return self.url
            if not self.alive():
                tries -= 1
                if not tries:
                    raise ServerError(f"{self.name} did not start: {self._last_words()} (see {self.log})")
                time.sleep(1)
                self.launch()
            time.sleep(0.02)
        raise ServerError(f"{self.name} did not answer within {START_SECONDS:.0f} s (see {self.log})")

    def alive(self) -> bool:
        """Tells whether the process that we started is running."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The pid of the process that we started."""
        return self._process.pid if self._process else None

    def stop(self) -> None:
        """Ends the server in good order and gives the folder free."""
        if self._process is not None:
            process = self._process
            end(process.pid, self.stop_steps, lambda: process.poll() is not None)
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def password(self) -> str:
        """Returns the folder's password, made at first use."""
        return self._kept("password") or self._keep("password", secrets.token_urlsafe(24))

    def _own_folder(self) -> None:
        """Takes the folder for this object's life: a second owner is refused, a dead one leaves it free."""
        if self._lock is not None:
            return
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            lock = (self.data_dir / "lock").open("w")
        except OSError as error:
            raise ServerError(f"{self.name} can't use {self.data_dir}: {error.strerror}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.close()
            raise InUseError(f"{self.name} in {self.data_dir} is in use by another process") from error
        self._lock = lock
        if self.identity.uid is not None:
            os.chown(self.data_dir, self.identity.uid, self.identity.uid)
        self.data_dir.chmod(0o700)

    def _end_leftover(self) -> None:
        """Ends the server that a killed owner left behind, and removes a pid file that means nobody.

        A pid alone proves nothing after a crash: it may be anybody's by now, so the command line has to be ours.
        """
        try:
            pid = int(self.pid_file.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        if self._is_ours(pid):
            end(pid, self.stop_steps, lambda: not self._is_ours(pid))
        self.pid_file.unlink(missing_ok=True)

    def _is_ours(self, pid: int) -> bool:
        return self.marker in arguments_of(pid)

    def _choose_port(self) -> int:
        """Returns the wanted port, else the one kept from last time, else a free one."""
        port = self._wanted_port or int(self._kept("port") or 0)
        if not port or not is_free(port):
            if self._wanted_port:
                raise ServerError(f"{self.name}: port {port} is in use")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self._keep("port", str(port))
        return port

    def _kept(self, name: str) -> str:
        file = self.data_dir / name
        return file.read_text() if file.exists() else ""

    def _keep(self, name: str, value: str) -> str:
        write_private(self.data_dir / name, value)
        return value

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines() if self.log.exists() else []
        return lines[-1] if lines else "it said nothing"


def write_private(file: Path, text: str) -> None:
    """Writes a file that only its owner can read, all at once: readers see the old text or the new."""
    draft = file.with_name(f"{file.name}.{os.getpid()}.draft")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    draft.replace(file)


def is_free(port: int) -> bool:
    """Tells whether a server could listen on this port of 127.0.0.1."""
    with socket.socket() as probe:  # asked first: beside a server on all addresses, macOS lets us bind this one
        probe.settimeout(1)
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            return False
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
