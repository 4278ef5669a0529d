"""Codes to sign in are limited by browser and by address; what one address uses up, others still have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.middleware.proxy_fix import ProxyFix

import config.redis
from app import create_app
from config.settings import Settings
from desk.limits import PER_ADDRESS, PER_BROWSER, CodeLimit, network_of
from people.refusals import TooManyCodes
from tests.desk.conftest import CHROME, Browse
from tests.menus.conftest import words
from tests.product import make_settings

HERE, THERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture(autouse=True)
def store(settings: Settings) -> Iterator[Redis]:
    """Empty at first."""
    made = config.redis.connect(settings.redis_url)
    made.flushdb()
    yield made
    made.flushdb()
    made.close()


def ask(client: FlaskClient, address: str = HERE, *, keep: bool = True) -> int:
    """Ask for a code; a browser that does not ``keep`` what is on its screen needs a new one each time."""
    if not keep:
        with client.session_transaction() as kept:
            kept.pop("computer", None)
    return client.get("/desk/sign-in", environ_overrides={"REMOTE_ADDR": address}).status_code


def test_the_code_on_the_screen_costs_nothing(browse: Browse, scenes: list[str]) -> None:
    computer = browse(agent=CHROME)
    assert {ask(computer) for _ in range(PER_BROWSER + 1)} == {200}
    assert len(scenes) == 1


def test_one_browser(browse: Browse, scenes: list[str], clock: time_machine.Traveller) -> None:
    computer = browse(agent=CHROME)
    clock.shift(15)
    assert [ask(computer, keep=False) for _ in range(PER_BROWSER + 1)] == [200] * PER_BROWSER + [429]
    assert len(scenes) == PER_BROWSER
    page = computer.get("/desk/sign-in")
    assert (page.status_code, page.headers["Retry-After"]) == (429, "45")
    assert "wait 45 seconds" in words(page)
    assert 'href="/desk/sign-in"' in page.text
    assert ask(browse(agent=CHROME)) == 200
    clock.shift(45)
    assert ask(computer, keep=False) == 200


def test_one_address_leaves_the_others_theirs(browse: Browse, scenes: list[str]) -> None:
    answers = [ask(browse(agent=CHROME)) for _ in range(PER_ADDRESS + 1)]
    assert answers == [200] * PER_ADDRESS + [429]
    assert ask(browse(agent=CHROME), THERE) == 200


def test_without_redis_the_clinics_own_limit_stands(now: datetime) -> None:
    limit = CodeLimit(config.redis.connect("redis://127.0.0.1:1/0"))
    for _ in range(PER_BROWSER + 1):
        limit.count("one", HERE, now)


def test_a_minute_ends(store: Redis, now: datetime) -> None:
    limit = CodeLimit(store)
    for _ in range(PER_BROWSER):
        limit.count("one", None, now)
    with pytest.raises(TooManyCodes):
        limit.count("one", None, now)
    assert all(0 < store.ttl(key) <= 120 for key in store.scan_iter("desk-code:*"))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        (HERE, HERE),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("::ffff:203.0.113.7", HERE),
        ("127.0.0.1", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        ("", None),
        ("unix:", None),
        (None, None),
    ],
)
def test_whose_address(address: str | None, network: str | None) -> None:
    assert network_of(address) == network


def test_addresses_are_taken_from_proxies_only_when_the_settings_name_them(
    app: Flask, settings: Settings, scenes: list[str]
) -> None:
    def ask_through(made: Flask, forged: str) -> int:
        headers = {"User-Agent": CHROME, "X-Forwarded-For": f"{forged}, {HERE}"}
        return made.test_client().get("/desk/sign-in", headers=headers).status_code

    assert not isinstance(app.wsgi_app, ProxyFix)
    assert {ask_through(app, THERE) for _ in range(PER_ADDRESS + 1)} == {200}
    behind = create_app(make_settings(settings.database_url, settings.redis_url, trusted_proxies=1))
    answers = [ask_through(behind, f"192.0.2.{n}") for n in range(PER_ADDRESS + 1)]
    assert answers == [200] * PER_ADDRESS + [429]
