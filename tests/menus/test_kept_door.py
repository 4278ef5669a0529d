"""A shared page in front of Flask: the same answer as Flask's, to those alone who would get that one."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import REGISTRY
from sqlalchemy import update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.models import Slot, SlotStatus
from menus.kept_door import Door
from tests.menus.conftest import Browser, words
from tests.menus.fronts import behind, front
from tests.menus.test_kept import MEDICINE, later
from tests.product import Hospital

SHARED = ("/internet-diagnosis", MEDICINE, f"{MEDICINE}/2026-11-27/morning")
Ask = Callable[..., TestResponse]


@pytest.fixture
def seen(app: Flask, hospital: Hospital, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What went on to Flask."""
    return behind(front(app, Door), monkeypatch)


def headers(answer: TestResponse) -> dict[str, str]:
    """All but the request's own name."""
    return {name: value for name, value in answer.headers if name != "X-Request-ID"}


@pytest.mark.parametrize("path", SHARED)
@pytest.mark.parametrize("known", [False, True])
def test_it_answers_as_flask_does(mother: FlaskClient, seen: list[str], path: str, known: bool) -> None:
    sent = {"If-None-Match": mother.get(path).headers["ETag"]} if known else {}
    seen.clear()
    mother.application.extensions["kept"].places.clear()
    flasks, quick = mother.get(path, headers=sent), mother.get(path, headers=sent)
    assert seen == [path]
    assert quick.status_code == flasks.status_code == (304 if known else 200)
    assert quick.status == flasks.status
    assert quick.data == flasks.data
    assert headers(quick) == headers(flasks)
    assert len(quick.headers["X-Request-ID"]) == len(flasks.headers["X-Request-ID"])
    assert quick.headers["X-Request-ID"] != flasks.headers["X-Request-ID"]


@pytest.mark.parametrize("known", [False, True])
def test_the_first_to_get_a_new_page_may_have_the_same_already(
    app: Flask, mother: FlaskClient, seen: list[str], known: bool
) -> None:
    """Its headers are whole, whichever answer was the first: a page, or a 304."""
    tag = mother.get(MEDICINE).headers["ETag"]
    later(app)
    whole = mother.get(MEDICINE, headers={"If-None-Match": tag} if known else {})
    assert whole.status_code == (304 if known else 200)
    seen.clear()
    page = mother.get(MEDICINE)
    assert (seen, page.status_code) == ([], 200)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert int(page.headers["Content-Length"]) == len(page.data) > 1000
    again = mother.get(MEDICINE, headers={"If-None-Match": tag})
    assert (seen, again.status_code, again.data) == ([], 304, b"")
    assert {"Content-Type", "Content-Length"}.isdisjoint(again.headers.keys())


def test_each_visitor_has_their_own_language_and_nothing_of_another(
    app: Flask, browser: Browser, hospital: Hospital, seen: list[str]
) -> None:
    zh, en = browser(hospital.mother, "zh_CN"), browser(hospital.stranger, "en")
    for visitor in (zh, en):
        visitor.get(MEDICINE)
    seen.clear()
    assert "内科" in words(zh.get(MEDICINE))
    assert "Internal Medicine" in words(en.get(MEDICINE))
    assert seen == []
    assert "内科" in words(app.test_client().get(MEDICINE))
    assert seen == [MEDICINE], "a visitor never seen has no language yet"
    forged = {"Cookie": "clinic=eyJsb2NhbGUiOiJlbiJ9.forged"}
    assert "内科" in words(app.test_client(use_cookies=False).get(MEDICINE, headers=forged))
    assert seen == [MEDICINE] * 2
    assert "Set-Cookie" not in zh.get(MEDICINE).headers


OTHERS: dict[str, Ask] = {
    "head": lambda client, _: client.head(MEDICINE),
    "post": lambda client, _: client.post(MEDICINE),
    "query": lambda client, _: client.get(f"{MEDICINE}?title=chief"),
    "search": lambda client, _: client.get(f"{MEDICINE}?from=timeline"),
    "several": lambda client, tag: client.get(MEDICINE, headers={"If-None-Match": f'"other", {tag}'}),
    "strong": lambda client, tag: client.get(MEDICINE, headers={"If-None-Match": tag.removeprefix("W/")}),
    "any": lambda client, _: client.get(MEDICINE, headers={"If-None-Match": "*"}),
}
ANSWERS = {"post": 405, "several": 304, "strong": 304, "any": 304}


@pytest.mark.parametrize("kind", OTHERS)
def test_everything_else_is_flasks(mother: FlaskClient, seen: list[str], kind: str) -> None:
    tag = mother.get(MEDICINE).headers["ETag"]
    mother.get(MEDICINE)
    seen.clear()
    assert OTHERS[kind](mother, tag).status_code == ANSWERS.get(kind, 200)
    assert seen == [MEDICINE]


def test_an_old_page_on_the_phone_is_no_reason_to_ask_flask(
    app: Flask, mother: FlaskClient, session: Session, seen: list[str]
) -> None:
    """In a rush every phone has a page of a second ago."""
    old = mother.get(MEDICINE).headers["ETag"]
    session.execute(update(Slot).where(Slot.number == 1).values(status=SlotStatus.BUSY))
    session.commit()
    later(app)
    new = mother.get(MEDICINE).headers["ETag"]
    seen.clear()
    answer = mother.get(MEDICINE, headers={"If-None-Match": old})
    assert (seen, answer.status_code, answer.headers["ETag"]) == ([], 200, new)
    assert old != new


def test_after_its_time_flask_makes_it_anew(app: Flask, mother: FlaskClient, seen: list[str]) -> None:
    mother.get(MEDICINE)
    seen.clear()
    mother.get(MEDICINE)
    assert seen == []
    later(app)
    mother.get(MEDICINE)
    assert seen == [MEDICINE]


def test_an_address_that_leads_nowhere_is_not_remembered(app: Flask, mother: FlaskClient, seen: list[str]) -> None:
    for path in ("/internet-diagnosis/no-such", f"{MEDICINE}/2031-01-01/morning", f"{MEDICINE}/2026-11-27/night"):
        assert mother.get(path).status_code == 404
    assert app.extensions["kept"].places == {}


def test_it_is_counted_under_its_route(mother: FlaskClient, seen: list[str]) -> None:
    def counted(status: int) -> float:
        labels = {"method": "GET", "route": "menus.department", "status": str(status)}
        return REGISTRY.get_sample_value("clinic_request_seconds_count", labels) or 0.0

    tag = mother.get(MEDICINE).headers["ETag"]
    before = counted(200), counted(304)
    seen.clear()
    mother.get(MEDICINE)
    mother.get(MEDICINE, headers={"If-None-Match": tag})
    assert seen == []
    assert (counted(200), counted(304)) == (before[0] + 1, before[1] + 1)
