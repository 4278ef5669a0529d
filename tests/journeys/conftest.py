"""One service and one browser for all journeys; pictures of every page under var/pictures/."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from config.settings import ROOT
from tests.journeys.phones import Phone
from tests.journeys.service import Service, running

FLAGS = [
    f"--{flag}"
    for flag in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
    )
]
PICTURES = ROOT / "var/pictures"
FOLDERS = count()


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder for one service's data, gone afterwards."""
    var = ROOT / f"var/tests/service-{os.getpid()}-{next(FOLDERS)}"
    try:
        yield var
    finally:
        shutil.rmtree(var, ignore_errors=True)


@pytest.fixture
def var() -> Iterator[Path]:
    """Data of a service that a test starts and stops itself."""
    with own_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    """The whole service, with the demo data, on a fresh database."""
    with own_folder() as var, running(var) as started:
        yield started


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium."""
    found = os.environ.get("CHROMIUM") or next(
        path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))
    )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where this test's pictures go; emptied first."""
    folder = PICTURES / str(request.node.name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def phone(browser: Browser, service: Service, pictures: Path) -> Iterator[Callable[[str], Phone]]:
    """Takes a phone in hand, by its name."""
    taken: list[Phone] = []

    def take(name: str) -> Phone:
        taken.append(Phone(browser, service, name, pictures))
        return taken[-1]

    yield take
    for each in taken:
        each.close_window()
