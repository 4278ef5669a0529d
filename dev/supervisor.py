"""Runs the parts of a service together: each when what it needs is ready, again when it dies, all down at the end."""

import http.client
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from types import FrameType
from typing import IO

from dev.guard import Guard
from dev.processes import die_with_parent, end_group, kill_group
from dev.servers import Server, ServerError

TICK = 0.05  # seconds between two looks at everything
STOP_SECONDS = 5.0  # a part that needs longer to stop is killed
BACK_OFF = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)  # seconds before a part that died is started again
GIVE_UP = 3  # deaths of one part before everything was up for the first time: it can't work, so stop
STEADY = 60.0  # seconds of life after which earlier deaths are forgotten
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine is not behind the proxy
LAST_WORDS = 12  # lines of a dead part's log that are shown


@dataclass(frozen=True)
class Part:
    """One process of the service."""

    name: str
    command: str  # as in a Procfile: the shell's words, with ${NAME:-default}
    needs: Sequence[str] = ()  # parts that must be ready before
    ready: str | None = None  # URL that answers 200 when it is ready; None: as soon as it runs
    once: bool = False  # ends by itself, and is ready when it ended well
    optional: bool = False  # once: when it fails, the rest goes on


class State(Enum):
    """Where a part stands."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    FAILED = "failed"  # optional and failed: nothing waits for it, nothing needs it


@dataclass
class _Life:
    """A part's state while it is supervised."""

    part: Part
    state: State = State.WAITING
    process: subprocess.Popen[bytes] | None = None
    log: IO[bytes] | None = None
    deaths: int = 0
    since: float = 0.0  # start of the present process
    not_before: float = 0.0


class SupervisorError(Exception):
    """The service can't run; the message is for the person at the terminal."""


@dataclass
class Supervisor:
    """Runs `servers`, then `parts`; `run` returns when a signal asked it to stop."""

    servers: Mapping[str, Server]  # by the environment variable that gets the URL
    parts: Sequence[Part]
    environment: Mapping[str, str]
    logs: Path
    root: Path
    say: Callable[[str], None]
    _lives: list[_Life] = field(default_factory=list)
    _guard: Guard = field(init=False)
    _stopping: bool = False

    def run(self, when_ready: Callable[[], None]) -> None:
        """Starts everything, calls `when_ready` once all is up, keeps it up until SIGINT, SIGTERM or SIGHUP; stops all.

        Raises SupervisorError when the service can't come up (everything is stopped then, too).
        """
        before = {sig: signal.signal(sig, self._ask_to_stop) for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        self.logs.mkdir(parents=True, exist_ok=True)
        self._guard = Guard()
        try:
            urls = {name: self._start_server(server) for name, server in self.servers.items()}
            self.environment = {**self.environment, **urls}
            self._lives = [_Life(part) for part in self.parts]
            self._keep_up(when_ready)
        finally:
            self._stop()
            for sig, handler in before.items():
                signal.signal(sig, handler)

    def _keep_up(self, when_ready: Callable[[], None]) -> None:
        up = False
        while not self._stopping:
            for server in self.servers.values():
                if not server.alive():
                    self.say(f"{server.name} ended; starting it again (see {server.log})")
                    before = server.url
                    if self._start_server(server) != before:
                        raise SupervisorError(f"{server.name}'s port was taken meanwhile: start again")
            for life in self._lives:
                self._look_at(life, patient=up)
            if not up and all(life.state in (State.READY, State.FAILED) for life in self._lives):
                up = True
                when_ready()
            time.sleep(TICK)
        self.say("stopping")

    def _look_at(self, life: _Life, patient: bool) -> None:
        if life.state is State.WAITING:
            if self._may_start(life):
                self._start(life)
        elif life.state is State.FAILED or life.process is None:
            return
        elif (code := life.process.poll()) is not None:
            self._ended(life, code, patient)
        elif life.state is State.STARTING and not life.part.once and _answers(life.part.ready):
            life.state = State.READY

    def _may_start(self, life: _Life) -> bool:
        ready = {other.part.name for other in self._lives if other.state is State.READY}
        return time.monotonic() >= life.not_before and ready.issuperset(life.part.needs)

    def _start(self, life: _Life) -> None:
        if life.log is None:
            life.log = _fresh(self.logs / f"{life.part.name}.log")
        life.process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {life.part.command}"],
            stdin=subprocess.DEVNULL,
            stdout=life.log,
            stderr=life.log,
            cwd=self.root,
            env=dict(self.environment),
            start_new_session=True,  # Ctrl-C is for us: we stop the parts in order
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - it calls prctl and nothing else
        )
        self._guard.watch(life.process.pid, signal.SIGKILL)
        life.since = time.monotonic()
        life.state = State.STARTING

    def _ended(self, life: _Life, code: int, patient: bool) -> None:
        """Decides what follows from the end of a part's process."""
        if life.process is not None:
            kill_group(life.process.pid)  # children that it left may still hold its port
            self._guard.forget(life.process.pid)
        life.process = None
        if life.part.once and code == 0:
            life.state = State.READY
            return
        how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
        self.say(
            f"{life.part.name} ended ({how}); its last words, from {self._log_name(life)}:\n{self._last_words(life)}"
        )
        if life.part.optional:
            life.state = State.FAILED
            return
        life.deaths = 1 if time.monotonic() - life.since > STEADY else life.deaths + 1
        if life.part.once or (not patient and life.deaths >= GIVE_UP):
            raise SupervisorError(f"{life.part.name} can't run, so the service can't (see {self._log_name(life)})")
        pause = BACK_OFF[min(life.deaths, len(BACK_OFF)) - 1]
        life.not_before = time.monotonic() + pause
        life.state = State.WAITING
        self.say(f"starting {life.part.name} again in {pause:g} s")

    def _start_server(self, server: Server) -> str:
        if server.pid is not None:
            self._guard.forget(server.pid)
        try:
            url = server.start()
        except ServerError as error:
            raise SupervisorError(str(error)) from error
        if server.pid is not None:
            self._guard.watch(server.pid, server.parent_gone)
        return url

    def _stop(self) -> None:
        for life in reversed(self._lives):
            if life.process is not None:
                end_group(life.process, STOP_SECONDS)
                self._guard.forget(life.process.pid)
            if life.log is not None:
                life.log.close()
        for server in reversed(list(self.servers.values())):
            pid = server.pid
            server.stop()
            if pid is not None:
                self._guard.forget(pid)
        self._guard.dismiss()

    def _ask_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Handles a signal: the first asks for an orderly end, the next for an end at once."""
        for life in self._lives if self._stopping else ():
            if life.process is not None:
                life.process.kill()
        self._stopping = True

    def _log_name(self, life: _Life) -> str:
        log = self.logs / f"{life.part.name}.log"
        return str(log.relative_to(self.root) if log.is_relative_to(self.root) else log)

    def _last_words(self, life: _Life) -> str:
        lines = (self.logs / f"{life.part.name}.log").read_text(errors="replace").strip().splitlines()
        return "\n".join(f"  {life.part.name} | {line}" for line in lines[-LAST_WORDS:])


def read_procfile(file: Path) -> dict[str, str]:
    """Returns the commands of a Procfile by name."""
    lines = [line.strip() for line in file.read_text().splitlines()]
    pairs = [line.split(":", 1) for line in lines if line and not line.startswith("#")]
    return {name.strip(): command.strip() for name, command in pairs}


def _answers(url: str | None) -> bool:
    if url is None:
        return True
    with suppress(OSError, http.client.HTTPException), DIRECT.open(url, timeout=1) as answer:
        return bool(answer.status == 200)
    return False


def _fresh(log: Path) -> IO[bytes]:
    """Opens an empty log, keeping the one of the run before."""
    if log.exists():
        log.replace(log.with_suffix(".old.log"))
    return log.open("ab")
