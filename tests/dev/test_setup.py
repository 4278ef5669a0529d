"""Set-up: says in one line what is missing, does nothing twice, waits for another one at work."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dev import browser, commands, install
from dev.install import SetupError

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def python_without_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder / "bin" / "python"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What set-up needs of a fresh clone."""
    shutil.copytree(ROOT / "dev", tmp_path / "dev", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("requirements.lock", "requirements-dev.lock", "package.json", "package-lock.json", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_without_pip_it_says_so_in_one_line(checkout: Path, python_without_pip: Path) -> None:
    command = [str(python_without_pip), "dev/setup.py", "run"]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == "clinic: pip is missing (Debian: apt-get install python3-pip)"
    assert "Traceback" not in result.stderr


def test_a_second_set_up_waits_for_the_first(checkout: Path, python_without_pip: Path) -> None:
    (checkout / ".tools").mkdir()
    with (checkout / ".tools" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        second = subprocess.Popen(
            [python_without_pip, "dev/setup.py", "setup"],
            cwd=checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert second.stdout
        assert second.stdout.readline() == "clinic: waiting for another set-up in this checkout\n"
        assert second.poll() is None
    assert second.communicate()[0] == "clinic: installing uv\n"  # and only then goes on


def test_an_old_python_is_told_so() -> None:
    code = (
        "import sys; sys.version_info = (3, 10, 0); sys.argv = ['dev/setup.py'];"
        "exec(compile(open('dev/setup.py').read(), 'dev/setup.py', 'exec'), {'__name__': '__main__'})"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "clinic: needs Python 3.11 or later; this is 3.10\n")


def test_any_python_3_can_read_the_entry() -> None:
    compile((ROOT / "dev" / "setup.py").read_text(), "setup.py", "exec", _feature_version=6)


def test_an_unknown_command_names_the_known_ones() -> None:
    result = subprocess.run(
        [sys.executable, "dev/setup.py", "rnu"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert result.stderr.startswith("clinic: no command 'rnu'; there are: run, test, lint")


def test_make_has_every_command() -> None:
    targets = (ROOT / "Makefile").read_text()
    for name in commands.COMMANDS:
        assert f" {name}" in targets.split(".PHONY:")[1].splitlines()[0]


class Steps:
    """Stands for the commands that install, and notes them."""

    def __init__(self) -> None:
        self.programs: list[str] = []

    def __call__(self, command: Sequence[str | Path], *_: object) -> str:
        self.programs.append(" ".join(Path(word).name if os.sep in str(word) else str(word) for word in command[:3]))
        return ""


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Steps:
    """An install() that works on an empty folder, and does not really install."""
    steps = Steps()
    monkeypatch.setattr(install, "run_quietly", steps)
    monkeypatch.setattr(install, "_npm", lambda: (["npm"], {}))
    monkeypatch.setattr(install, "_mirror", dict)
    for name in ("TOOLS", "VENV", "MODULES"):
        monkeypatch.setattr(install, name, tmp_path / name)
        (tmp_path / name).mkdir()
    (tmp_path / "VENV" / "bin").mkdir()
    (tmp_path / "VENV" / "bin" / "python").touch()
    lock = tmp_path / "package-lock.json"
    lock.write_text("{}")
    monkeypatch.setattr(install, "NPM_LOCK", lock)
    return steps


def test_nothing_is_installed_twice_and_what_changed_again(steps: Steps, capsys: pytest.CaptureFixture[str]) -> None:
    install.install()
    first = len(steps.programs)
    assert "uv pip sync" in steps.programs
    install.install()
    assert len(steps.programs) == first
    install.NPM_LOCK.write_text('{"changed": true}')
    capsys.readouterr()
    install.install()
    assert steps.programs[first:] == ["npm ci --ignore-scripts"]
    assert capsys.readouterr().out == "clinic: installing front-end packages\n"


def test_an_environment_whose_python_has_gone_is_made_anew(steps: Steps) -> None:
    install.install()
    (install.VENV / "bin" / "python").unlink()
    del steps.programs[:]
    install.install()
    assert any("venv" in words for words in steps.programs)


def test_an_environment_that_was_moved_is_made_anew(steps: Steps) -> None:
    install.install()
    (install.VENV / ".stamp").write_text("1234 /where/it/was/before")
    del steps.programs[:]
    install.install()
    assert [words.split()[1] for words in steps.programs] == ["venv", "pip"]


def test_a_failing_step_shows_what_it_said() -> None:
    with pytest.raises(SetupError, match="could not do it") as caught:
        install.run_quietly([sys.executable, "-c", "print('the reason'); raise SystemExit(1)"], "could not do it")
    assert caught.value.details == "the reason"


def test_without_a_browser_and_without_apt_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    with pytest.raises(SetupError, match="the tests need Chromium or Chrome: install one, or name it by CHROMIUM="):
        browser.install_browser()


def test_a_stub_that_does_not_start_is_no_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stub = tmp_path / "chromium"
    stub.write_text("#!/bin/sh\necho 'install the snap' >&2\nexit 1\n")
    stub.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(stub))
    assert browser.find_browser() is None
    stub.write_text("#!/bin/sh\necho Chromium 1\n")
    assert browser.find_browser() == str(stub)
