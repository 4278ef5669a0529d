"""What did not work: pages that say so and lead on; forms that lost their session; the language; health."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

import config.database
from app import create_app
from booking.models import Schedule
from people.models import Account
from tests.menus.conftest import Browser, send, words
from tests.product import Hospital, make_settings


def test_a_form_without_its_token_is_offered_again_with_all_that_was_typed(
    mother: FlaskClient, hospital: Hospital, schedule: Schedule
) -> None:
    sent = {"schedule": schedule.id, "patient": hospital.child.id, "csrf_token": "old"}
    answer = mother.post("/visits", data=sent, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 400
    assert "What you entered is still here" in words(answer)
    again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]+)"', answer.text.split("</header>")[1]))
    assert mother.post("/visits", data=again).status_code == 303


def test_a_form_from_another_site_is_not_offered_again(
    mother: FlaskClient, hospital: Hospital, schedule: Schedule
) -> None:
    sent = {"schedule": schedule.id, "patient": hospital.child.id}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {}):
        answer = mother.post("/visits", data=sent, headers=headers)
        assert answer.status_code == 400
        assert str(schedule.id) not in answer.text


def test_every_form_is_protected(app: Flask, mother: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.endpoint.partition(".")[0] in {"menus", "binding", "desk"}:
            values = {name: "0193a0c0-0000-7000-8000-000000000000" for name in rule.arguments}
            values |= {name: "0" for name in ("weekday", "year") if name in values}
            if "verb" in values:
                values["verb"] = next(verb for verb in ("freeze", "let-in", "anew") if verb in rule.rule)
            path = app.url_map.bind("localhost").build(rule.endpoint, values, method="POST")
            assert mother.post(path).status_code == 400, path


def test_a_form_sent_after_signing_out_leads_back_through_the_sign_in(
    browser: Browser, hospital: Hospital, schedule: Schedule
) -> None:
    client = browser(None, "en")
    came_from = {"Referer": f"http://localhost/schedules/{schedule.id}/book"}
    answer = client.post("/visits", data={"schedule": schedule.id}, headers=came_from)
    assert answer.status_code == 401
    assert "You have been signed out" in words(answer)
    assert f'href="/schedules/{schedule.id}/book"' in answer.text
    foreign = client.post("/visits", headers={"Referer": "https://evil.example/schedules/x"})
    assert "evil" not in foreign.text
    assert "/schedules/x" not in foreign.text


def test_other_refusals_of_the_web(mother: FlaskClient) -> None:
    assert "does not exist" in words(mother.get("/nowhere"))
    answer = send(mother, "/help", "/help")
    assert answer.status_code == 405
    assert "opened by itself" in words(answer)
    large = b"0" * (12 * 1024 * 1024 + 1)
    answer = mother.post("/children/bind/code", data=large, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 413
    assert "less than 12 MB" in words(answer)


def test_scripts_get_json(mother: FlaskClient) -> None:
    answer = mother.get("/internet-diagnosis/none", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.json == {"code": "not-found", "message": "This page does not exist, or it is not yours to see."}


def test_a_fault_of_ours_has_a_number_and_no_traceback(
    app: Flask, browser: Browser, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("王小明")

    monkeypatch.setattr("booking.queries.coming_visits", broken)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.testing = False
    answer = browser(hospital.mother, "en").get("/visits")
    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] in words(answer)
    assert "王小明" not in answer.text
    assert "Traceback" not in answer.text


def test_the_language_is_kept_in_the_session_and_with_the_account(
    session: Session, browser: Browser, hospital: Hospital
) -> None:
    client = browser(hospital.mother, "zh_CN")
    assert send(client, "/visits", "/language", locale="en", next="/visits").location == "/visits"
    assert "My visits" in words(client.get("/visits"))
    session.expire_all()
    assert session.get_one(Account, hospital.mother.id).locale == "en"
    visitor = browser(None, "en")
    send(visitor, "/help", "/language", locale="zh_CN", next="/help")
    assert "帮助" in words(visitor.get("/help"))


def test_the_language_form_of_a_failed_page_leads_to_a_page_that_can_be_opened(mother: FlaskClient) -> None:
    answer = mother.post("/visits")
    assert 'name="next" value="/internet-diagnosis"' in answer.text


def test_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").json == {"status": "alive"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ready", "database": "up", "redis": "up"}


def test_without_the_database_not_ready_but_alive(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise OperationalError("select 1", {}, Exception("refused"))

    monkeypatch.setattr("config.database.alive", down)
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "unavailable", "database": "down", "redis": "up"}


def test_without_redis_degraded_and_pages_still_work(
    database: object, postgres_url: str, hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.database, "connect", lambda _url: None)
    client = create_app(make_settings(postgres_url, "redis://127.0.0.1:9/0")).test_client()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "degraded", "database": "up", "redis": "down"}
    assert client.get("/internet-diagnosis").status_code == 200


def test_production_demands_https(
    database: object, postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config.database, "connect", lambda _url: None)
    strong = "k" * 40
    settings = make_settings(
        postgres_url, redis_url, clinic_env="production", clinic_origin="https://clinic.example.org",
        secret_key=strong, blind_index_key=strong, wechat_secret=strong, wechat_token="t" * 32,
        field_keys="first:" + "A" * 43 + "=", wechat_api_origin="https://api.weixin.qq.com",
        wechat_open_origin="https://open.weixin.qq.com",
        wechat_jssdk_url="https://res.wx.qq.com/open/js/jweixin-1.6.0.js",
    )  # fmt: skip
    headers = create_app(settings).test_client().get("/help").headers
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "https://res.wx.qq.com" in headers["Content-Security-Policy"]
