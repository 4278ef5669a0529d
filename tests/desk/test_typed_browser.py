"""What a doctor types or ticks while an answer is on its way: nothing of it is lost, and the caret stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Response, Route, expect
from sqlalchemy.orm import Session

from tests.prescriptions.desk import room
from tests.product import Hospital

pytestmark = pytest.mark.browser


@pytest.fixture
def path(session: Session, hospital: Hospital, now: datetime) -> str:
    """The visit's page; everything is there to prescribe."""
    made = room(session, hospital, now)
    session.commit()
    return f"/desk/visits/{made.visit.appointment.id}"


@contextmanager
def slow(page: Page, pattern: str, part: str) -> Iterator[None]:
    """The answer to the form that is sent next comes at the end, and its part has taken the place of the old one."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST" and not held:
            held.append(route)
        else:
            route.continue_()

    page.route(pattern, hold)
    page.locator(part).evaluate("part => part.dataset.old = ''")
    yield
    expect(page.locator(f"{part}[data-old]")).to_have_count(1)
    held[0].continue_()
    expect(page.locator(f"{part}[data-old]")).to_have_count(0)


def prescribing(context: BrowserContext, path: str) -> tuple[Page, Locator, Locator]:
    """The page with a medicine in it, and the boxes of its times and hours apart."""
    page = context.new_page()
    page.goto(path)
    page.locator("#rx [value='group:fever']").click()
    page.locator("#rx [value='add:paracetamol-susp-24']").click()
    times, interval = (page.locator(f"[name={name}-paracetamol-susp-24]") for name in ("times", "interval"))
    expect(interval).to_have_value("6")
    return page, times, interval


def saves(interval: str) -> Callable[[Response], bool]:
    """Whether an answer is that to a form with this interval."""
    field = f'name="interval-paracetamol-susp-24"\r\n\r\n{interval}\r\n'
    return lambda answer: field in (answer.request.post_data or "")


def test_a_figure_typed_while_the_last_one_is_checked_stays(context: BrowserContext, path: str) -> None:
    page, times, interval = prescribing(context, path)
    with slow(page, "**/prescription", "#rx"):
        with page.expect_request("**/prescription"):
            times.fill("3")
            interval.focus()
        interval.press("Control+a")
        interval.press_sequentially("12")
        interval.press("ArrowLeft")
    expect(interval).to_be_focused()
    expect(interval).to_have_value("12")
    interval.press("Delete")  # where the caret was
    expect(interval).to_have_value("1")
    interval.press_sequentially("0")
    with page.expect_response(saves("10")):
        interval.press("Tab")
    page.reload()
    expect(times).to_have_value("3")
    expect(interval).to_have_value("10")


def test_what_is_typed_since_is_saved_without_another_touch(context: BrowserContext, path: str) -> None:
    page, times, interval = prescribing(context, path)
    with page.expect_response(saves("8")), slow(page, "**/prescription", "#rx"):
        with page.expect_request("**/prescription"):
            times.fill("3")
            interval.focus()
        interval.fill("8")
    page.reload()
    expect(times).to_have_value("3")
    expect(interval).to_have_value("8")


def test_a_tick_and_words_made_while_a_template_comes_stay(context: BrowserContext, path: str) -> None:
    page = context.new_page()
    page.goto(path)
    confirmed, history = page.locator("[name=epidemiology_confirmed]"), page.locator("#record-history")
    with slow(page, "**/record", "#record"):
        with page.expect_request("**/record"):
            page.get_by_role("button", name="普通感冒", exact=True).click()
        confirmed.check()
        history.fill("既往体健，无手术史")
    expect(confirmed).to_be_checked()
    expect(history).to_have_value("既往体健，无手术史")
    expect(history).to_be_focused()
    expect(page.locator(".condition")).to_contain_text("J00")
    expect(page.locator("#record-saved")).to_contain_text("✓")
    page.reload()
    expect(confirmed).to_be_checked()
    expect(history).to_have_value("既往体健，无手术史")


def test_a_second_tap_on_sign_begins_no_second_prescription(context: BrowserContext, path: str) -> None:
    page, _, _ = prescribing(context, path)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    sign = page.locator("#rx [value=sign]")
    with slow(page, "**/prescription", "#rx"):
        with page.expect_request("**/prescription"):
            sign.click()
        sign.click()
    expect(page.locator("#rx")).to_contain_text("待药师审核")
    assert len([data for data in sent if "\r\nsign\r\n" in data]) == 1
    expect(page.locator("#rx [name=line]")).to_have_count(0)  # the page goes on asking: its connection is not ours
