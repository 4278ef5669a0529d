"""The supervisor: order, health, restart, and an end that leaves no process, however it comes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from dev.processes import arguments_of
from dev.supervisor import Part, read_procfile

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
DRIVER = """
import json, sys
from pathlib import Path
import os
from dev.servers import Valkey
from dev.supervisor import Part, Supervisor, SupervisorError

folder, parts, with_server = Path(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3] == "True"
supervisor = Supervisor(
    servers={"REDIS_URL": Valkey(folder / "valkey", fast=True)} if with_server else {},
    parts=[Part(**part) for part in parts], environment=os.environ, logs=folder / "log", root=folder,
    say=lambda text: print(text, flush=True),
)
try:
    supervisor.run(lambda: print("up", flush=True))
except SupervisorError as error:
    sys.exit(str(error))
"""


class Run:
    """A supervisor in a process of its own, over toy parts that note "name pid" in a file when they start."""

    def __init__(self, folder: Path, parts: list[Part], with_server: bool = False) -> None:
        self.folder = folder
        arguments = [str(folder), json.dumps([asdict(part) for part in parts]), str(with_server)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=os.environ
            | {"http_proxy": "http://127.0.0.1:9"},  # nothing there: what runs here is not asked for by it
        )

    def until(self, words: str) -> None:
        """Reads the supervisor's words until a line contains `words`."""
        assert self.process.stdout
        for line in self.process.stdout:
            if words in line:
                return
        raise AssertionError(f"the supervisor ended without saying {words!r}")

    def starts(self, name: str = "") -> list[tuple[str, int]]:
        notes = self.folder / "notes"
        lines = [line.split() for line in notes.read_text().splitlines()] if notes.exists() else []
        return [(who, int(pid)) for who, pid in lines if name in ("", who)]

    def end(self, sig: signal.Signals) -> tuple[int, str]:
        """Signals the supervisor, waits for its end; returns its exit code and what it said on stderr."""
        self.process.send_signal(sig)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        _, errors = self.process.communicate(timeout=120)
        return self.process.returncode, errors

    def remaining(self) -> list[int]:
        pids = [*(pid for _, pid in self.starts()), self.server()]
        return [pid for pid in pids if pid and arguments_of(pid)]

    def server(self) -> int | None:
        """Returns the pid that the server noted, None while there is none."""
        try:
            return int((self.folder / "valkey" / "valkey.pid").read_text())
        except (OSError, ValueError):
            return None

    def all_gone(self) -> bool:
        for _ in range(6000):
            if not self.remaining():
                return True
            threading.Event().wait(0.01)
        return False


def stays(name: str, **options: object) -> Part:
    return Part(name, f"sh -c 'echo {name} $$ >> notes; exec sleep 60'", **options)  # type: ignore[arg-type]


def once(name: str, code: int = 0, **options: object) -> Part:
    return Part(name, f"sh -c 'echo {name} $$ >> notes; echo {name} spoke; exit {code}'", once=True, **options)  # type: ignore[arg-type]


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[list[Run]]:
    """Runs made by a test; what is left of them is killed at its end."""
    made: list[Run] = []
    yield made
    for run in made:
        run.process.kill()
        run.process.communicate()
        for pid in run.remaining():
            os.kill(pid, signal.SIGKILL)


def test_a_part_starts_when_what_it_needs_is_ready(tmp_path: Path, runs: list[Run]) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    web = f"sh -c 'echo web $$ >> notes; exec {sys.executable} -m http.server --bind 127.0.0.1 {port}'"
    knock = f"{sys.executable} -c 'import urllib.request; urllib.request.build_opener(urllib.request.ProxyHandler({{}})).open(\"http://127.0.0.1:{port}\")'"
    parts = [
        Part("knock", knock, ("web",), once=True),
        Part("web", web, ("release",), ready=f"http://127.0.0.1:{port}/"),
        once("release"),
    ]
    run = Run(tmp_path, parts, with_server=True)
    runs.append(run)
    run.until("up")
    assert [name for name, _ in run.starts()] == ["release", "web"]
    assert run.end(signal.SIGINT) == (0, "")
    assert run.all_gone()


def test_a_dead_part_is_started_again(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, [stays("web"), stays("worker")])
    runs.append(run)
    run.until("up")
    (_, first), *_ = run.starts("worker")
    os.kill(first, signal.SIGKILL)
    run.until("worker ended (SIGKILL)")
    while len(run.starts("worker")) < 2:
        threading.Event().wait(0.01)
    assert len(run.starts("web")) == 1
    assert run.end(signal.SIGTERM) == (0, "")
    assert run.all_gone()


def test_a_dead_server_is_started_again(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, [stays("web")], with_server=True)
    runs.append(run)
    run.until("up")
    first = run.server()
    assert first
    os.kill(first, signal.SIGKILL)
    run.until("Valkey ended")
    while run.server() in (None, first):
        threading.Event().wait(0.01)
    assert run.end(signal.SIGTERM) == (0, "")
    assert run.all_gone()


def test_a_part_that_does_not_listen_is_killed_with_its_children(
    tmp_path: Path, runs: list[Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    deaf = "sh -c 'trap \"\" TERM; echo deaf $$ >> notes; sleep 60 & echo child $! >> notes; wait; wait; wait'"
    run = Run(tmp_path, [Part("deaf", deaf)])
    runs.append(run)
    run.until("up")
    while len(run.starts()) < 2:
        threading.Event().wait(0.01)
    run.process.send_signal(signal.SIGINT)
    run.until("stopping")
    assert run.end(signal.SIGINT) == (0, "")  # who asks twice is not kept waiting
    assert run.all_gone()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child of its parent's death")
def test_a_killed_supervisor_leaves_no_process(tmp_path: Path, runs: list[Run]) -> None:
    master = "sh -c 'echo master $$ >> notes; sleep 60 & echo child $! >> notes; wait'"
    run = Run(tmp_path, [Part("web", master), stays("worker")], with_server=True)
    runs.append(run)
    run.until("up")
    while len(run.starts()) < 3:
        threading.Event().wait(0.01)
    assert len(run.remaining()) == 4
    run.end(signal.SIGKILL)
    assert run.all_gone()


def test_what_can_not_start_ends_everything_with_its_last_words(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, [stays("other"), once("release", code=3), stays("web", needs=("release",))])
    runs.append(run)
    run.until("release ended (exit code 3)")
    run.until("  release | release spoke")
    code, errors = run.ended()
    assert (code, errors) == (1, "release can't run, so the service can't (see log/release.log)\n")
    assert not run.starts("web")
    assert run.all_gone()


def test_an_optional_part_may_fail(tmp_path: Path, runs: list[Run]) -> None:
    run = Run(tmp_path, [once("menu", code=1, optional=True), stays("web")])
    runs.append(run)
    run.until("menu ended (exit code 1)")
    run.until("up")
    assert run.end(signal.SIGTERM)[0] == 0


def test_the_log_of_the_run_before_is_kept_once(tmp_path: Path, runs: list[Run]) -> None:
    for _ in range(2):
        run = Run(tmp_path, [once("release")])
        runs.append(run)
        run.until("up")
        run.end(signal.SIGTERM)
    assert (tmp_path / "log" / "release.log").read_text() == "release spoke\n"
    assert (tmp_path / "log" / "release.old.log").read_text() == "release spoke\n"


def test_the_procfile_is_read_as_others_read_it(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text("# comment\n\nweb: gunicorn --bind ${BIND:-127.0.0.1:8000} 'a:b()'\nworker:flask worker\n")
    assert read_procfile(file) == {
        "web": "gunicorn --bind ${BIND:-127.0.0.1:8000} 'a:b()'",
        "worker": "flask worker",
    }
