"""All that the simulated WeChat remembers, as plain dataclasses that survive a restart as JSON."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .pay.records import Notice, Order, Refund

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
    scene_number: bool = False  # the scene was given as a number
    tags: list[int] = field(default_factory=list)
    remark: str = ""
    subscriptions: dict[str, int] = field(default_factory=dict)  # one-time notices the person agreed to, by template
    once: dict[str, int] = field(default_factory=dict)  # the older one-time subscription: agreements by scene
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
    content: str = ""  # kept of a message that WeChat stopped


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
    lasting: bool = False  # of a notice: one agreement is good for all (长期), else for one (一次性)


@dataclass
class Settings:
    """What tests and the page may change while the simulator runs."""

    mode: str = "safe"
    language: str = "zh"  # of every phone: WeChat's own texts, User-Agent and Accept-Language
    latency_ms: int = 0
    fail_next: list[dict[str, Any]] = field(default_factory=list)  # [{path, errcode, times}]
    faults: list[dict[str, Any]] = field(default_factory=list)  # [{on, what, match?, value?, times?}], see faults.py
    quotas: dict[str, int] = field(default_factory=dict)  # calls a day by path, over the published numbers
    minute_quotas: dict[str, int] = field(default_factory=dict)
    ip_whitelist: list[str] = field(default_factory=list)  # who may fetch tokens; empty: anyone
    recognition: str = ""  # what WeChat hears in every voice; empty: it does not listen
    intercepted: list[str] = field(default_factory=list)  # templates whose messages WeChat stops, see queryblocktmplmsg
    unionid: bool = False  # whether the account belongs to an Open Platform account
    window_payment: int = 0  # customer messages in the 48 hours after a payment; 0: no limit (older pages: 20)
    webhook_timeout: float = 5.0
    webhook_attempts: int = 3
    webhook_pause: float = 1.0
    template_newline: str = "refuse"  # refuse | cut: what a line break in a typed value does
    pay_keys: str = "certificate"  # certificate | public-key | switching: what WeChat Pay signs with
    pay_directories: list[str] = field(default_factory=list)  # pages that may pay; empty: all of the account's
    pay_expired: str = "NOTPAY"  # NOTPAY | CLOSED: what an order past its time_expire is
    pay_notify_scale: float = 1.0  # the notices' retry times are multiplied by this
    pay_notify_timeout: float = 5.0
    pay_refund_outcome: str = "SUCCESS"  # SUCCESS | ABNORMAL | CLOSED
    pay_refund_delay: float = 1.0  # seconds a refund is PROCESSING
    pay_refund_pause: float = 60.0  # seconds between refunds of one order
    pay_bills_today: bool = False  # whether a bill can be had on its own day


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
    conditional: list[dict[str, Any]] = field(default_factory=list)  # {button, matchrule, menuid}, oldest first
    last_menu: int = 425000000
    tags: dict[str, str] = field(default_factory=dict)  # number as text: name
    last_tag: int = 99
    scenes: dict[str, dict[str, Any]] = field(default_factory=dict)  # ticket: {scene, number, url, made, ends}
    short: dict[str, dict[str, Any]] = field(default_factory=dict)  # short key: {data, made, ends}
    usage: dict[str, dict[str, Any]] = field(default_factory=dict)  # path: {day, count, minute, in_minute}
    clears: list[str] = field(default_factory=list)  # days on which quotas were cleared
    added: dict[str, Template] = field(default_factory=dict)  # message templates beside the data file's
    removed: list[str] = field(default_factory=list)  # templates of the data file that were deleted
    notice_templates: dict[str, Template] = field(default_factory=dict)
    typing: dict[str, float] = field(default_factory=dict)  # openid: since when
    orders: dict[str, Order] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    last_id: int = 0


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
    settings = Settings(
        **(saved["settings"] | {"mode": fresh.settings.mode, "fail_next": [], "faults": [], "latency_ms": 0})
    )
    made: dict[str, Any] = {"phones": phones, "settings": settings}
    for name, value in saved.items():
        if name in LISTS:
            made[name] = [LISTS[name](**entry) for entry in value]
        elif name in TABLES:
            made[name] = {key: TABLES[name](**entry) for key, entry in value.items()}
        elif name == "ticket":
            made[name] = Ticket(**value) if value else None
        elif name not in made:
            made[name] = value
    return State(**made)


LISTS: dict[str, Callable[..., Any]] = {"tokens": Token, "sends": Send, "notices": Notice}
TABLES: dict[str, Callable[..., Any]] = {
    "orders": Order,
    "refunds": Refund,
    "added": Template,
    "notice_templates": Template,
}


def templates(path: Path, kind: str = "template") -> dict[str, Template]:
    """The templates of the data file by id: those of messages, or (`notice`) of one-time notices."""
    found = {}
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get(kind, []):
        content = entry["content"].strip()
        found[entry["id"]] = Template(
            id=entry["id"],
            title=entry["title"],
            content=content,
            example=entry.get("example", "").strip(),
            industry=tuple(entry.get("industry", ["", ""])),
            lines=tuple(re.findall(r"^(.*?)[:：]?\{\{(\w+)\.DATA\}\}", content, re.MULTILINE)),
            consts=entry.get("consts", {}),
            lasting=entry.get("lasting", False),
        )
    return found
