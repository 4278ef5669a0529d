"""Faults on demand: what goes wrong, where, and how many times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .world import World

KINDS: dict[str, tuple[str, ...]] = {
    "api": ("slow", "down", "errcode", "status", "dropped"),
    "pay": ("slow", "down", "error", "status", "dropped", "signature", "skew"),
    "push": ("duplicate", "reordered", "skew", "signature", "dropped"),
    "notify": ("duplicate", "reordered", "skew", "signature", "dropped"),
}
FOREVER = -1


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong now; `value` is its seconds, status, code or time shift."""

    what: str
    value: Any

    def number(self, default: float) -> float:
        """The value as a number, or the default."""
        return float(self.value) if isinstance(self.value, int | float) else default

    def seconds(self, default: float) -> float:
        """The value as seconds to wait, or the default."""
        return max(0.0, self.number(default))


def check(entries: list[Any]) -> str:
    """What is wrong with a list of faults, or nothing."""
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("on") not in KINDS:
            return f"a fault is an object whose `on` is one of {', '.join(KINDS)}"
        if entry.get("what") not in KINDS[entry["on"]]:
            return f"on {entry['on']} `what` is one of {', '.join(KINDS[entry['on']])}"
        if not isinstance(entry.get("times", 1), int) or not isinstance(entry.get("match", ""), str):
            return "`times` is a number (-1: until it is taken away), `match` the start of a path or an event"
    return ""


def take(world: World, on: str, name: str) -> dict[str, Fault]:
    """The faults that hit this path or event now, each counted; at most one of a kind."""
    settings = world.state.settings
    if not settings.faults:
        return {}
    found: dict[str, Fault] = {}
    with world.change():
        for entry in settings.faults:
            if entry["on"] == on and name.startswith(entry.get("match", "")) and entry["what"] not in found:
                found[entry["what"]] = Fault(entry["what"], entry.get("value"))
                if entry.get("times", 1) != FOREVER:
                    entry["times"] = entry.get("times", 1) - 1
        if found:
            settings.faults = [entry for entry in settings.faults if entry.get("times", 1) != 0]
            world.publish("settings", settings=vars(settings))
    return found
