"""Shared pages: nothing of a visitor in them, kept for a second and no longer, 304 while unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from threading import Event, Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from booking.models import Slot, SlotStatus
from menus.kept import AHEAD, SECONDS, Kept
from tests.conftest import NOW
from tests.menus.conftest import Browser, words
from tests.product import PHONE, Hospital

MEDICINE = "/internet-diagnosis/internal-medicine"
SHARED = ("/internet-diagnosis", MEDICINE, f"{MEDICINE}?title=attending&time=morning", f"{MEDICINE}/2026-11-27/morning")


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def made() -> Iterator[int]:
    return iter(range(1, 100))


def test_a_value_is_made_once_a_second(clock: Clock, made: Iterator[int]) -> None:
    kept: Kept[int] = Kept(clock)

    def ask(key: str = "a") -> int:
        return kept.get(key, NOW, lambda: (next(made), None))

    assert [ask(), ask(), ask("b"), ask()] == [1, 1, 2, 1]
    clock.now += SECONDS * AHEAD + 0.01
    assert [ask(), ask()] == [3, 3]


def test_a_value_ends_at_its_moment_however_fresh(clock: Clock, made: Iterator[int]) -> None:
    kept: Kept[int] = Kept(clock)
    opens = NOW + timedelta(seconds=0.2)
    assert kept.get("a", NOW, lambda: (next(made), opens)) == 1
    assert kept.get("a", NOW + timedelta(seconds=0.1), lambda: (next(made), opens)) == 1
    assert kept.get("a", opens, lambda: (next(made), None)) == 2


def test_while_one_makes_the_next_the_others_get_the_one_before(clock: Clock) -> None:
    kept: Kept[str] = Kept(clock)
    kept.get("a", NOW, lambda: ("old", None))
    clock.now += SECONDS * AHEAD + 0.01
    begun, may_end, got = Event(), Event(), []

    def slow() -> tuple[str, None]:
        begun.set()
        may_end.wait()
        return "new", None

    maker = Thread(target=lambda: got.append(kept.get("a", NOW, slow)))
    maker.start()
    begun.wait()
    assert kept.get("a", NOW, lambda: ("never", None)) == "old"
    may_end.set()
    maker.join()
    assert got == ["new"]
    assert kept.get("a", NOW, lambda: ("never", None)) == "new"


def test_nobody_gets_what_is_older_than_a_second(clock: Clock) -> None:
    """While the first makes it anew, the second waits for that and makes none."""
    kept: Kept[str] = Kept(clock)
    kept.get("a", NOW, lambda: ("old", None))
    clock.now += SECONDS + 0.01
    begun, may_end, got = Event(), Event(), []

    def slow() -> tuple[str, None]:
        begun.set()
        may_end.wait()
        return "new", None

    threads = [Thread(target=lambda make=make: got.append(kept.get("a", NOW, make))) for make in (slow, slow)]
    threads[0].start()
    begun.wait()
    threads[1].start()
    assert got == []
    may_end.set()
    for thread in threads:
        thread.join()
    assert got == ["new", "new"]


def test_what_fails_is_not_kept_and_places_are_few(clock: Clock, made: Iterator[int]) -> None:
    kept: Kept[int] = Kept(clock, limit=2)

    def broken() -> tuple[int, None]:
        raise LookupError

    with pytest.raises(LookupError):
        kept.get("a", NOW, broken)
    assert [kept.get(key, NOW, lambda: (next(made), None)) for key in "abca"] == [1, 2, 3, 4]


@pytest.mark.parametrize("path", SHARED)
def test_two_visitors_get_the_same_bytes_and_nothing_of_each_other(
    browser: Browser, hospital: Hospital, path: str
) -> None:
    mother, stranger = browser(hospital.mother), browser(hospital.stranger)
    first, second, nobody = mother.get(path), stranger.get(path), browser().get(path)
    assert first.data == second.data == nobody.data
    assert "csrf" not in first.text
    assert "nonce" not in first.text
    assert "nonce" not in first.headers["Content-Security-Policy"]
    assert "script-src 'self';" in first.headers["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*\bsrc=)", first.text)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert "王" not in re.sub("切换到中文", "", first.text).replace("王府井", "")
    assert "Set-Cookie" not in second.headers


def test_each_language_has_its_own(browser: Browser, hospital: Hospital) -> None:
    zh, en = browser(None, "zh_CN").get(MEDICINE), browser(None, "en").get(MEDICINE)
    assert zh.headers["ETag"] != en.headers["ETag"]
    assert "内科" in words(zh)
    assert "Internal Medicine" in words(en)


def test_304_while_it_is_unchanged(app: Flask, mother: FlaskClient, hospital: Hospital, session: Session) -> None:
    first = mother.get(MEDICINE)
    assert first.headers["ETag"].startswith('W/"')
    again = mother.get(MEDICINE, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
    session.execute(update(Slot).where(Slot.number == 1).values(status=SlotStatus.BUSY))
    session.commit()
    later(app)
    assert mother.get(MEDICINE, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def later(app: Flask) -> None:
    """More than a second passes."""
    kept = app.extensions["kept"].sheets
    at = kept._clock() + SECONDS
    kept._clock = lambda: at


def test_a_booking_is_seen_after_a_second(
    app: Flask, mother: FlaskClient, hospital: Hospital, session: Session
) -> None:
    path = f"{MEDICINE}/2026-11-27/morning"
    assert "12 left" in words(mother.get(path))
    session.execute(update(Slot).where(Slot.number == 1).values(status=SlotStatus.BUSY))
    session.commit()
    later(app)
    assert "11 left" in words(mother.get(path))


def test_what_else_stands_in_the_address_is_not_in_the_page(mother: FlaskClient, hospital: Hospital) -> None:
    plain = mother.get(MEDICINE)
    assert mother.get(f"{MEDICINE}?from=timeline&x=%22%3E%3Cscript%3E&title=king&doctor=7").data == plain.data
    assert f'name="next" value="{MEDICINE}"' in plain.text
    narrowed = mother.get(f"{MEDICINE}?title=chief&x=1")
    assert f'name="next" value="{MEDICINE}?title=chief"' in narrowed.text


def test_the_language_of_a_shared_page_is_changed_from_our_own_page_only(
    browser: Browser, hospital: Hospital, now: datetime
) -> None:
    visitor = browser(hospital.mother, "en")
    form = {"locale": "zh_CN", "next": MEDICINE}
    for foreign in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        assert visitor.post("/language", data=form, headers={"User-Agent": PHONE, **foreign}).status_code == 400
    assert "Internal Medicine" in words(visitor.get(MEDICINE))
    for ours in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}):
        assert visitor.post("/language", data=form, headers=ours).location == MEDICINE
    assert "内科" in words(visitor.get(MEDICINE))


def test_a_cookie_is_read_once_and_only_by_what_it_says(browser: Browser, hospital: Hospital, app: Flask) -> None:
    """A forged or changed cookie says nothing about the language, and another header is another visitor."""
    zh, en = browser(hospital.mother, "zh_CN"), browser(hospital.stranger, "en")
    for _ in range(2):
        assert "内科" in words(zh.get(MEDICINE))
        assert "Internal Medicine" in words(en.get(MEDICINE))
        visitor = app.test_client(use_cookies=False)  # it would drop a header of that name
        assert "Internal Medicine" in words(visitor.get(MEDICINE, headers={"Accept-Language": "en"}))
        assert "内科" in words(visitor.get(MEDICINE, headers={"Accept-Language": "zh"}))
        assert "内科" in words(visitor.get(MEDICINE, headers={"Cookie": "clinic=eyJsb2NhbGUiOiJlbiJ9.forged"}))
