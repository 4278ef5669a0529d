"""The webhook's door: what comes in, what is refused, and one answer to each message."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from werkzeug.test import Client

import config.redis
from config import clock
from config.settings import Settings
from people.models import AuditEvent
from tests.held import all_sent
from tests.wechat.conftest import Room, make_room, push_xml, stamped, text_of
from wechat import webhook
from wechat.crypto import Crypto
from wechat.inbound import parse
from wechat.kinds import EVENTS, MESSAGES
from wechat.messages import Inbound
from wechat.replies import TextReply
from wechat.webhook import Envelope, Memory, first_answer

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
TEXT = {"MsgType": "text", "Content": "你好", "MsgId": 1}
FOLLOW = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}


def plain_query(room: Room, **changes: str) -> str:
    stamp = changes.get("timestamp") or stamped()
    query = {"timestamp": stamp, "nonce": "1", "signature": room.crypto.signature(stamp, "1"), **changes}
    return "/wechat?" + urlencode(query)


def in_mode(mode: str, given: Settings, store: Redis) -> Room:
    return make_room(given.model_copy(update={"wechat_mode": mode}), store)


def test_url_check(room: Room) -> None:
    good = room.client.get(plain_query(room, echostr="<b>4375</b>"))
    assert (good.status_code, good.text, good.mimetype) == (200, "<b>4375</b>", "text/plain")
    for wrong in ({"signature": "0" * 40}, {"signature": "ü"}, {"timestamp": ""}, {"nonce": "]]>"}):
        assert room.client.get(plain_query(room, echostr="1", **wrong)).status_code == 403
    assert room.client.get("/wechat").status_code == 403


def test_wechats_own_example_of_the_check() -> None:
    vector = VECTORS["A_url_verify"]
    envelope = Envelope(Crypto(vector["token"], "A" * 43, "wx"), "safe")
    app = Flask(__name__)
    app.register_blueprint(webhook.blueprint(envelope))
    query = {name: vector[name] for name in ("signature", "timestamp", "nonce", "echostr")}
    assert app.test_client().get(f"/wechat?{urlencode(query)}").text == vector["echostr"]


def test_safe_mode(room: Room) -> None:
    response = room.post(TEXT)
    assert "<Nonce><![CDATA[n0nce]]></Nonce>" in response.text  # the request's own
    assert text_of(room.opened(response)).startswith("您可以")


PREVIOUS, OTHER = "p" * 42 + "A", "x" * 42 + "A"


def test_the_key_before_a_change_is_taken_and_answered_with(
    wechat_settings: Settings, store: Redis, database: Connection
) -> None:
    changes = {"wechat_aes_key_previous": SecretStr(PREVIOUS)}
    room = make_room(wechat_settings.model_copy(update=changes), store)
    for number, key in enumerate((room.crypto.aes_key, PREVIOUS)):
        room.crypto = replace(room.crypto, aes_key=key)
        assert text_of(room.opened(room.post({**TEXT, "MsgId": number}))).startswith("您可以")
    room.crypto = replace(room.crypto, aes_key=OTHER)
    assert room.post(TEXT).status_code == 403


def test_without_a_key_before_only_the_current_one(room: Room) -> None:
    room.crypto = replace(room.crypto, aes_key=PREVIOUS)
    assert room.post(TEXT).status_code == 403


@pytest.mark.parametrize(("late", "status"), [(0, 200), (280, 200), (-280, 200), (320, 403), (-320, 403)])
def test_old_stamps_are_refused(room: Room, late: int, status: int) -> None:
    assert room.post(TEXT, stamp=stamped(late)).status_code == status


def test_a_shifted_clock_is_ours_alone(room: Room) -> None:
    """CLINIC_CLOCK moves the clinic, not WeChat."""
    clock.shift("+3d")
    try:
        assert room.post(TEXT).status_code == 200
    finally:
        clock.shift("")


def test_pushes_are_counted(room: Room) -> None:
    def counted(kind: str, outcome: str) -> float:
        labels = {"kind": kind, "outcome": outcome}
        return REGISTRY.get_sample_value("clinic_wechat_pushes_total", labels) or 0.0

    kinds = [("Followed", "TextReply"), ("Followed", "repeated"), ("unread", "refused-403")]
    before = [counted(*kind) for kind in kinds]
    room.post(FOLLOW)
    room.post(FOLLOW)
    room.post(FOLLOW, stamp=stamped(9999))
    assert [counted(*kind) - then for kind, then in zip(kinds, before, strict=True)] == [1, 1, 1]


def test_the_domain_file(wechat_settings: Settings, store: Redis) -> None:
    changes = {"wechat_domain_file": "MP_verify_Ab1.txt:Ab1content"}
    client = make_room(wechat_settings.model_copy(update=changes), store).client
    found = client.get("/MP_verify_Ab1.txt")
    assert (found.status_code, found.text, found.mimetype) == (200, "Ab1content", "text/plain")
    assert client.get("/MP_verify_ab1.txt").status_code == 404
    assert make_room(wechat_settings, store).client.get("/MP_verify_.txt").status_code == 404


def test_nothing_to_say_is_success_and_never_encrypted(room: Room) -> None:
    response = room.post({"MsgType": "event", "Event": "VIEW", "EventKey": "http://x"})
    assert (response.status_code, response.text) == (200, "success")


def test_safe_mode_refuses_plain_text(room: Room) -> None:
    assert room.client.post(plain_query(room), data=push_xml(TEXT)).status_code == 403
    assert room.client.post(plain_query(room, encrypt_type="raw"), data=push_xml(TEXT)).status_code == 403


def test_a_nonce_cannot_carry_xml_into_the_answer(room: Room) -> None:
    assert room.post(TEXT, nonce="]]><x/>").status_code == 403


def test_plain_mode(wechat_settings: Settings, store: Redis, database: Connection) -> None:
    room = in_mode("plain", wechat_settings, store)
    answer = room.client.post(plain_query(room), data=push_xml(TEXT))
    assert answer.status_code == 200
    assert text_of(answer.text).startswith("您可以")
    assert room.client.post(plain_query(room, signature="0" * 40), data=push_xml(TEXT)).status_code == 403
    assert room.client.post("/wechat", data=push_xml(TEXT)).status_code == 403


def test_compatible_mode_trusts_the_encrypted_part(
    wechat_settings: Settings, store: Redis, database: Connection
) -> None:
    room = in_mode("compatible", wechat_settings, store)
    stamp = stamped()
    sealed = room.crypto.seal(push_xml(TEXT), stamp, "1").split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    signature = room.crypto.signature(stamp, "1", sealed)
    lie = push_xml({**TEXT, "Content": "救命", "Encrypt": sealed})
    answer = room.client.post(plain_query(room, timestamp=stamp, encrypt_type="aes", msg_signature=signature), data=lie)
    assert text_of(room.opened(answer)).startswith("您可以")


def test_a_retry_gets_the_first_answer(room: Room, session: Session) -> None:
    first = room.opened(room.post(FOLLOW, nonce="a", stamp=stamped(5)))
    second = room.opened(room.post(FOLLOW, nonce="b"))
    assert first == second
    assert session.query(AuditEvent).filter_by(action="follow").count() == 1
    room.post({**FOLLOW, "CreateTime": 1714112441})
    assert session.query(AuditEvent).filter_by(action="follow").count() == 2


def test_a_retry_of_silence_is_silent(room: Room, session: Session) -> None:
    leave = {"MsgType": "event", "Event": "unsubscribe", "EventKey": ""}
    assert [room.says(leave), room.says(leave)] == ["", ""]
    assert session.query(AuditEvent).filter_by(action="unfollow").count() == 1


def test_without_redis_answers_flow(wechat_settings: Settings, no_store: Redis, database: Connection) -> None:
    room = make_room(wechat_settings, no_store)
    assert [bool(room.says(FOLLOW)) for _ in range(2)] == [True, True]


MESSAGE = parse(push_xml(TEXT))


class Slow:
    """Answers when told to."""

    def __init__(self) -> None:
        self.asked = 0
        self.started, self.go = threading.Event(), threading.Event()

    def answer(self, message: Inbound) -> TextReply:
        self.asked += 1
        self.started.set()
        self.go.wait(5)
        return TextReply(f"answer {self.asked}")


def test_a_retry_waits_for_the_first_delivery(store: Redis) -> None:
    desk = Slow()
    answers: list[str] = []
    first, second = (
        threading.Thread(target=lambda: answers.append(first_answer(Memory(store), MESSAGE, desk))) for _ in range(2)
    )
    first.start()
    assert desk.started.wait(5)
    second.start()
    desk.go.set()
    first.join()
    second.join()
    assert desk.asked == 1
    assert answers[0] == answers[1]


def test_a_retry_that_comes_before_the_answer_is_sent_to_redis(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, memory = Slow(), Memory(store)
    desk.go.set()
    monkeypatch.setattr(config.redis, "HELD", 0.5)
    first = first_answer(memory, MESSAGE, desk)
    assert store.get(webhook.memory_key(MESSAGE)) == webhook.PENDING
    assert first_answer(Memory(store), MESSAGE, desk) == first  # in another process: it waits
    store.flushdb()
    monkeypatch.setattr(config.redis, "Timer", Mock())
    first = first_answer(memory, MESSAGE, desk)
    assert first_answer(memory, MESSAGE, desk) == first  # in the same: the answer goes before its question
    assert desk.asked == 2


def test_a_first_delivery_that_died_is_done_by_the_retry(store: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def answer(self, message: Inbound) -> TextReply:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        first_answer(Memory(store), MESSAGE, Broken())
    assert store.get(webhook.memory_key(MESSAGE)) is None
    desk = Slow()
    desk.go.set()
    assert "answer 1" in first_answer(Memory(store), MESSAGE, desk)
    all_sent()  # else the first answer is remembered after everything was forgotten
    store.flushdb()
    monkeypatch.setattr(webhook, "PATIENCE", 0.0)
    store.set(webhook.memory_key(MESSAGE), webhook.PENDING)  # killed before it could answer
    assert "answer 2" in first_answer(Memory(store), MESSAGE, desk)


def inbox(store: Redis, desk: webhook.Desk) -> Client:
    """The webhook in plain mode with nothing behind it."""

    def nothing(environ: object, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [])
        return [b"behind"]

    return Client(webhook.Inbox(nothing, Envelope(CRYPTO, "plain"), Memory(store), desk))


CRYPTO = Crypto("token", "A" * 43, "wx")


def signed() -> str:
    stamp = stamped()
    return "/wechat?" + urlencode({"timestamp": stamp, "nonce": "1", "signature": CRYPTO.signature(stamp, "1")})


def test_a_fault_of_ours_is_counted_and_tells_nothing(store: Redis) -> None:
    class Broken:
        def answer(self, message: Inbound) -> TextReply:
            raise RuntimeError("挂号")

    labels = {"method": "POST", "route": "webhook.receive", "status": "500"}
    before = REGISTRY.get_sample_value("clinic_request_seconds_count", labels) or 0
    answer = inbox(store, Broken()).post(signed(), data=push_xml(TEXT))
    assert (answer.status_code, answer.data) == (500, b"")
    assert REGISTRY.get_sample_value("clinic_request_seconds_count", labels) == before + 1
    assert list(store.scan_iter("wechat:seen:*")) == []  # WeChat's retry is handled anew


def test_a_body_that_breaks_off(store: Redis) -> None:
    class Gone:
        def read(self, _: int = -1) -> bytes:
            raise OSError

    environ = {"wsgi.input": Gone(), "wsgi.input_terminated": True}
    answer = inbox(store, Slow()).post(signed(), environ_overrides=environ)
    assert answer.status_code == 400


def test_every_other_request_goes_on(store: Redis) -> None:
    client = inbox(store, Slow())
    for answer in (client.get("/wechat"), client.post("/wechat/"), client.post("/visits"), client.delete("/wechat")):
        assert answer.data == b"behind"


def test_the_first_of_two_equal_names_counts(room: Room) -> None:
    """As everywhere in the house: a second signature behind the right one changes nothing."""
    assert room.client.post(plain_query(room) + "&encrypt_type=raw&timestamp=1").status_code == 403
    assert room.client.get(plain_query(room, echostr="1") + "&signature=0").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 403), (b"\xff\xfe", 400), (b"hello", 400), (b"<xml/>", 403), (b"x" * (64 * 1024 + 1), 413)],
)
def test_rubbish(room: Room, body: bytes, status: int) -> None:
    query = plain_query(room, encrypt_type="aes", msg_signature="0" * 40)
    assert room.client.post(query, data=body).status_code in {status, 400}
    assert room.client.post("/wechat", data=body).status_code in {400, 403, 413}


def test_other_methods(room: Room) -> None:
    assert room.client.put("/wechat").status_code == 405


WORD = st.text(max_size=30) | st.sampled_from(["aes", "raw", "1", "n", "\0", "]]>"])
QUERY = st.dictionaries(
    st.sampled_from(["signature", "timestamp", "nonce", "openid", "encrypt_type", "msg_signature", "echostr"]), WORD
)
XML_BYTES = st.sampled_from(
    ["<xml>", "</xml>", "<Encrypt>", "</Encrypt>", "<![CDATA[", "]]>", "<!DOCTYPE", "&a;", "A=="]
)
BODY = st.binary(max_size=400) | st.lists(XML_BYTES, max_size=12).map(lambda parts: "".join(parts).encode())
FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@FUZZ
@given(QUERY, BODY, st.sampled_from(["plain", "compatible", "safe"]))
def test_nobody_breaks_the_webhook_from_outside(
    rooms: dict[str, Room], query: dict[str, str], body: bytes, mode: str
) -> None:
    client = rooms[mode].client
    assert 400 <= client.post(f"/wechat?{urlencode(query)}", data=body).status_code < 500
    assert 400 <= client.get(f"/wechat?{urlencode(query)}").status_code < 500


@FUZZ
@given(BODY, st.sampled_from(["plain", "compatible", "safe"]))
def test_nor_with_a_right_signature_over_rubbish(rooms: dict[str, Room], body: bytes, mode: str) -> None:
    """Anybody who saw one address of a plain push may send its signature again with another body."""
    room = rooms[mode]
    assert 400 <= room.client.post(plain_query(room), data=body).status_code < 500
    sealed = base64.b64encode(body).decode()
    stamp = stamped()
    signature = room.crypto.signature(stamp, "1", sealed)
    query = plain_query(room, timestamp=stamp, encrypt_type="aes", msg_signature=signature)
    assert 400 <= room.client.post(query, data=f"<xml><Encrypt>{sealed}</Encrypt></xml>").status_code < 500


@FUZZ
@given(st.text(max_size=200), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4))
def test_nor_with_cipher_text_of_anything_or_damaged(
    rooms: dict[str, Room], message: str, changes: list[tuple[int, int]]
) -> None:
    room, stamp = rooms["safe"], stamped()
    text = message.encode(errors="ignore").decode()
    assert room.post(text).status_code == 400
    sealed = bytearray(
        base64.b64decode(room.crypto.seal(push_xml(TEXT), stamp, "1").split("[CDATA[")[1].split("]]")[0])
    )
    for place, value in changes:
        sealed[place % len(sealed)] ^= value
    encoded = base64.b64encode(sealed).decode()
    signature = room.crypto.signature(stamp, "1", encoded)
    query = plain_query(room, timestamp=stamp, encrypt_type="aes", msg_signature=signature)
    body = f"<xml><Encrypt>{encoded}</Encrypt></xml>"
    assert room.client.post(query, data=body).status_code in {200, 400, 403}


NAMES = [
    "MsgType", "Event", "EventKey", "Content", "MsgId", "FromUserName", "PicUrl", "ScanCodeInfo", "MsgID", "Status",
    "OpenID", "Ticket", "Latitude", "Location_X", "SendPicsInfo", "SendLocationInfo", "SubscribeMsgPopupEvent",
    "SubscribeMsgSentEvent", "ExpiredTime", "SentCount",
]  # fmt: skip
VALUE = st.text(max_size=20) | st.sampled_from(["scan-child", "nan", "9" * 30, "-1", "qrscene_1", "scanbarcode|1"])
INSIDE = st.dictionaries(st.sampled_from(["ScanResult", "List", "PicList", "item", "MsgID", "Location_X"]), VALUE)
KINDS = st.sampled_from([*MESSAGES, *EVENTS, "event"])
FIELDS = st.builds(
    lambda fields, kind, name: fields | ({"MsgType": "event", "Event": name} if name else {"MsgType": kind}),
    st.dictionaries(st.sampled_from(NAMES), VALUE | INSIDE | st.dictionaries(st.just("List"), INSIDE)),
    KINDS,
    st.sampled_from([*EVENTS, "", ""]),
)


@FUZZ
@given(FIELDS)
def test_nor_with_a_message_of_any_kind(rooms: dict[str, Room], fields: dict[str, Any]) -> None:
    assert rooms["safe"].post(fields).status_code in {200, 400}
    assert rooms["plain"].client.post(plain_query(rooms["plain"]), data=push_xml(fields)).status_code in {200, 400}


@pytest.fixture
def rooms(wechat_settings: Settings, store: Redis, database: Connection) -> dict[str, Room]:
    """One room in each mode."""
    return {mode: in_mode(mode, wechat_settings, store) for mode in ("plain", "compatible", "safe")}
