"""The browser that the tests drive, and fonts for Chinese pages: found, or installed where that is possible."""

import os
import shutil
import subprocess
from pathlib import Path

from dev.install import SetupError, run_quietly, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
APT = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600", "-o", "Acquire::Retries=3"]


def find_browser() -> str | None:
    """Returns the path of a Chromium or Chrome that starts: CHROMIUM when set, else one of the usual names."""
    given = os.environ.get("CHROMIUM")
    candidates = [given] if given else [*map(shutil.which, NAMES), str(MAC)]
    return next((path for path in candidates if path and _starts(path)), None)


def install_browser() -> str:
    """Sees to a browser, and to Chinese fonts for its pictures; returns its path. Raises SetupError without one."""
    path = find_browser()
    if not path:
        say("installing Chromium for the tests")
        _apt_install("chromium")
        path = find_browser()
        if not path:
            raise SetupError(
                "the tests need Chromium or Chrome: install one, or name it by CHROMIUM=/path/to/it "
                "(without one: make test ARGS='-m \"not browser\"')"
            )
    if not _has_chinese_fonts():
        say("installing Chinese fonts for the tests' pictures")
        _apt_install("fonts-noto-cjk")
    return path


def install_turn() -> None:
    """Sees to coturn, over which one test leads a call; without it that test is left out."""
    if not shutil.which("turnserver"):
        say("installing coturn for the tests")
        _apt_install("coturn")


def install_pdfsig() -> None:
    """Sees to poppler-utils, by which one test has a signed PDF looked at; without it that test is left out."""
    if not shutil.which("pdfsig"):
        say("installing poppler-utils for the tests")
        _apt_install("poppler-utils")


def _starts(path: str) -> bool:
    try:  # some distributions put a stub there that only says what to install
        return subprocess.run([path, "--version"], capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _has_chinese_fonts() -> bool:
    if not (fc_list := shutil.which("fc-list")):
        return True  # no way to tell, and pictures are no reason to stop
    return bool(subprocess.run([fc_list, ":lang=zh-cn"], capture_output=True, check=False).stdout)


def _apt_install(package: str) -> None:
    """Tries to install a Debian package, as root or by a sudo that doesn't ask; the caller looks whether it did."""
    if not shutil.which("apt-get"):
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        run_quietly([*prefix, *APT, "update"], "apt-get update failed", quiet)
        run_quietly([*prefix, *APT, "install", "-y", "--no-install-recommends", package], f"no {package}", quiet)
    except (SetupError, OSError):
        return
