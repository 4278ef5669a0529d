"""One service for the journeys of a file: no two files share a family. Pictures of every page in var/pictures/."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from config.settings import ROOT
from tests.journeys.phones import Phone
from tests.journeys.service import Service, running
from tests.shown import shown

PICTURES = ROOT / "var/pictures"
FOLDERS = count()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that failed says what its pages showed then."""
    report = yield
    browser = getattr(item, "funcargs", {}).get("browser")
    if call.when == "call" and report.failed and browser:
        report.sections.append(("What the pages showed", shown(browser)))
    return report


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


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """The whole service, with the demo data, on a fresh database."""
    with own_folder() as var, running(var) as started:
        yield started


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
