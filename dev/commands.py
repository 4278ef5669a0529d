"""The commands of ``make`` and ``python3 dev/setup.py``. Standard library only: runs before anything is installed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

from dev.browser import install_browser, install_pdfsig, install_turn
from dev.install import MODULES, ROOT, TOOLS, UV, VENV, SetupError, install, install_peers, run_quietly, say

CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")
LOCKED = ("requirements-dev", "requirements", "requirements-bench", "dev/requirements-uv", "dev/requirements-node")
COMPILE = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-header", "--no-annotate"]


def main(words: list[str]) -> None:
    """Runs the command named by the first word (default: help) with the rest as its arguments; ends the process."""
    name, *arguments = words or ["help"]
    command = COMMANDS.get(name)
    if command is None:
        sys.exit(f"clinic: no command {name!r}; there are: {', '.join(COMMANDS)}")
    os.chdir(ROOT)
    try:
        command(arguments)
    except SetupError as error:
        if error.details:
            print(error.details, file=sys.stderr)
        sys.exit(f"clinic: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def run(arguments: list[str]) -> None:
    """set up and run the service and the WeChat simulator; Ctrl-C stops"""
    install()
    _become("python", "-m", "dev.run", *arguments)


def test(arguments: list[str]) -> None:
    """set up and run the tests (ARGS go to pytest)"""
    install()
    if "not browser" not in arguments:
        os.environ["CHROMIUM"] = install_browser()
        install_turn()
        install_pdfsig()
    _become("python", "-m", "pytest", "-n", "3", "--dist", "loadscope", "--no-loadscope-reorder", *arguments)


def lint(_: list[str]) -> None:
    """check style, format, types and the house's layers"""
    install()
    checks = [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy", "."], ["lint-imports", "--no-logo"]]
    failed = [
        " ".join(check)
        for check in checks
        if subprocess.run([VENV / "bin" / check[0], *check[1:]], check=False).returncode
    ]
    if failed:
        raise SetupError(f"failed: {', '.join(failed)}")


def types(arguments: list[str]) -> None:
    """check types"""
    install()
    _become("mypy", *(arguments or ["."]))


def bench(arguments: list[str]) -> None:
    """measure (ARGS name what: booking, pages, webhook; default all)"""
    install()
    install_peers()
    _become("python", "-m", "bench", *arguments)


def flask(arguments: list[str]) -> None:
    """run one of the service's commands beside `run` (ARGS, for example "menu publish")"""
    install()
    _become("python", "-m", "dev.environment", "flask", "--app", "app:create_app", *arguments)


def lock(arguments: list[str]) -> None:
    """write the lock files anew from the .in files (ARGS go to uv, for example --upgrade)"""
    install()
    for source in (
        "requirements-dev",
        "requirements",
        "requirements-bench",
        "dev/requirements-uv",
        "dev/requirements-node",
    ):
        say(f"locking {source}.in")
        # What the service needs is the same everywhere: the shorter lock files keep to the longest.
        shorter = source in {"requirements", "requirements-bench"}
        constraint = ["--constraint", "requirements-dev.lock"] if shorter else []
        command = [str(UV), "pip", "compile", "--quiet", *COMPILE, "--no-emit-index-url", *constraint, *arguments]
        run_quietly([*command, f"{source}.in", "--output-file", f"{source}.lock"], f"could not lock {source}.in")


def setup(_: list[str]) -> None:
    """install everything that `run` and `test` need"""
    install()
    install_browser()
    install_turn()
    install_pdfsig()


def clean(arguments: list[str]) -> None:
    """remove caches; with ARGS=all also everything that was installed and var/ with its data"""
    folders = [ROOT / name for name in CACHES]
    if arguments == ["all"]:
        folders += [VENV, TOOLS, MODULES, ROOT / "var"]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def show_help(_: list[str]) -> None:
    """list the commands"""
    print("python3 dev/setup.py COMMAND [arguments]   or   make COMMAND [ARGS='arguments']\n")
    for name, command in COMMANDS.items():
        print(f"  {name:6} {command.__doc__}")


def _become(program: str, *arguments: str) -> None:
    """Replaces this process by a program of the environment, so that signals and the exit code are its own."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    given = os.environ.get("NO_PROXY") or os.environ.get("no_proxy")
    direct = ",".join(filter(None, [given, "127.0.0.1", "localhost"]))  # our processes talk to each other
    environment = os.environ | {"PATH": path, "NO_PROXY": direct, "no_proxy": direct}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # many processes start: each would compile the whole house anew
    os.execve(VENV / "bin" / program, [program, *arguments], environment)  # noqa: S606 - no shell is meant


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "run": run,
    "test": test,
    "lint": lint,
    "types": types,
    "bench": bench,
    "flask": flask,
    "lock": lock,
    "setup": setup,
    "clean": clean,
    "help": show_help,
}
