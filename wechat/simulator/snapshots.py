"""Named states of the whole world: saved beside the state file, brought back later."""

from __future__ import annotations

import re
from pathlib import Path

from .actions import Impossible
from .store import Store
from .world import World

NAME = re.compile(r"[\w-]{1,60}")


def _path(world: World, name: str) -> Path:
    if not NAME.fullmatch(name):
        raise Impossible("a name has letters, digits, - and _, sixty at most")
    return world.config.state.with_suffix(".saved") / f"{name}.json"


def listed(world: World) -> list[str]:
    """The names of the saved states."""
    return sorted(path.stem for path in world.config.state.with_suffix(".saved").glob("*.json"))


def save(world: World, name: str) -> None:
    """Keep the world as it is under a name."""
    path = _path(world, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(world.dump(), encoding="utf-8")


def load(world: World, name: str) -> None:
    """Make the world what was saved under a name; raises Impossible when nothing was."""
    saved = Store.read(_path(world, name))
    if saved is None:
        raise Impossible(f"no state is saved as {name}")
    world.restore(saved)
