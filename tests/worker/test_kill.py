"""A worker killed with -9 in the middle of 200 messages, twice: all arrive, none twice, each person's in order."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from config.settings import ROOT, Settings
from dev.environment import TEMPLATES
from dev.processes import die_with_parent
from notifications.models import Notification, NotificationStatus
from tests.notifications.rows import DATA, queued
from tests.ports import free_port
from tests.product import account

PEOPLE, EACH = 40, 5
PERSON = '[[person]]\nid = "p-{0}"\nopenid = "o-p-{0}"\nname = "p{0}"\nname_en = "p{0}"\nrole = "parent"\n'
FOLLOWING = 'platform = "android"\nfollowing = true\n'

pytestmark = pytest.mark.processes


def environment(settings: Settings, origin: str) -> dict[str, str]:
    """The settings as a process reads them, WeChat being at ``origin``."""
    values = {
        name.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in settings
        if name != "wechat_templates" and value is not None
    }
    return {**os.environ, **values, "WECHAT_API_ORIGIN": origin, "WECHAT_TEMPLATES": json.dumps(TEMPLATES)}


@contextmanager
def process(*words: str, env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", *words]
    started = subprocess.Popen(command, cwd=ROOT, env=env, preexec_fn=die_with_parent(signal.SIGKILL))  # noqa: PLW1509
    try:
        yield started
    finally:
        started.terminate()
        started.wait(timeout=120)


def wait_until(ready: Callable[[], bool], seconds: float = 180) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


class WeChat:
    """The simulator's control API."""

    def __init__(self, origin: str) -> None:
        self.origin = origin

    def up(self) -> bool:
        try:
            return requests.get(f"{self.origin}/simulator/api/phones", timeout=60).ok
        except requests.ConnectionError:
            return False

    def slow_down(self, milliseconds: int) -> None:
        settings = {"latency_ms": milliseconds, "webhook_attempts": 1}
        assert requests.post(f"{self.origin}/simulator/api/settings", json=settings, timeout=60).ok

    def sends(self) -> Any:
        return requests.get(f"{self.origin}/simulator/api/sends", timeout=60).json()


@pytest.fixture
def wechat(settings: Settings, tmp_path: Path) -> Iterator[WeChat]:
    """The simulator with forty followers, taking a third of a second for each answer."""
    address = f"127.0.0.1:{free_port()}"
    people = tmp_path / "people.toml"
    people.write_text("\n".join(PERSON.format(n) + FOLLOWING for n in range(PEOPLE)), "utf-8")
    own = {
        "SIMULATOR_BIND": address,
        "SIMULATOR_PEOPLE": str(people),
        "SIMULATOR_STATE": str(tmp_path / "simulator.json"),
        "SIMULATOR_BACKEND": "http://127.0.0.1:9",
    }
    with process("wechat.simulator", env={**environment(settings, f"http://{address}"), **own}):
        running = WeChat(f"http://{address}")
        wait_until(running.up)
        running.slow_down(300)
        yield running


def test_killed_twice_all_sent_none_seen_twice(
    committed: sessionmaker[Session], settings: Settings, wechat: WeChat
) -> None:
    with committed() as session, session.begin():
        now = datetime.now(UTC)
        people = [account(session, f"o-p-{n}", now) for n in range(PEOPLE)]
        data = {**DATA, "time": "2026年11月25日 09:30"}
        rows = [queued(session, person, now, data=data).id for _ in range(EACH) for person in people]
    env = environment(settings, wechat.origin)
    worker = ("flask", "--app", "app:create_app", "worker")

    # Each restart comes a minute later by the clock, so that what was left in sending counts as stuck at once.
    for later, enough in (("", 50), ("+1m", 110)):
        with process(*worker, env={**env, "CLINIC_CLOCK": later}) as running:
            wait_until(lambda enough=enough: wechat.sends()["accepted"] >= enough)  # type: ignore[misc]
            running.kill()
            running.wait()
        assert wechat.sends()["accepted"] < PEOPLE * EACH, "killed too late to show anything"
    with ExitStack() as stack:
        running = stack.enter_context(process(*worker, env={**env, "CLINIC_CLOCK": "+2m"}))
        wait_until(lambda: statuses(committed) == {NotificationStatus.SENT: PEOPLE * EACH})
        running.terminate()
        assert running.wait(timeout=120) == 0

    seen = wechat.sends()
    assert seen["duplicates"] > 0, "nothing was sent again: the kills hit no message"
    assert sorted(send["client_msg_id"] for send in seen["sends"]) == sorted(map(str, rows))
    order = defaultdict(list)
    for send in seen["sends"]:
        order[send["openid"]].append(send["client_msg_id"])
    assert all(ids == sorted(ids) and len(ids) == EACH for ids in order.values())


def statuses(sessions: sessionmaker[Session]) -> dict[NotificationStatus, int]:
    with sessions() as session:
        rows = session.execute(select(Notification.status, func.count()).group_by(Notification.status))
        return {status: count for status, count in rows}
