"""A small WeChat API on loopback whose answers a test sets, and an application with nothing but the WeChat room."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_wtf import CSRFProtect
from redis import Redis
from sqlalchemy import Connection
from werkzeug.test import TestResponse

from config import redis
from config.clock import real_now
from config.errors import Refused
from config.settings import Settings
from people.index import TablePatientIndex
from tests.held import all_sent
from tests.product import make_settings
from wechat import service
from wechat.crypto import Crypto
from wechat.service import WeChatService

OPENID = "oTestParent0000000000000001"
ACCOUNT = "gh_5f0c1de9a7b3"


@dataclass
class Call:
    """One request that reached the API."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Answer = dict[str, Any] | bytes | int
Route = Answer | Callable[[Call], Answer]


@dataclass
class Api:
    """Answers by path: a JSON object, bytes, an HTTP status, or a function of the call that returns one of these."""

    origin: str
    routes: dict[str, Route] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, call: Call) -> Answer:
        with self.lock:
            self.calls.append(call)
        route = self.routes.get(call.path, 404)
        return route(call) if callable(route) else route

    def made(self, path: str) -> list[Call]:
        """The calls of one path."""
        return [call for call in self.calls if call.path == path]


TOKEN = "/cgi-bin/stable_token"


@pytest.fixture
def api() -> Iterator[Api]:
    """The API, listening; it gives one token unless told otherwise."""
    made = Api("")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = made.answer(Call(self.command, parts.path, query, body))
            status = answer if isinstance(answer, int) else 200
            content = b"" if isinstance(answer, int) else answer
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/ok")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    made.origin = f"http://127.0.0.1:{server.server_port}"
    made.routes[TOKEN] = {"access_token": "token-1", "expires_in": 7200}
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def store(redis_url: str) -> Iterator[Redis]:
    """An empty Redis."""
    made = redis.connect(redis_url)
    made.flushdb()
    yield made
    all_sent()
    made.close()


@pytest.fixture
def no_store() -> Redis:
    """A Redis that is down."""
    return redis.connect("redis://127.0.0.1:9/0")


@pytest.fixture
def wechat_settings(postgres_url: str, redis_url: str, api: Api) -> Settings:
    """Settings whose WeChat is the small API."""
    return make_settings(postgres_url, redis_url, wechat_api_origin=api.origin)


@dataclass
class Room:
    """The WeChat room in an application of its own."""

    app: Flask
    service: WeChatService
    client: FlaskClient
    crypto: Crypto

    def post(self, fields: dict[str, Any] | str, *, nonce: str = "n0nce", stamp: str = "") -> TestResponse:
        """Push a message as WeChat does in safe mode, now unless said; a text is taken as the message's XML."""
        stamp = stamp or stamped()
        message = fields if isinstance(fields, str) else push_xml(fields)
        body = self.crypto.seal(message, stamp, nonce)  # the parts of a push and of an answer have the same names
        sealed = body.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
        query = {"timestamp": stamp, "nonce": nonce, "encrypt_type": "aes", "openid": OPENID}
        query["msg_signature"] = self.crypto.signature(stamp, nonce, sealed)
        return self.client.post(f"/wechat?{urlencode(query)}", data=body, content_type="text/xml")

    def says(self, fields: dict[str, Any]) -> str:
        """The text of the answer to a message, empty for none."""
        return text_of(self.opened(self.post(fields)))

    def opened(self, response: TestResponse) -> str:
        """The answer's XML, decrypted; empty for none."""
        assert response.status_code == 200
        if response.text == "success":
            return ""
        names = ("Encrypt", "MsgSignature", "Nonce")
        sealed, signature, nonce = (
            response.text.split(f"<{name}><![CDATA[")[1].split("]]></" + name)[0] for name in names
        )
        stamp = response.text.split("<TimeStamp>")[1].split("</TimeStamp>")[0]
        return self.crypto.open(sealed, signature, stamp, nonce)


def stamped(late: int = 0) -> str:
    """WeChat's stamp of now, or of so many seconds ago."""
    return str(int(real_now().timestamp()) - late)


def push_xml(fields: dict[str, Any]) -> str:
    """A message's XML around the given fields."""
    common = {"ToUserName": ACCOUNT, "FromUserName": OPENID, "CreateTime": 1714112440, **fields}

    def element(name: str, value: Any) -> str:
        if isinstance(value, dict):
            return f"<{name}>{''.join(element(*pair) for pair in value.items())}</{name}>"
        return f"<{name}><![CDATA[{value}]]></{name}>"

    return element("xml", common).replace("<xml><![CDATA[", "<xml>")


def text_of(xml: str) -> str:
    """The Content of an answer."""
    return xml.split("<Content><![CDATA[")[1].split("]]></Content>", maxsplit=1)[0] if xml else ""


def make_room(settings: Settings, store: Redis) -> Room:
    """The room joined to an application that renders refusals as their code."""
    app = Flask(__name__)
    app.config.update(SECRET_KEY=settings.secret_key.get_secret_value(), TESTING=False)
    CSRFProtect(app)
    made = service.join(app, settings, store, TablePatientIndex())
    app.register_error_handler(Refused, lambda refusal: (refusal.code, refusal.status))
    token, key = settings.wechat_token.get_secret_value(), settings.wechat_aes_key.get_secret_value()
    return Room(app, made, app.test_client(), Crypto(token, key, settings.wechat_appid))


@pytest.fixture
def room(wechat_settings: Settings, store: Redis, database: Connection) -> Room:
    """The room in safe mode."""
    return make_room(wechat_settings, store)
