"""One window that goes from page to page under axe-core, light and dark, and notes what it finds."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, ViewportSize

from config.settings import ROOT
from tests.journeys.phones import PATIENCE
from tests.journeys.service import Service

AXE = ROOT / "node_modules/axe-core/axe.min.js"
PHONE_SIZE, DESK_SIZE = ViewportSize(width=390, height=844), ViewportSize(width=1280, height=800)
LOOK = """async (only) => {
  const found = await axe.run({ resultTypes: ["violations"], ...(only ? { runOnly: [only] } : {}) });
  const wide = document.documentElement.scrollWidth > innerWidth ? ["wider than the window"] : [];
  return [...found.violations.map((fault) => `${fault.id} (${fault.nodes[0].target})`), ...wide];
}"""


class Walk:
    """``found``: the faults, each with its page; ``seen`` counts pages and states."""

    def __init__(self, browser: Browser, service: Service) -> None:
        self.context = browser.new_context(bypass_csp=True, viewport=PHONE_SIZE)
        self.context.add_init_script(path=AXE)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.origin = service.simulator.replace("127.0.0.1", "{phone}.localhost")
        self.found: list[str] = []
        self.seen = 0

    def go(self, phone: str, *paths: str, both: bool = False) -> None:
        """Open pages of a phone of the simulator, one after the other; ``both``: as at a desk, too."""
        for path in paths:
            self.page.goto(self.origin.format(phone=phone) + path)
            self.look(both=both)

    def look(self, page: Page | None = None, *, both: bool = False) -> None:
        """What axe finds on the page as it stands. In the dark, and in another size, only colours and boxes differ."""
        page, self.seen = page or self.page, self.seen + 1
        page.wait_for_load_state()
        for size in (PHONE_SIZE, DESK_SIZE) if both else (PHONE_SIZE,):
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                faults = page.evaluate(LOOK, "color-contrast" if scheme == "dark" else None)
                where = re.sub(r".*:\d+", "", page.url)
                self.found += [f"{where} {size['width']} {scheme}: {fault}" for fault in faults]
        page.set_viewport_size(PHONE_SIZE)
