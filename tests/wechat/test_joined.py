"""The room inside the whole application: WeChat's pushes need no form token, and a stranger's get no page."""

from __future__ import annotations

from flask.testing import FlaskClient


def test_pushes_pass_the_form_check(client: FlaskClient) -> None:
    for body in (b"", b"\xff", b"<xml/>"):
        answer = client.post("/wechat", data=body)
        assert (answer.status_code, answer.data) in {(403, b""), (400, b"")}


def test_sign_in_starts(client: FlaskClient) -> None:
    answer = client.get("/oauth/start?next=/visits")
    assert answer.status_code == 302
    assert "/connect/oauth2/authorize?appid=" in answer.location


def test_a_refused_sign_in_is_a_page_in_words(client: FlaskClient) -> None:
    answer = client.get("/oauth/callback?code=1&state=1")
    assert answer.status_code == 400
    assert "请从公众号菜单重新打开页面" in answer.text
