"""Where parents agree to one-time notices: only for messages that go as such, with what is left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from booking import actions
from booking.models import Schedule
from config.policy import Policy
from menus.notices import Notices
from notifications.agreements import given
from tests.menus.conftest import Browser, words
from tests.product import Hospital

PAGE = "/settings/messages"
TEMPLATES = {
    "appointment-booked": "NTC1",
    "appointment-cancelled": "NTC2",
    "appointment-reminder": "NTC3",
    "guardian-bound": "NTC4",
}


class Signed:
    """A JS-SDK that signs every page."""

    def config(self, url: str) -> dict[str, str] | None:
        return {"appId": "wx1", "timestamp": "1", "nonceStr": "n", "signature": url}


class Unreachable:
    """A WeChat that can't be asked."""

    def config(self, url: str) -> dict[str, str] | None:
        return None


@pytest.fixture
def by_notice(app: Flask) -> Iterator[Notices]:
    """The account has no templates, but notices."""
    before: Notices = app.extensions["notices"]
    settings = before.settings.model_copy(update={"wechat_subscriptions": TEMPLATES})
    made = Notices(settings, Signed())  # type: ignore[arg-type]
    app.extensions["notices"] = made
    yield made
    app.extensions["notices"] = before


@pytest.fixture
def visit(session: Session, hospital: Hospital, schedule: Schedule, now: datetime) -> str:
    """The path of a booked visit."""
    booked = actions.book(session, schedule.id, hospital.child, hospital.mother.id, now, Policy())
    session.commit()
    return f"/visits/{booked.id}"


def asked(page: str) -> list[str]:
    return re.findall(r'<wx-open-subscribe template="([^"]+)">', page)


def test_without_notices_nobody_is_asked(mother: FlaskClient, visit: str) -> None:
    for path in (PAGE, visit):
        page = mother.get(path)
        assert asked(page.text) == []
        assert "wx-open" not in page.text
        assert "frame-src" not in page.headers["Content-Security-Policy"]


def test_what_is_left_stands_beside_each_message(
    mother: FlaskClient, by_notice: Notices, session: Session, hospital: Hospital, now: datetime
) -> None:
    for late in range(2):
        given(session, hospital.mother.id, "NTC3", now + timedelta(seconds=late))
    given(session, hospital.stranger.id, "NTC2", now)
    session.commit()
    page = mother.get(PAGE)
    shown = words(page)
    assert "Visit reminder 2 allowed Visit booked not allowed yet Visit cancelled not allowed yet" in shown
    always = shown.partition("Always sent")[2]
    assert "Visit booked" not in always, "what needs a yes is not sent always"
    assert asked(page.text) == ["NTC3,NTC1,NTC2", "NTC4"], "WeChat asks for three at once"
    policy = page.headers["Content-Security-Policy"]
    assert "frame-src https://*.qq.com:* weixin://*" in policy
    assert f"'nonce-{re.findall(r'<style nonce=.([^>]+).>', page.text)[0]}'" in policy


def test_a_message_with_a_template_needs_no_yes(mother: FlaskClient, app: Flask, by_notice: Notices) -> None:
    templates = {"appointment-booked": "TPL1", "guardian-bound": "TPL2"}
    settings = by_notice.settings.model_copy(update={"wechat_templates": templates})
    app.extensions["notices"] = replace(by_notice, settings=settings)
    page = mother.get(PAGE)
    assert asked(page.text) == ["NTC3,NTC2"]
    assert "Always sent Visit booked A guardian was added" in words(page)


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_a_visit_asks_for_what_may_still_be_told(
    browser: Browser, hospital: Hospital, by_notice: Notices, visit: str, locale: str
) -> None:
    parent = browser(hospital.mother, locale)
    page = parent.get(visit)
    assert asked(page.text) == ["NTC3,NTC2"]
    signed = re.findall(r'data-config="([^"]+)"', page.text)[0]
    assert f"{by_notice.settings.clinic_origin}{visit}" in signed


def test_a_cancelled_visit_asks_for_nothing(
    mother: FlaskClient, by_notice: Notices, session: Session, hospital: Hospital, visit: str, now: datetime
) -> None:
    visit_id: Any = visit.rpartition("/")[2]
    actions.cancel(session, visit_id, hospital.mother.id, now, Policy())
    session.commit()
    assert asked(mother.get(visit).text) == []


def test_when_wechat_can_not_be_asked_the_page_says_where_to_go(
    mother: FlaskClient, app: Flask, by_notice: Notices
) -> None:
    app.extensions["notices"] = replace(by_notice, jssdk=Unreachable())  # type: ignore[arg-type]
    page = mother.get(PAGE)
    assert page.status_code == 200
    assert "open this page in an up-to-date WeChat" in words(page)
    assert "notices.js" not in page.text
