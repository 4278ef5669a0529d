"""Browsers for the parents' pages: signed in as somebody, at a fixed moment, sending forms as a page would."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from html import unescape
from uuid import UUID

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from booking.models import Period, Schedule
from config.clock import today
from people.models import Account
from tests import product
from tests.product import Hospital, sign_in

Browser = Callable[..., FlaskClient]


@pytest.fixture(autouse=True)
def fixed_time(now: datetime) -> Iterator[None]:
    """Every page is asked for at the moment of the test."""
    with time_machine.travel(now, tick=False):
        yield


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Makes browsers: ``browser(account, locale)`` is signed in, ``browser()`` is a stranger to us."""

    def make(account: Account | None = None, locale: str = "zh_CN") -> FlaskClient:
        client = app.test_client()
        with client.session_transaction() as kept:
            kept["locale"] = locale
        if account:
            sign_in(client, account)
        return client

    return make


@pytest.fixture
def mother(browser: Browser, hospital: Hospital) -> FlaskClient:
    """The mother's browser, in English."""
    return browser(hospital.mother, "en")


@pytest.fixture
def schedule(session: Session, hospital: Hospital, now: datetime) -> Schedule:
    """The doctor's morning of the day after tomorrow."""
    return schedule_of(session, hospital.doctor.id, now, ahead=2)


def schedule_of(session: Session, practitioner: UUID, now: datetime, *, ahead: int) -> Schedule:
    """A doctor's morning so many days ahead."""
    day = today(now).toordinal() + ahead
    query = session.query(Schedule).filter_by(practitioner_id=practitioner, period=Period.MORNING)
    return next(found for found in query if found.day.toordinal() == day)


def agree(session: Session, account: Account, now: datetime) -> None:
    """The account agrees to all texts."""
    product.agree(session, account, now)
    session.commit()


def token(page: TestResponse) -> str:
    """The page's own form token."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def send(client: FlaskClient, on: str, path: str, **fields: object) -> TestResponse:
    """Open the page ``on``, then send its form to ``path``."""
    return client.post(path, data={"csrf_token": token(client.get(on)), **fields})


def words(page: TestResponse) -> str:
    """What a person reads on the page, in one line."""
    visible = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", page.text, flags=re.S)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", visible))).strip()
