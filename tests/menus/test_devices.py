"""My devices: a parent sees where they are signed in and ends it there, at once, and nobody else's."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from flask.testing import FlaskClient

from config.policy import Policy
from tests.menus.conftest import Browser, send, token, words
from tests.product import Hospital, sign_in


def test_devices_are_listed_and_ended_at_once(browser: Browser, hospital: Hospital, mother: FlaskClient) -> None:
    other = browser()
    ended = sign_in(other, hospital.mother)
    shown = words(mother.get("/devices"))
    assert shown.count("WeChat on iPhone") == 2
    assert shown.count("this device") == 1
    assert other.get("/visits").status_code == 200
    assert send(mother, "/devices", f"/devices/{ended}/end").status_code == 303
    assert other.get("/visits").location == "/oauth/start?next=/visits"
    assert mother.get("/visits").status_code == 200


def test_all_others_at_once(browser: Browser, hospital: Hospital, mother: FlaskClient) -> None:
    others = [browser(hospital.mother) for _ in range(2)]
    stranger = browser(hospital.stranger)
    assert send(mother, "/devices", "/devices/end-others").status_code == 303
    assert [other.get("/visits").status_code for other in others] == [302, 302]
    assert mother.get("/visits").status_code == stranger.get("/visits").status_code == 200


def test_nobody_elses_can_be_ended(browser: Browser, hospital: Hospital, mother: FlaskClient) -> None:
    stranger = browser()
    theirs = sign_in(stranger, hospital.stranger)
    assert send(mother, "/devices", f"/devices/{theirs}/end").status_code == 404
    assert stranger.get("/visits").status_code == 200


def test_parents_are_signed_out_after_half_a_day_without_a_page(mother: FlaskClient, now: datetime) -> None:
    form = token(mother.get("/devices"))
    with time_machine.travel(now + timedelta(minutes=Policy().parent_idle_minutes), tick=False):
        answer = mother.post("/devices/end-others", data={"csrf_token": form})
        assert answer.status_code == 401
        assert "Nothing was changed" in words(answer)
        assert mother.get("/visits").status_code == 302


def test_a_planted_id_is_nobody(browser: Browser, hospital: Hospital) -> None:
    client = browser()
    for planted in ("", "x", "00000000-0000-0000-0000-000000000000"):
        with client.session_transaction() as kept:
            kept["sign_in"] = planted
        assert client.get("/visits").status_code == 302
