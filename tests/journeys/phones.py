"""A simulator's phone, used as a person uses it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Browser, Error, FrameLocator, Locator, Page, ViewportSize, expect

from tests.journeys.service import Service

SIZE: ViewportSize = {"width": 390, "height": 844}
PATIENCE = 45_000  # milliseconds: two cores may be busy with the other tests; no test waits that long when all is well
LOADED = "() => document.readyState === 'complete' || new Promise((done) => addEventListener('load', done))"


class Phone:
    """One phone, alone in a window of a phone's size; ``page`` is what its browser shows."""

    def __init__(self, browser: Browser, service: Service, name: str, folder: Path, locale: str = "zh-CN") -> None:
        self.window: Page = browser.new_page(viewport=SIZE, locale=locale)
        self.window.set_default_timeout(PATIENCE)
        self.name, self.folder, self.count = name, folder, 0
        self.window.goto(f"{service.simulator}/phones/{name}")
        self.window.locator("body[data-ready]").wait_for()
        self.shell: Locator = self.window.get_by_test_id(f"phone-{name}")
        self.page: FrameLocator = self.shell.frame_locator("[data-testid=webview-frame]")

    def close_window(self) -> None:
        """Put the phone away; the last picture shows how it was left."""
        self.window.screenshot(path=self.folder / f"{self.name}-end.png")
        self.window.close()

    def picture(self, name: str) -> None:
        """A numbered picture of the whole phone, when nothing moves any more."""
        self.count += 1
        for image in (
            self.page.locator("img:visible").all() if self.shell.get_by_test_id("webview").is_visible() else []
        ):
            with suppress(Error):  # another picture has come in its place
                image.evaluate("image => image.decode()")
        path = self.folder / f"{self.name}-{self.count:02}-{name}.png"
        self.window.screenshot(path=path, animations="disabled")

    def tap(self, test_id: str) -> None:
        """Tap something of WeChat's own."""
        self.shell.get_by_test_id(test_id).click()

    def cashier(self, *buttons: str) -> None:
        """Tap buttons of WeChat's cashier, each once it is there. By the button's own event: the page below, which it
        has just covered, lives in a process of its own, and on a busy machine Chromium may still give it the tap."""
        for button in buttons:
            self.shell.get_by_test_id(button).dispatch_event("click")

    def follow(self) -> None:
        """Follow the account and read the welcome."""
        self.tap("follow")
        self.says("120")

    def menu(self, entry: int, below: int | None = None) -> None:
        """Tap an entry of the account's menu, and one of its sub-menu."""
        self.tap(f"menu-{entry}")
        if below is not None:
            self.tap(f"submenu-{entry}-{below}")

    def scan(self, picture: str) -> None:
        """Choose a picture for the open scanner."""
        self.tap(f"scan-choice-{picture}")
        self.shell.get_by_test_id("scanner").wait_for(state="hidden")

    def says(self, text: str) -> Locator:
        """The account's last answer, once it holds the text."""
        answer = self.shell.get_by_test_id("message-text").last
        expect(answer).to_contain_text(text, timeout=PATIENCE)
        return answer

    def card(self, title: str, holds: str) -> Locator:
        """The last template message with that title, once it has come and holds the text."""
        card = self.shell.get_by_test_id("card").filter(has_text=title).last
        expect(card).to_contain_text(holds, timeout=PATIENCE)
        return card

    def heading(self, text: str) -> None:
        """Wait for the page with that heading."""
        expect(self.page.locator("h1")).to_have_text(text, timeout=PATIENCE)

    def press(self, name: str) -> None:
        """Press a button of the page, once the page and its scripts have loaded."""
        for _ in range(5):
            with suppress(Error):  # the page before went away meanwhile
                self.page.locator("body").evaluate(LOADED)
                break
        self.page.get_by_role("button", name=name, exact=True).click()

    def go(self, name: str) -> None:
        """Follow a link of the page."""
        self.page.get_by_role("link", name=name).first.click()

    def text_of(self, selector: str) -> str:
        """The text of the first such element of the page."""
        return self.page.locator(selector).first.inner_text()

    def agree(self) -> None:
        """Agree to the consent texts and send the answers."""
        for kind in ("online-care", "child-data", "recording"):
            self.page.locator(f"input[name={kind}][value=permit]").check()

    def prove(self, name: str, born: str, tail: str, guardian: str, relation: str) -> None:
        """Fill in the proof."""
        for field, value in {"name": name, "birth_date": born, "phone_tail": tail, "guardian": guardian}.items():
            self.page.locator(f"#{field}").fill(value)
        self.page.locator("#relation").select_option(relation)
