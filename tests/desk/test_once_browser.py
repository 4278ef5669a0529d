"""A second tap on a button sends nothing: in Chromium, on pages of parents and of staff, with their own scripts."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

pytestmark = pytest.mark.browser

PHRASES = "/desk/phrases"


class Held:
    """Forms sent to a path, whose answers the network keeps back until ``go``."""

    def __init__(self, page: Page, path: str) -> None:
        self.page, self.sent = page, list[Route]()
        page.route(f"**{path}", self._hold)

    def _hold(self, route: Route) -> None:
        if route.request.method == "POST":
            self.sent.append(route)
        else:
            route.continue_()

    def tap_twice(self, button: Locator) -> None:
        """The second time while the first form is on its way."""
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box
        at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        with self.page.expect_request(lambda request: request.method == "POST"):
            self.page.mouse.click(*at)
        self.page.mouse.click(*at)  # by the mouse alone: a locator would wait for the next page

    def go(self) -> None:
        """The last one sent is answered."""
        self.sent[-1].continue_()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def on_phrases(page: Page) -> None:
    page.goto(PHRASES)
    page.locator("[name=code]").fill("zz")
    page.locator("[name=text]").fill("多喝水。")


def test_a_second_click_sends_no_second_form(page: Page) -> None:
    on_phrases(page)
    held, button = Held(page, PHRASES), page.locator("main form button").last
    held.tap_twice(button)
    held.go()
    expect(page.locator("main")).to_contain_text(";zz")
    assert len(held.sent) == 1


@pytest.mark.parametrize("path", ["/help", "/internet-diagnosis"])
def test_nor_does_a_second_tap_of_a_parent(page: Page, path: str) -> None:
    """On a page of one's own, and on one that visitors share."""
    page.goto(path)
    held = Held(page, "/language")
    held.tap_twice(page.locator(".foot__language button"))
    held.go()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert len(held.sent) == 1


def test_without_an_answer_it_may_be_tried_again(page: Page) -> None:
    """The page stays where it is, and says that something happens."""
    page.clock.install()
    on_phrases(page)
    sent: list[Route] = []

    def nothing_to_show(route: Route) -> None:
        sent.append(route)
        route.fulfill(status=204)

    page.route(f"**{PHRASES}", nothing_to_show)
    button = page.locator("main form button").last
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    button.click()
    assert len(sent) == 1
    page.clock.run_for(8000)
    expect(button).not_to_have_attribute("aria-busy", "true")
    button.click()
    assert len(sent) == 2


def test_who_comes_back_may_send_again(page: Page) -> None:
    on_phrases(page)
    page.locator("main form button").last.click()
    expect(page.locator("main")).to_contain_text(";zz")
    page.go_back()
    expect(page.locator("form[data-sent]")).to_have_count(0)
