"""A simulator and a toy account, each served on its own loopback port."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import requests
import segno

from tests.ports import free_port
from tests.wechat.simulator.toy import AES_KEY, APPID, SECRET, TOKEN, Served, Toy, create_toy
from wechat.simulator.app import create_app
from wechat.simulator.config import Config
from wechat.simulator.pay.keys import load
from wechat.simulator.world import World

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors.json").read_text(encoding="utf-8"))


class Clock:
    """A clock the tests move."""

    def __init__(self) -> None:
        self.time = 1_764_000_000.0

    def __call__(self) -> float:
        return self.time


@dataclass
class Sim:
    """The simulator, over HTTP, and the toy account behind it."""

    origin: str
    config: Config
    world: World
    toy: Toy
    clock: Clock
    session: requests.Session = field(default_factory=requests.Session)

    def post(self, path: str, body: dict[str, Any] | None = None, **options: Any) -> Any:
        """POST to the control API; the JSON answer."""
        answer = self.session.post(f"{self.origin}/simulator/api{path}", json=body or {}, timeout=20, **options)
        assert answer.ok, answer.text
        return answer.json()

    def get(self, path: str, **query: Any) -> Any:
        """GET from the control API."""
        answer = self.session.get(f"{self.origin}/simulator/api{path}", params=query, timeout=60)
        assert answer.ok, answer.text
        return answer.json()

    def token(self) -> str:
        """An access token."""
        body = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
        return str(self.api("POST", "/cgi-bin/stable_token", body, token=None)["access_token"])

    def api(self, method: str, path: str, body: Any = None, token: str | None = "", **query: Any) -> Any:
        """Call WeChat's API; a fresh token unless `token` says otherwise (None: without)."""
        if token is not None:
            query["access_token"] = token or self.token()
        raw = (
            body
            if isinstance(body, bytes)
            else json.dumps(body, ensure_ascii=False).encode()
            if body is not None
            else None
        )
        return self.session.request(method, self.origin + path, params=query, data=raw, timeout=60).json()

    def phone(self, phone: str, path: str, method: str = "GET", **options: Any) -> requests.Response:
        """A request from a phone's browser, without following redirects."""
        headers = {"Host": f"{phone}.localhost:{self.config.port}", "Accept": "text/html"} | options.pop("headers", {})
        return self.session.request(
            method, self.origin + path, headers=headers, allow_redirects=False, timeout=20, **options
        )

    def chat(self, phone: str, after: int = 0, wait: float = 0) -> list[dict[str, Any]]:
        """A phone's chat."""
        found: list[dict[str, Any]] = self.get(f"/phones/{phone}/messages", after=after, wait=wait)["messages"]
        return found


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """WeChat Pay's keys, made once: each test has its own copy."""
    folder = tmp_path_factory.mktemp("pay") / "keys"
    load(Config(APPID, SECRET, TOKEN, AES_KEY, keys=folder))
    return folder


@pytest.fixture
def config(tmp_path: Path, made_keys: Path) -> Config:
    """A configuration with its own files."""
    qr = tmp_path / "qr"
    qr.mkdir()
    segno.make("HP-2001", micro=False).save(str(qr / "patient-2001.png"), scale=8)
    keys = shutil.copytree(made_keys, tmp_path / "keys")
    return Config(APPID, SECRET, TOKEN, AES_KEY, state=tmp_path / "simulator.json", qr_dir=qr, keys=keys)


@pytest.fixture
def sim(config: Config) -> Iterator[Sim]:
    """The simulator and the toy account, running."""
    toy_app, toy = create_toy()
    backend = Served(toy_app)
    port = free_port()
    settings = replace(config, backend=backend.origin, webhook=f"{backend.origin}/wechat", bind=f"127.0.0.1:{port}")
    clock = Clock()
    app = create_app(settings, clock=clock)
    served = Served(app, port)
    world: World = app.extensions["simulator"]
    world.state.settings.webhook_pause = 0.0
    toy.settings["simulator"] = served.origin
    sim = Sim(served.origin, settings, world, toy, clock)
    yield sim
    sim.session.close()
    world.close()
    served.stop()
    backend.stop()
