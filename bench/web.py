"""What an answer costs in one process, without a network, against a POST that does nothing."""

from __future__ import annotations

from flask import Flask, Response
from flask.testing import FlaskClient

from app import create_app
from bench.rounds import Way, compare
from config.clock import real_now
from config.settings import Settings
from wechat.crypto import Crypto

MESSAGE = (
    "<xml><ToUserName>gh_0</ToUserName><FromUserName>o-bench</FromUserName><CreateTime>1714112440</CreateTime>"
    "<MsgType>text</MsgType><Content>挂号</Content><MsgId>{number}</MsgId></xml>"
)
CALLS = 400


def run(settings: Settings) -> None:
    """Compare the webhook in safe mode, the departments' page and a department's page with a no-op."""
    app = create_app(settings)
    _no_op(app)
    client = app.test_client()
    crypto = Crypto(
        settings.wechat_token.get_secret_value(), settings.wechat_aes_key.get_secret_value(), settings.wechat_appid
    )
    nothing = Way("POST that does nothing", lambda _: client.post("/no-op", data="x"))
    numbers = iter(range(10**9))
    ways = (
        Way("webhook: an encrypted text, answered", lambda _: push(client, crypto, next(numbers))),
        Way("page: all departments", lambda _: client.get("/internet-diagnosis")),
        Way("page: one department, eight days", lambda _: client.get("/internet-diagnosis/internal-medicine")),
    )
    for way in ways:
        compare(way.name, way, nothing, clients=1, calls=CALLS, rounds=3)


def _no_op(app: Flask) -> None:
    def view() -> Response:
        return Response("", 200)

    app.add_url_rule("/no-op", "no-op", view, methods=["POST"])
    app.extensions["csrf"].exempt(f"{view.__module__}.{view.__name__}")


def push(client: FlaskClient, crypto: Crypto, number: int) -> None:
    """One message as WeChat pushes it in safe mode."""
    stamp, nonce = str(int(real_now().timestamp())), "n0nce"
    body = crypto.seal(MESSAGE.format(number=number), stamp, nonce)
    sealed = body.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    query = {
        "timestamp": stamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": crypto.signature(stamp, nonce, sealed),
    }
    answer = client.post("/wechat", query_string=query, data=body, content_type="text/xml")
    if answer.status_code != 200:
        raise RuntimeError(answer.status)
