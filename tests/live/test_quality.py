"""When a call falls back, in Chromium: fed with what the browser would have counted, second after second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from config.settings import ROOT

pytestmark = pytest.mark.browser

PLAY = """(levels) => {
  let was = { weak: 0, step: 0 };
  return levels.map((level) => {
    const { deed, ...now } = CallQuality.next(was, level);
    was = now;
    return deed;
  });
}"""
READ = """(reports) => CallQuality.read(new Map(reports.map((report) => [report.id, report])))"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """An empty page with the functions."""
    made = browser.new_page()
    made.add_script_tag(path=ROOT / "live/static/quality.js")
    yield made
    made.close()


def level(page: Page, lost: float, got: float, delay: float = 0) -> Any:
    before = {"lost": 1000, "got": 50_000, "delay": 0}
    now = {"lost": 1000 + lost, "got": 50_000 + got, "delay": delay}
    return page.evaluate("([before, now]) => CallQuality.level(before, now)", [before, now])


@pytest.mark.parametrize(
    ("lost", "got", "delay", "found"),
    [
        (0, 100, 0, 3), (3, 97, 0, 3), (4, 96, 0, 2), (10, 90, 0, 2), (11, 89, 0, 1), (5, 0, 0, 1),
        (0, 100, 0.3, 3), (0, 100, 0.31, 2), (0, 100, 0.8, 2), (0, 100, 0.81, 1),
        (0, 0, 0, 3), (-20, 100, 0, 3), (-1000, -50_000, 0, 3),
    ],
)  # fmt: skip
def test_a_look_is_judged_by_what_was_lost_since_the_last(
    page: Page, lost: float, got: float, delay: float, found: int
) -> None:
    assert level(page, lost, got, delay) == found


def test_the_delay_is_that_of_the_way_in_use(page: Page) -> None:
    reports = [
        {"id": "a", "type": "inbound-rtp", "packetsLost": 2, "packetsReceived": 10},
        {"id": "b", "type": "inbound-rtp", "packetsLost": 1, "packetsReceived": 5},
        {"id": "old", "type": "candidate-pair", "nominated": True, "currentRoundTripTime": 9},
        {"id": "new", "type": "candidate-pair", "nominated": True, "currentRoundTripTime": 0.1},
    ]
    assert page.evaluate(READ, reports)["delay"] in {9, 0.1}
    chosen = {"id": "t", "type": "transport", "selectedCandidatePairId": "old"}
    assert page.evaluate(READ, [*reports, chosen]) == {"lost": 3, "got": 15, "delay": 9}


def deeds(page: Page, levels: list[int]) -> dict[int, str]:
    """What is done, by the number of the look."""
    return {n: deed for n, deed in enumerate(page.evaluate(PLAY, levels), 1) if deed}


def test_twelve_weak_seconds_turn_the_pictures_off_and_as_many_more_lead_to_writing(page: Page) -> None:
    assert deeds(page, [1] * 5 + [2] + [1] * 5) == {}, "never so many in a row"
    assert deeds(page, [1] * 40) == {6: "sound", 12: "text"}
    assert deeds(page, [1] * 12 + [1, 1, 2, 3]) == {6: "sound", 12: "text", 15: "back"}
    assert deeds(page, [1] * 6 + [3] * 20 + [1] * 6) == {6: "sound", 32: "text"}, "pictures come back by hand only"
