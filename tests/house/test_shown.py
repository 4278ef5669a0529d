"""What a failed journey is reported with (tests/shown.py)."""

import pytest
from playwright.sync_api import Browser

from tests.shown import shown

pytestmark = pytest.mark.browser


def test_every_frame_of_every_page_says_its_words(browser: Browser) -> None:
    assert shown(browser) == ""
    one, other = browser.new_page(), browser.new_context().new_page()
    one.set_content("<p>outside</p><p hidden>unseen</p><iframe srcdoc='<h1>inside</h1>'></iframe>")
    one.frame_locator("iframe").get_by_text("inside").wait_for()
    other.set_content("<p>somebody else's</p>")
    assert shown(browser).split("\n\n") == [
        "about:blank\noutside",
        "about:srcdoc\ninside",
        "about:blank\nsomebody else's",
    ]
    for page in (one, other):
        page.context.close()
