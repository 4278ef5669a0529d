"""The one shared world: state behind a lock, the live feed of what happens, the request log, background work."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from . import menus
from . import state as states
from .config import Config
from .pay import keys as pay_keys
from .pay.keys import Keys
from .scheduler import Scheduler
from .state import Message, Phone, State, Template
from .store import Store

CHINA = timezone(timedelta(hours=8))
KEPT_EVENTS, KEPT_LOG, KEPT_MESSAGES = 4000, 500, 2000


class World:
    """Everything the simulator's faces share. Reads and changes happen inside `change()`."""

    def __init__(self, config: Config, clock: Callable[[], float] = time.time) -> None:
        self.config, self.clock = config, clock
        self._templates: dict[str, Template] = states.templates(config.templates)
        self._notices: dict[str, Template] = states.templates(config.templates, "notice")
        self._condition = threading.Condition(threading.RLock())
        self.state: State = states.load(Store.read(config.state), self._seed())
        self.codes: dict[str, dict[str, Any]] = {}  # OAuth codes and user tokens live five minutes and two hours:
        self.user_tokens: dict[str, dict[str, Any]] = {}  # a restart may forget them
        self.refresh_tokens: dict[str, dict[str, Any]] = {}
        self.bills: dict[str, bytes] = {}  # download tokens and their files
        self.epoch = f"{time.time_ns():x}"
        self.seq = 0
        self.closed = False
        self._events: deque[tuple[int, str, dict[str, Any]]] = deque(maxlen=KEPT_EVENTS)
        self.log: deque[dict[str, Any]] = deque(maxlen=KEPT_LOG)
        self._log_number = 0
        self._scheduler = Scheduler(self._failed)
        self._keys: Keys | None = None
        self._store = Store(config.state, self.dump)

    def _seed(self) -> State:
        return states.seed(self.config.people, self.config.mode)

    @property
    def templates(self) -> dict[str, Template]:
        """The account's message templates by id: the data file's, less the deleted ones, and those added."""
        kept = {name: known for name, known in self._templates.items() if name not in self.state.removed}
        return kept | self.state.added

    @property
    def notices(self) -> dict[str, Template]:
        """The account's templates of one-time notices by id, likewise."""
        kept = {name: known for name, known in self._notices.items() if name not in self.state.removed}
        return kept | self.state.notice_templates

    def dump(self) -> str:
        """The state as JSON."""
        with self._condition:
            return json.dumps(vars(self.state), default=vars, ensure_ascii=False)

    @property
    def now(self) -> float:
        """Unix time by the simulator's clock."""
        return self.clock()

    @property
    def media_dir(self) -> Path:
        """Where pictures people sent are kept, beside the state file."""
        return self.config.state.with_suffix(".media")

    @contextmanager
    def change(self) -> Iterator[State]:
        """Hold the world still, change it, save it, wake who waits."""
        with self._condition:
            yield self.state
            self._store.touch()
            self._condition.notify_all()

    def wait(self, ready: Callable[[], Any], seconds: float) -> None:
        """Return when `ready()` is true or after `seconds` at the latest; it is asked under the lock."""
        with self._condition:
            self._condition.wait_for(lambda: self.closed or ready(), max(0.0, seconds))

    def next_id(self) -> int:
        """A fresh 19-digit id for a message, growing with time and never twice."""
        with self.change() as state:
            state.last_id = max(state.last_id + 1, int(self.now * 1_000_000) * 1000)
            return state.last_id

    def phone(self, name: str) -> Phone | None:
        """The phone with this id or openid."""
        phones = self.state.phones
        return phones.get(name) or next((phone for phone in phones.values() if phone.openid == name), None)

    def stamp(self) -> str:
        """The time for people: ISO 8601 in China's zone."""
        return datetime.fromtimestamp(self.now, CHINA).isoformat(timespec="milliseconds")

    def add_message(self, phone: Phone, sender: str, kind: str, **fields: Any) -> Message:
        """Put a message into a phone's chat and tell whoever looks at it."""
        with self.change():
            number = phone.messages[-1]["n"] + 1 if phone.messages else phone.cleared + 1
            message: Message = {"n": number, "time": self.stamp(), "from": sender, "type": kind, **fields}
            phone.messages = [*phone.messages[-KEPT_MESSAGES:], message]
            self.publish("message", phone=phone.id, message=message)
            return message

    def publish(self, kind: str, **data: Any) -> None:
        """Add to the live feed."""
        with self._condition:
            self.seq += 1
            self._events.append((self.seq, kind, data))
            self._condition.notify_all()

    def publish_phone(self, phone: Phone) -> None:
        """Tell that something about a phone, other than its chat, changed."""
        self.publish("phone", phone=self.describe(phone))

    def events_after(self, seq: int, seconds: float) -> list[tuple[int, str, dict[str, Any]]] | None:
        """Feed entries after `seq`, waiting for the first; None when some of them are forgotten already."""
        self.wait(lambda: self.seq > seq, seconds)
        with self._condition:
            if self._events and self._events[0][0] > seq + 1:
                return None
            return [event for event in self._events if event[0] > seq]

    def record(self, direction: str, **fields: Any) -> None:
        """Add to the request log: direction in (API call), out (webhook push) or page (phone's browser)."""
        with self._condition:
            self._log_number += 1
            entry = {"n": self._log_number, "time": self.stamp(), "direction": direction, **fields}
            self.log.append(entry)
            self.publish("log", entry=entry)

    def describe(self, phone: Phone) -> dict[str, Any]:
        """A phone for the page and the control API: without chat and cookies."""
        facts = {name: value for name, value in vars(phone).items() if name not in ("messages", "cookies", "windows")}
        last = phone.messages[-1]["n"] if phone.messages else phone.cleared
        origin, menu = self.config.phone_origin(phone.id), menus.shown_to(self.state, phone)
        agreed = [
            {"template": name, "title": known.title, "left": -1 if known.lasting else phone.subscriptions[name]}
            for name, known in self.notices.items()
            if phone.subscriptions.get(name)
        ]
        return facts | {"origin": origin, "last": last, "menu": menu, "notices": agreed}

    def later(self, seconds: float, work: Callable[[], object]) -> None:
        """Do some work in the background, not before `seconds` have passed."""
        self._scheduler.later(seconds, work)

    def _failed(self, error: Exception) -> None:
        """The page must show it: nobody reads a pool's futures."""
        self.record("out", method="", path="(simulator)", status=0, verdict=f"simulator error: {error!r}")

    @property
    def keys(self) -> Keys:
        """WeChat Pay's keys and the merchant's, made when they are first needed."""
        with self._condition:
            self._keys = self._keys or pay_keys.load(self.config)
            return self._keys

    def rotate_keys(self) -> Keys:
        """Give WeChat Pay a new certificate."""
        with self._condition:
            self._keys = pay_keys.rotate(self.config)
            return self._keys

    def reset(self, keep: list[str]) -> None:
        """Back to the seed; `keep` names fields of State to leave as they are, such as menu or settings."""
        with self.change():
            fresh = self._seed()
            for name in keep:
                setattr(fresh, name, getattr(self.state, name))
            fresh.last_id = self.state.last_id
            self.state = fresh
            self.codes.clear()
            self.user_tokens.clear()
            self.log.clear()
            self._scheduler.forget()
            self.publish("reset")

    def restore(self, saved: dict[str, Any]) -> None:
        """Become what was saved; what waited to be done is forgotten."""
        with self.change():
            last = self.state.last_id
            self.state = states.load(saved, self._seed())
            self.state.last_id = max(last, self.state.last_id)
            self._scheduler.forget()
            self.publish("reset")

    def close(self) -> None:
        """Let waiting streams go, finish nothing new, write the state."""
        with self._condition:
            self.closed = True
            self._condition.notify_all()
        self._scheduler.close()
        self._store.close()
