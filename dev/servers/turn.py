"""coturn, which carries calls between browsers that find no straight way: the machine's own, when it is there."""

import shutil
import signal
import socket
from pathlib import Path

from dev.servers.server import Server, write_private

CONFIGURATION = """\
listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port={port}
min-port=49160
max-port=49999
realm=clinic
use-auth-secret
static-auth-secret={secret}
allow-loopback-peers
no-cli
no-tls
no-dtls
no-multicast-peers
fingerprint
log-file=stdout
simple-log
pidfile={pid_file}
userdb={folder}/users.db
"""


class Turn(Server):
    """coturn on 127.0.0.1 with names and passwords made from ``secret``."""

    name = "coturn"
    parent_gone = signal.SIGTERM
    stop_steps = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 5.0))

    def __init__(self, data_dir: Path, secret: str) -> None:
        super().__init__(data_dir)
        self._secret = secret

    @property
    def url(self) -> str:
        """Returns ``turn:127.0.0.1:port``."""
        return f"turn:127.0.0.1:{self.port}"

    @property
    def pid_file(self) -> Path:
        return self.data_dir / "turn.pid"

    @property
    def marker(self) -> str:
        return str(self.data_dir / "turn.conf")

    def prepare(self) -> None:
        text = CONFIGURATION.format(port=self.port, secret=self._secret, pid_file=self.pid_file, folder=self.data_dir)
        write_private(Path(self.marker), text)

    def command(self) -> list[str]:
        return [find_turn() or "turnserver", "-c", self.marker]

    def ready(self) -> bool:
        """A STUN binding request is answered (RFC 8489)."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.3)
            try:
                probe.sendto(b"\0\1\0\0\x21\x12\xa4\x42" + b"clinic-ready", ("127.0.0.1", self.port))
                return probe.recv(512)[:2] == b"\1\1"
            except OSError:
                return False


def find_turn() -> str | None:
    """Returns the path of the machine's turnserver (Debian: coturn), or None."""
    return shutil.which("turnserver")
