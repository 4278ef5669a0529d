"""What the open pages of a browser say, for the report of a test that failed: pictures do not come with CI's words."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Browser, Error, Frame


def shown(browser: Browser) -> str:
    """Each frame's address and visible words, of every page that is open."""
    pages = [page for context in browser.contexts for page in context.pages]
    return "\n\n".join(_says(frame) for page in pages for frame in page.frames)


def _says(frame: Frame) -> str:
    said = "(no answer)"
    with suppress(Error):  # it is going away, or does not answer
        said = frame.locator("body").inner_text(timeout=2_000)
    return f"{frame.url}\n{said}"
