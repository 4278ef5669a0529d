"""The public library of templates, and the account's own ones made from it."""

from __future__ import annotations

import secrets
import tomllib
from functools import cache
from typing import Any

from .config import HERE
from .state import Template

ONCE, LASTING = 2, 3  # the types of notices: one agreement is one notice, or all of them
INDUSTRY = ("医疗护理", "医疗机构")


@cache
def entries() -> tuple[dict[str, Any], ...]:
    """The library's entries."""
    return tuple(tomllib.loads((HERE / "data" / "library.toml").read_text(encoding="utf-8"))["entry"])


def find(name: str, value: Any) -> dict[str, Any] | None:
    """The entry whose `tid` or `short` id is this, whether it comes as text or as a number."""
    return next((entry for entry in entries() if str(entry[name]) == str(value)), None)


def make(entry: dict[str, Any], numbers: list[int]) -> Template:
    """A template of the account with these keywords (numbers from 1) of the entry, in this order."""
    chosen = [(*entry["keywords"][number - 1], number) for number in numbers]
    lines = tuple((label, f"{kind}{number}") for label, kind, _, number in chosen)
    return Template(
        id=secrets.token_urlsafe(32),
        title=entry["title"],
        content="\n".join(f"{label}：{{{{{key}.DATA}}}}" for label, key in lines),
        example="\n".join(f"{label}：{example}" for label, _, example, _ in chosen),
        industry=INDUSTRY,
        lines=lines,
        consts={},
        lasting=entry["type"] == LASTING,
    )
