"""Every page, in both languages: it opens, says where one is, carries its headers and leaves nothing untranslated."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from babel.messages.pofile import read_po
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Schedule
from config import redis
from config.policy import Policy
from config.settings import ROOT, Settings
from menus.calendar import token_of
from tests.menus.conftest import Browser, agree, words
from tests.product import Hospital
from wechat.tickets import Tickets

PAGES = (
    "/internet-diagnosis",
    "/internet-diagnosis?q=derma",
    "/internet-diagnosis?q=nothing-like-it",
    "/internet-diagnosis/internal-medicine",
    "/internet-diagnosis/dermatology",
    "/internet-diagnosis/internal-medicine/2026-11-27/morning",
    "/internet-diagnosis/dermatology/2026-11-27/afternoon",
    "/internet-diagnosis/internal-medicine?doctor={doctor}&title=chief&time=morning",
    "/doctors/{doctor}",
    "/favourites",
    "/schedules/{schedule}/book",
    "/schedules/{schedule}/together",
    "/calendar/{calendar}",
    "/visits",
    "/visits/{visit}",
    "/visits/{visit}/cancel",
    "/children",
    "/children/{child}",
    "/children/{child}/unbind",
    "/children/{child}/screen",
    "/children/bind",
    "/children/bind?ticket={ticket}",
    "/consents",
    "/help",
    "/nowhere",
)


@pytest.fixture
def places(
    app: Flask, settings: Settings, session: Session, hospital: Hospital, schedule: Schedule, now: datetime
) -> dict[str, object]:
    """What stands in the addresses: one booked visit among them."""
    agree(session, hospital.mother, now)
    visit = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    session.commit()
    with app.test_request_context():
        token = token_of(visit.id)
    return {
        "schedule": schedule.id,
        "visit": visit.id,
        "child": hospital.child.id,
        "doctor": hospital.doctor.id,
        "calendar": token,
        "ticket": Tickets(redis.connect(settings.redis_url)).put("QR-0003"),
    }


@pytest.mark.parametrize(("locale", "lang"), [("zh_CN", "zh-CN"), ("en", "en")])
def test_every_page_opens_and_says_where_one_is(
    browser: Browser, hospital: Hospital, places: dict[str, object], locale: str, lang: str
) -> None:
    client = browser(hospital.mother, locale)
    for path in PAGES:
        page = client.get(path.format(**places))
        assert page.status_code == (404 if path == "/nowhere" else 200), path
        assert f'<html lang="{lang}">' in page.text, path
        assert page.text.count("<h1") == 1, path
        assert page.text.count('<main id="main"') == 1, path
        assert 'class="crumbs"' in page.text, path
        assert "/internet-diagnosis" in page.text, path
        shared = page.headers["Cache-Control"] == "private, no-cache"
        assert shared or page.headers["Cache-Control"] == "no-store", path
        assert shared == (path.startswith("/internet-diagnosis") and "?q" not in path), path
        for field in re.findall(r'<(?:input|select)\b(?![^>]*type="hidden")[^>]*>', page.text):
            named = re.search(r'\bid="([^"]+)"', field)
            assert 'type="radio"' in field or (named and f'for="{named[1]}"' in page.text), field


def english_texts() -> set[str]:
    """The sentences of our own in English."""
    found = set()
    for room in ("menus", "people", "booking", "desk"):
        with (ROOT / room / "locale/zh_CN.po").open("rb") as source:
            found |= {str(message.id) for message in read_po(source) if message.id}
    return {re.split(r"%\(\w+\)s", text)[0].strip() for text in found} - {""}


def test_chinese_pages_hold_no_english(browser: Browser, hospital: Hospital, places: dict[str, object]) -> None:
    client, texts = browser(hospital.mother), english_texts()
    for path in PAGES:
        shown = words(client.get(path.format(**places)))
        left = {text for text in texts if len(text) > 3 and re.search(rf"\b{re.escape(text)}", shown)}
        assert left == set(), path


def test_english_pages_hold_no_chinese_of_ours(browser: Browser, hospital: Hospital, places: dict[str, object]) -> None:
    client = browser(hospital.mother, "en")
    data = ("切换到中文", "王小明", "王小红", "王芳", "王", "挂号", "预约", "我的就诊", "帮助", "内科", "皮肤科")
    for path in PAGES:
        shown = words(client.get(path.format(**places)))
        for known in data:
            shown = shown.replace(known, "")
        assert not re.search(r"[\u4e00-\u9fff]", shown), path


@pytest.mark.parametrize("path", ["/internet-diagnosis", "/visits", "/nowhere", "/healthz", "/desk"])
def test_every_answer_carries_the_headers(mother: FlaskClient, path: str) -> None:
    headers = mother.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    shared = path == "/internet-diagnosis"  # tests/menus/test_kept.py
    assert re.search(
        r"script-src 'self';" if shared else r"script-src 'nonce-[\w-]{20,}' http://127\.0\.0\.1:9;", policy
    )
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Request-ID"]


def test_the_nonce_is_new_each_time(mother: FlaskClient) -> None:
    first, second = (mother.get("/help").headers["Content-Security-Policy"] for _ in range(2))
    assert first != second


def test_pages_load_nothing_from_elsewhere_and_no_inline_script(mother: FlaskClient, hospital: Hospital) -> None:
    for path in ("/internet-diagnosis", f"/children/{hospital.child.id}", "/help"):
        page = mother.get(path).text
        assert not re.search(r'(src|href)="(https?:)?//', page)
        assert not re.search(r"<script(?![^>]*\bsrc=\"/assets/)[^>]*>|<script[^>]*>[^<]", page)
        assert not re.search(r"\son\w+=|style=", page)


def test_files_are_kept_for_good_under_the_address_of_their_content(mother: FlaskClient) -> None:
    links = re.findall(r'href="(/assets/[^"]+)"', mother.get("/help").text)
    assert [link.rsplit("/", 1)[1] for link in links] == ["weui.css", "menus.css"]
    for link in links:
        answer = mother.get(link, headers={"Accept-Encoding": "gzip"})
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.content_type.startswith("text/css")
    assert mother.get("/assets/000000000000/weui.css").headers["Cache-Control"] == "no-cache"
    assert mother.get("/assets/000000000000/secret.css").status_code == 404


def test_the_front_leads_to_the_departments(client: FlaskClient) -> None:
    assert client.get("/").location == "/internet-diagnosis"
