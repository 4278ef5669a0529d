"""Signing in: silently, back to the page asked for, for real people only."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from people.models import Account
from people.sessions import SignIn
from tests.wechat.conftest import OPENID, Api, Room
from wechat.signin import HOME, own_path, public, remember_locale, signed_in, viewer, visitor_locale

EXCHANGE = "/sns/oauth2/access_token"


@pytest.fixture
def browser(room: Room, api: Api) -> FlaskClient:
    """A visitor of an application with one page of each kind."""
    api.routes[EXCHANGE] = {"openid": OPENID, "access_token": "u", "expires_in": 7200}
    add_pages(room.app)
    return room.app.test_client()


def add_pages(app: Flask) -> None:
    @app.get("/mine/<name>")
    @signed_in
    def mine(name: str) -> str:
        return f"{name} {viewer().account_id} {viewer().locale}"

    @app.post("/mine")
    @signed_in
    def change() -> str:
        return "changed"

    @app.get("/open")
    @public
    def everybody() -> str:
        return visitor_locale()

    @app.get("/speak/<locale>")
    @public
    def speak(locale: str) -> Response:
        remember_locale(locale)
        return Response("")

    app.extensions["csrf"].exempt(change)


def start(browser: FlaskClient, page: str = "/mine/a?b=1") -> str:
    """Ask for a page and go to WeChat; returns the state WeChat was given."""
    first = browser.get(page)
    assert first.status_code == 302
    second = browser.get(first.location)
    return parse_qs(urlsplit(second.location).query)["state"][0]


def come_back(browser: FlaskClient, state: str, code: str = "c0de") -> TestResponse:
    return browser.get("/oauth/callback", query_string={"code": code, "state": state})


def test_the_whole_way(browser: FlaskClient, api: Api, session: Session) -> None:
    answer = come_back(browser, start(browser))
    assert (answer.status_code, answer.location) == (302, "/mine/a?b=1")
    account = session.scalars(select(Account).where(Account.openid == OPENID)).one()
    assert browser.get("/mine/a").text == f"a {account.id} zh_CN"
    assert not account.followed
    assert len(api.made(EXCHANGE)) == 1


def test_chinese_in_the_address_survives(browser: FlaskClient) -> None:
    answer = come_back(browser, start(browser, "/mine/内科?q=%E5%92%B3"))
    assert browser.get(answer.location).text.startswith("内科 ")


def test_where_wechat_is_asked(browser: FlaskClient) -> None:
    url = browser.get("/oauth/start?next=/mine/a").location
    parts = urlsplit(url)
    assert (parts.path, parts.fragment) == ("/connect/oauth2/authorize", "wechat_redirect")
    names = [pair.split("=")[0] for pair in parts.query.split("&")]
    assert names == ["appid", "redirect_uri", "response_type", "scope", "state"]
    assert "redirect_uri=http%3A%2F%2F127.0.0.1%3A8000%2Foauth%2Fcallback&" in parts.query
    state = parse_qs(parts.query)["state"][0]
    assert state.isalnum()
    assert len(state) <= 128


def test_a_state_works_once_and_in_its_own_browser(browser: FlaskClient, room: Room, api: Api) -> None:
    state = start(browser)
    assert come_back(room.app.test_client(), state).text == "sign-in-failed"
    assert come_back(browser, state).status_code == 302
    assert come_back(browser, state).text == "sign-in-failed"  # the page reloaded
    assert len(api.made(EXCHANGE)) == 1


@pytest.mark.parametrize("query", ["", "?code=1", "?state=1", "?code=1&state=", "?code=1&state=%00"])
def test_a_callback_nobody_asked_for(browser: FlaskClient, query: str) -> None:
    answer = browser.get(f"/oauth/callback{query}")
    assert (answer.status_code, answer.text) == (400, "sign-in-failed")


def test_permission_refused(browser: FlaskClient) -> None:
    assert come_back(browser, start(browser), code="").text == "sign-in-failed"


def test_several_pages_at_once(browser: FlaskClient) -> None:
    states = [start(browser, f"/mine/{name}") for name in "abc"]
    assert come_back(browser, states[1]).location == "/mine/b"
    assert come_back(browser, states[0]).location == "/mine/a"


@pytest.mark.parametrize(
    ("grant", "code", "status"),
    [
        ({"openid": OPENID, "is_snapshotuser": 1}, "snapshot-user", 403),
        ({"openid": OPENID, "is_snapshotuser": "1"}, "snapshot-user", 403),
        ({"errcode": 40029, "errmsg": "invalid code"}, "sign-in-failed", 400),
        ({"errcode": 40163, "errmsg": "code been used"}, "sign-in-failed", 400),
        ({"errcode": -1, "errmsg": "busy"}, "wechat-down", 503),
        ({"errcode": 45011, "errmsg": "api minute-quota reach limit"}, "wechat-down", 503),
        ({"errcode": 40125, "errmsg": "invalid appsecret"}, "wechat-down", 503),
        ({}, "wechat-down", 503),
        (500, "wechat-down", 503),
        (b"<html>", "wechat-down", 503),
    ],
)
def test_no_account_is_made(
    browser: FlaskClient, api: Api, session: Session, grant: Any, code: str, status: int
) -> None:
    state = start(browser)
    api.routes[EXCHANGE] = grant
    answer = come_back(browser, state)
    assert (answer.text, answer.status_code) == (code, status)
    assert session.scalar(select(func.count()).select_from(Account)) == 0
    assert browser.get("/mine/a").status_code == 302


def test_unionid_is_kept(browser: FlaskClient, api: Api, session: Session) -> None:
    api.routes[EXCHANGE] = {"openid": OPENID, "unionid": "u1", "is_snapshotuser": 0}
    come_back(browser, start(browser))
    assert session.scalars(select(Account.unionid)).one() == "u1"


def test_the_old_session_does_not_survive(browser: FlaskClient) -> None:
    with browser.session_transaction() as session:
        session["planted"] = "x"
    come_back(browser, start(browser))
    with browser.session_transaction() as session:
        assert set(session) == {"sign_in"}


def test_a_new_sign_in_is_a_new_row_and_ends_the_one_before(browser: FlaskClient, session: Session) -> None:
    come_back(browser, start(browser))
    with browser.session_transaction() as kept:
        old = dict(kept)
    again = browser.get("/oauth/start?next=/mine/a").location
    come_back(browser, parse_qs(urlsplit(again).query)["state"][0])
    rows = session.scalars(select(SignIn).order_by(SignIn.id)).all()
    assert [row.ended_at is None for row in rows] == [False, True]
    with browser.session_transaction() as kept:
        assert kept["sign_in"] == str(rows[1].id)
        kept.update(old)  # the old cookie again
    assert browser.get("/mine/a").status_code == 302


def test_a_form_without_a_session(browser: FlaskClient) -> None:
    answer = browser.post("/mine")
    assert (answer.status_code, answer.text) == (401, "not-signed-in")


def test_languages(browser: FlaskClient, session: Session) -> None:
    def seen(**headers: str) -> str:
        return browser.get("/open", headers={name.replace("_", "-"): value for name, value in headers.items()}).text

    assert seen() == "zh_CN"
    assert seen(Accept_Language="fr") == "zh_CN"
    assert seen(Accept_Language="en-GB,en;q=0.9,zh;q=0.1") == "en"
    assert seen(Accept_Language="zh-TW,en;q=0.5") == "zh_CN"
    wechat = "Mozilla/5.0 MicroMessenger/8.0.50 NetType/WIFI Language/"
    assert seen(User_Agent=wechat + "en", Accept_Language="zh") == "en"
    assert seen(User_Agent=wechat + "zh_CN", Accept_Language="en") == "zh_CN"
    browser.get("/speak/en")
    assert seen(User_Agent=wechat + "zh_CN") == "en"
    come_back(browser, start(browser))
    assert seen() == "en"  # chosen before signing in
    session.scalars(select(Account)).one().locale = "zh_CN"
    session.commit()
    browser.delete_cookie("session")
    come_back(browser, start(browser))
    assert seen(Accept_Language="en") == "zh_CN"  # the account's own choice


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/\t/evil.example",
        "/\n/evil",
        " //evil",
        "/oauth/start?next=/",
        "http:/evil",
        "/" + "a" * 600,
        "//[",
        "/ /evil",
    ],
)
def test_open_redirects(browser: FlaskClient, target: str) -> None:
    assert own_path(target) == HOME
    browser.get("/oauth/start", query_string={"next": target})
    with browser.session_transaction() as session:
        assert list(session["oauth"].values()) == [HOME]


@given(
    st.text(max_size=50)
    | st.lists(st.sampled_from(["/", "\\", "@", ":", "evil.example", "?", "#", "\r", "."])).map("".join)
)
def test_a_way_back_is_always_a_path_of_ours(target: str) -> None:
    path = own_path(target)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    parts = urlsplit(path)
    assert (parts.scheme, parts.netloc) == ("", "")


def test_every_view_carries_its_guard(room: Room) -> None:
    views = {name: view for name, view in room.app.view_functions.items() if name != "static"}
    assert {name: getattr(view, "guard", None) for name, view in views.items()} == dict.fromkeys(views, "public")
