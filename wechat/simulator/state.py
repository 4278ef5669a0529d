"""All that the simulated WeChat remembers, as plain dataclasses that survive a restart as JSON."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Message = dict[str, Any]  # one entry of a chat: n, time, from (me|account|system), type, and what the type needs


@dataclass
class Phone:
    """A person, their WeChat, its chat with the account and its browser's cookies."""

    id: str
    openid: str
    name: str
    name_en: str
    role: str = "parent"
    platform: str = "android"
    following: bool = False
    blocked: bool = False  # refuses the account's messages while still following
    snapshot: bool = False  # its browser opens the account's pages as snapshots
    delivery: str = "success"  # what a template message to this phone ends as, unless blocked
    subscribed_at: int = 0
    scene: str = ""
    cleared: int = 0  # messages up to this number were deleted from the phone by unfollowing
    messages: list[Message] = field(default_factory=list)
    cookies: list[dict[str, Any]] = field(default_factory=list)
    windows: dict[str, list[float]] = field(default_factory=dict)  # what allows customer messages: [opened, used]


@dataclass
class Token:
    """An access token; `ends` moves forward when a newer one replaces it."""

    value: str
    kind: str  # token | stable
    issued: float
    ends: float


@dataclass
class Ticket:
    """The account's JS-SDK ticket."""

    value: str
    ends: float


@dataclass
class Send:
    """One accepted template message and how often its client_msg_id came again."""

    msgid: int
    openid: str
    template_id: str
    client_msg_id: str
    at: float
    duplicates: int = 0
    status: str = "accepted"


@dataclass
class Settings:
    """What tests and the page may change while the simulator runs."""

    mode: str = "safe"
    language: str = "zh"  # of every phone: WeChat's own texts, User-Agent and Accept-Language
    latency_ms: int = 0
    fail_next: list[dict[str, Any]] = field(default_factory=list)  # [{path, errcode, times}]
    webhook_timeout: float = 5.0
    webhook_attempts: int = 3
    webhook_pause: float = 1.0
    template_newline: str = "refuse"  # refuse | cut: what a line break in a typed value does


@dataclass
class State:
    """Everything that is saved."""

    phones: dict[str, Phone]
    settings: Settings
    menu: dict[str, Any] | None = None
    tokens: list[Token] = field(default_factory=list)
    forced: list[float] = field(default_factory=list)  # when force_refresh was honoured
    ticket: Ticket | None = None
    sends: list[Send] = field(default_factory=list)
    media: dict[str, dict[str, Any]] = field(default_factory=dict)  # media id: {type, mime, at}
    last_id: int = 0


@dataclass(frozen=True)
class Template:
    """A message template of the account: its lines are (label, key)."""

    id: str
    title: str
    content: str
    example: str
    industry: tuple[str, str]
    lines: tuple[tuple[str, str], ...]
    consts: dict[str, list[str]]


def seed(people: Path, mode: str) -> State:
    """A fresh state with the people of the data file."""
    entries = tomllib.loads(people.read_text(encoding="utf-8"))["person"]
    return State(phones={entry["id"]: Phone(**entry) for entry in entries}, settings=Settings(mode=mode))


def load(saved: dict[str, Any] | None, fresh: State) -> State:
    """The saved state over a fresh one: people added to the data file appear, removed ones go.

    A file of another version of the simulator is left aside.
    """
    try:
        return _merged(saved, fresh) if saved else fresh
    except (KeyError, TypeError, AttributeError):
        return fresh


def _merged(saved: dict[str, Any], fresh: State) -> State:
    phones = {name: Phone(**(vars(phone) | saved["phones"].get(name, {}))) for name, phone in fresh.phones.items()}
    settings = Settings(**(saved["settings"] | {"mode": fresh.settings.mode, "fail_next": [], "latency_ms": 0}))
    return State(
        phones=phones,
        settings=settings,
        menu=saved["menu"],
        tokens=[Token(**token) for token in saved["tokens"]],
        forced=saved["forced"],
        ticket=Ticket(**saved["ticket"]) if saved["ticket"] else None,
        sends=[Send(**send) for send in saved["sends"]],
        media=saved["media"],
        last_id=saved["last_id"],
    )


def templates(path: Path) -> dict[str, Template]:
    """The templates of the data file by id."""
    found = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8"))["template"]:
        content = entry["content"].strip()
        found[entry["id"]] = Template(
            id=entry["id"],
            title=entry["title"],
            content=content,
            example=entry.get("example", "").strip(),
            industry=tuple(entry.get("industry", ["", ""])),
            lines=tuple(re.findall(r"^(.*?)[:：]?\{\{(\w+)\.DATA\}\}", content, re.MULTILINE)),
            consts=entry.get("consts", {}),
        )
    return found
