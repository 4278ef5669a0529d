"""The applications that are measured, each served by a gunicorn of its own: bots that echo a text message for
bench/webhook.py, forms that are posted for bench/http.py and bench/rush.py.

Every function imports only what its bot needs, so that no process carries another's modules.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

from flask import Flask, abort, request

if TYPE_CHECKING:
    from config.settings import Settings
    from wechat.messages import Inbound
    from wechat.replies import TextReply

TOKEN, APPID = "devtoken", "wx5f0c1de9a7b34286"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PACKAGES = Path(__file__).parents[1] / ".tools" / "bench"  # requirements-bench.lock, kept apart from the product's


def clinic() -> Flask:
    """The whole product, with an echo in the place of its front desk."""
    from app import create_app  # noqa: PLC0415
    from wechat import service  # noqa: PLC0415

    with patch.object(service, "FrontDesk", lambda *_: Echo()):
        return create_app(clinic_settings())


def full_clinic() -> Flask:
    """The whole product; its answers come from PostgreSQL."""
    from app import create_app  # noqa: PLC0415

    return create_app(clinic_settings())


class Echo:
    """Answers a text with itself."""

    def answer(self, message: Inbound) -> TextReply:
        """The message's words."""
        from wechat.replies import TextReply  # noqa: PLC0415

        return TextReply(message.words)


def clinic_settings() -> Settings:
    """The product's settings in the mode of the environment."""
    from tests.product import make_settings  # noqa: PLC0415

    return make_settings(
        os.environ["BENCH_DATABASE"],
        os.environ["BENCH_REDIS"],
        wechat_mode=os.environ["BENCH_MODE"],
        wechat_token=TOKEN,
        wechat_aes_key=AES_KEY,
        wechat_appid=APPID,
        prometheus_multiproc_dir=os.environ["PROMETHEUS_MULTIPROC_DIR"],
    )


def wechatpy_echo() -> Flask:
    """The echo example of wechatpy's documentation."""
    from wechatpy import create_reply, parse_message  # noqa: PLC0415
    from wechatpy.crypto import WeChatCrypto  # noqa: PLC0415
    from wechatpy.exceptions import InvalidAppIdException, InvalidSignatureException  # noqa: PLC0415
    from wechatpy.utils import check_signature  # noqa: PLC0415

    app = Flask(__name__)

    @app.post("/wechat")
    def wechat() -> str:
        timestamp, nonce = request.args.get("timestamp", ""), request.args.get("nonce", "")
        try:
            check_signature(TOKEN, request.args.get("signature", ""), timestamp, nonce)
        except InvalidSignatureException:
            abort(403)
        if request.args.get("encrypt_type", "raw") == "raw":
            msg = parse_message(request.data)
            reply = create_reply(msg.content if msg.type == "text" else "Sorry, can not handle this for now", msg)
            return str(reply.render())
        crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)
        try:
            data = crypto.decrypt_message(request.data, request.args.get("msg_signature", ""), timestamp, nonce)
        except (InvalidSignatureException, InvalidAppIdException):
            abort(403)
        msg = parse_message(data)
        reply = create_reply(msg.content if msg.type == "text" else "Sorry, can not handle this for now", msg)
        return str(crypto.encrypt_message(reply.render(), nonce, timestamp))

    return app


def werobot_echo() -> Flask:
    """WeRoBot without sessions, by its own Flask view."""
    sys.path.append(str(PACKAGES))
    from werobot import WeRoBot  # noqa: PLC0415
    from werobot.contrib.flask import make_view  # noqa: PLC0415

    keys = {"app_id": APPID, "encoding_aes_key": AES_KEY} if os.environ["BENCH_MODE"] == "safe" else {}
    robot = WeRoBot(token=TOKEN, enable_session=False, **keys)
    robot.add_handler(lambda message: message.content, type="text")
    app = Flask(__name__)
    app.add_url_rule("/wechat", "werobot", make_view(robot), methods=["GET", "POST"])
    return app


def bare() -> Flask:
    """Flask alone: one constant."""
    app = Flask(__name__)

    @app.post("/wechat")
    def constant() -> str:
        return "success"

    return app


def no_op() -> Flask:
    """Flask alone: a form is posted, one constant comes back."""
    app = Flask(__name__)

    @app.post("/visits")
    def constant() -> str:
        return "success"

    return app


def statement() -> Flask:
    """Flask and the booking statement, asked for all who come meanwhile as by menus/lane.py; no rules, record or
    fact."""
    from collections.abc import Sequence  # noqa: PLC0415
    from uuid import UUID  # noqa: PLC0415

    from booking.numbers import for_many  # noqa: PLC0415
    from config import clock, database  # noqa: PLC0415
    from config.ids import new_id  # noqa: PLC0415
    from config.together import Together  # noqa: PLC0415

    app, bare = Flask(__name__), for_many(whole=False)
    database.connect(os.environ["BENCH_DATABASE"])

    def take(wishes: Sequence[tuple[UUID, UUID]]) -> list[bool]:
        now = clock.now()
        rest = {"from_pool": "open", "at_moment": now, "until": now, "instead_of": None}
        asked = [
            {"new_id": new_id(), "for_schedule": schedule, "for_patient": child, "by_account": child, **rest}
            for schedule, child in wishes
        ]
        with database.looking() as session:
            return [bool(rows) for rows in bare(session, asked)]

    together = Together(take)

    @app.post("/visits")
    def book() -> str:
        if not together.ask((UUID(request.form["schedule"]), UUID(request.form["patient"]))):
            abort(409)
        return "booked"

    return app
