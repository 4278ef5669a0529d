"""wechatpy's own echo bot, as its documentation writes it, behind the simulator: the simulator is tied to nobody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, abort, request
from wechatpy import create_reply, parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException
from wechatpy.utils import check_signature

from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import AES_KEY, APPID, TOKEN, Served


def create_echo() -> Flask:
    """The echo example."""
    app = Flask(__name__)

    @app.route("/wechat", methods=["GET", "POST"])
    def wechat() -> str:
        signature = request.args.get("signature", "")
        timestamp = request.args.get("timestamp", "")
        nonce = request.args.get("nonce", "")
        encrypt_type = request.args.get("encrypt_type", "raw")
        msg_signature = request.args.get("msg_signature", "")
        try:
            check_signature(TOKEN, signature, timestamp, nonce)
        except InvalidSignatureException:
            abort(403)
        if request.method == "GET":
            return request.args.get("echostr", "")
        if encrypt_type == "raw":
            msg = parse_message(request.data)
            reply = create_reply(msg.content if msg.type == "text" else "Sorry, can not handle this for now", msg)
            return str(reply.render())
        crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)
        try:
            data = crypto.decrypt_message(request.data, msg_signature, timestamp, nonce)
        except (InvalidSignatureException, InvalidAppIdException):
            abort(403)
        msg = parse_message(data)
        reply = create_reply(msg.content if msg.type == "text" else "Sorry, can not handle this for now", msg)
        return str(crypto.encrypt_message(reply.render(), nonce, timestamp))

    return app


@pytest.fixture
def echo(sim: Sim) -> Iterator[Sim]:
    """The simulator with the echo bot behind it."""
    served = Served(create_echo())
    sim.world.config = replace(sim.world.config, backend=served.origin, webhook=f"{served.origin}/wechat")
    yield sim
    served.stop()


@pytest.mark.parametrize("mode", ["plain", "compatible", "safe"])
def test_the_echo_bot_echoes(echo: Sim, mode: str) -> None:
    echo.post("/settings", {"mode": mode})
    assert echo.post("/verify-url")["verdict"] == "ok"
    assert echo.post("/phones/li-na/follow")["delivery"]["verdict"] == "ok"
    told = echo.post("/phones/li-na/text", {"content": "你好 <&>"})["delivery"]
    assert (told["verdict"], told["reply"]["text"]) == ("ok", "你好 <&>")
    picture = echo.post("/phones/li-na/image", {"picture": "patient-2001"})["delivery"]
    assert picture["reply"]["text"].startswith("Sorry")
