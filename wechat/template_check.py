"""Compares the message catalogue with the templates, and the one-time notices, that the account has chosen on
mp.weixin.qq.com."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from notifications.catalogue import Message
from notifications.fitting import kind_of
from wechat.client import WeChatClient

_LINE = re.compile(r"^\s*(.*?)[：:]\s*\{\{\s*(\w+)\.DATA\s*\}\}", re.MULTILINE)


@dataclass(frozen=True)
class Template:
    """One of the account's templates: ``keys`` maps what it calls each of its lines to the typed key."""

    id: str
    title: str
    keys: Mapping[str, str]


@dataclass(frozen=True)
class Finding:
    """What is to say of one message: the account's template for it, if there is one, and what does not fit."""

    message: Message
    template: Template | None
    problems: tuple[str, ...]


def account_templates(client: WeChatClient) -> list[Template]:
    """The account's templates. Raises WeChatError, WeChatUnavailable."""
    listed = client.call("get", "template/get_all_private_template").get("template_list", [])
    return [Template(str(t["template_id"]), str(t["title"]), dict(_LINE.findall(str(t["content"])))) for t in listed]


def account_notices(client: WeChatClient) -> list[Template]:
    """The account's one-time notices (订阅通知). Raises WeChatError, WeChatUnavailable."""
    listed = client.call("get", "/wxaapi/newtmpl/gettemplate").get("data", [])
    return [Template(str(t["priTmplId"]), str(t["title"]), dict(_LINE.findall(str(t["content"])))) for t in listed]


def compare(
    messages: Iterable[Message],
    templates: Iterable[Template],
    chosen: Mapping[str, str],
    notices: Mapping[str, str] | None = None,
) -> list[Finding]:
    """One finding per message. The template is the chosen one (WECHAT_TEMPLATES), for ``notices`` the one-time notice
    of that id (WECHAT_SUBSCRIPTIONS); else one with the message's title or its lines."""
    known, notices = {template.id: template for template in templates}, notices or {}
    return [_find(message, known, chosen.get(message.name) or notices.get(message.name)) for message in messages]


def _find(message: Message, known: Mapping[str, Template], chosen: str | None) -> Finding:
    if chosen:
        template = known.get(chosen)
        problems = _differences(message, template) if template else (f"{chosen} is none of the account's templates",)
        return Finding(message, template, problems)
    template = next((t for t in known.values() if t.title == message.template), None)
    template = template or next((t for t in known.values() if set(message.labels.values()) <= set(t.keys)), None)
    if template is None:
        wanted = "、".join(f"{message.labels[name]} ({kind_of(key)})" for name, key in message.fields.items())
        return Finding(message, None, (f"add a template such as 「{message.title['zh_CN']}」: {wanted}",))
    return Finding(message, template, ("not in WECHAT_TEMPLATES", *_differences(message, template)))


def _differences(message: Message, template: Template) -> tuple[str, ...]:
    found = []
    for name, key in message.fields.items():
        there = template.keys.get(message.labels[name])
        if there is None and key not in template.keys.values():
            found.append(f"{message.labels[name]} ({key}) is missing")
        elif there is not None and kind_of(there) != kind_of(key):
            found.append(f"{message.labels[name]} is {there} there: {kind_of(there)}, not {kind_of(key)}")
        elif there is not None and there != key:
            found.append(f'{message.labels[name]} is {there} there: set key = "{there}" in the catalogue, not {key}')
    ours = set(message.fields.values()) | set(message.labels.values())
    more = [f"{label} ({key})" for label, key in template.keys.items() if key not in ours and label not in ours]
    return (*found, *([f"it has lines that we leave empty: {'、'.join(more)}"] if more else []))
