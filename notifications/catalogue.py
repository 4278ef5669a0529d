"""The message catalogue: what can be said, to whom, in which fields, and which page a message opens.

The data is config/data/messages.toml; docs/messages.md shows it as a table.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from config.settings import ROOT
from notifications import fitting

SOURCE = ROOT / "config/data/messages.toml"


@dataclass(frozen=True)
class Message:
    """One message of the catalogue. ``fields`` maps the name of a value to its typed key in the account's template,
    ``labels`` to what the template calls it; ``template`` is the template's own title (several messages may share it);
    ``choices`` the only values that a ``const`` takes; ``path`` is the page it opens, with the place ``{id}``.

    ``mutable``: people may say that they do not want it. ``waits``: not in quiet hours. ``together``: the message that
    says several of it at once. ``must_arrive``: when WeChat fails, it goes out as a text message with the values of
    ``text``, in this order.
    """

    name: str
    title: Mapping[str, str]
    template: str
    audience: str
    path: str
    fields: Mapping[str, str]
    labels: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]]
    mutable: bool = False
    waits: bool = False
    together: str | None = None
    must_arrive: bool = False
    text: tuple[str, ...] = ()

    def fit(self, values: Mapping[str, fitting.Value]) -> dict[str, str]:
        """Every field's value by name, fitted to its key. Raises KeyError when one is missing."""
        return {name: fitting.fit(key, values[name], self.choices.get(name, ())) for name, key in self.fields.items()}

    def keyed(self, data: Mapping[str, str]) -> dict[str, str]:
        """Fitted values under the template's own keys."""
        return {key: data[name] for name, key in self.fields.items()}

    def spoken(self, data: Mapping[str, str]) -> tuple[str, ...]:
        """The values of the text message."""
        return tuple(data[name] for name in self.text)


@cache
def messages() -> Mapping[str, Message]:
    """The catalogue by name. Raises ValueError when a key is of no type that can be fitted."""
    with SOURCE.open("rb") as source:
        entries: list[dict[str, Any]] = tomllib.load(source)["message"]
    return {entry["name"]: _message(entry) for entry in entries}


def _message(entry: dict[str, Any]) -> Message:
    fields = {field["name"]: field["key"] for field in entry["field"]}
    choices = {field["name"]: tuple(field["choices"]) for field in entry["field"] if "choices" in field}
    for name, key in fields.items():
        if fitting.kind_of(key) not in {*fitting.KINDS, *fitting.CLOSED}:
            raise ValueError(f"{entry['name']}: {key} is of no known type")
        if (fitting.kind_of(key) in fitting.CLOSED) != (name in choices):
            raise ValueError(f"{entry['name']}: {key} needs its list of choices")
    return Message(
        name=entry["name"],
        title=entry["title"],
        template=entry.get("template", entry["title"]["zh_CN"]),
        audience=entry["audience"],
        path=entry["path"],
        fields=fields,
        labels={field["name"]: field["label"] for field in entry["field"]},
        choices=choices,
        mutable=entry.get("mutable", False),
        waits=entry.get("waits", False),
        together=entry.get("together"),
        must_arrive=entry.get("must_arrive", False),
        text=tuple(entry.get("text", ())),
    )
