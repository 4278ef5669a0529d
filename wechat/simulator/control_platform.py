"""The control API's platform side: tokens, quotas, WeChat Pay's books and keys, saved states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from . import limits, snapshots, tokens
from .actions import Impossible
from .pay import notify
from .world import World


def body() -> dict[str, Any]:
    """The JSON object of the request, or its form's fields."""
    found = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    return found if isinstance(found, dict) else {}


class Platform:
    """The views over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def states(self) -> dict[str, Any]:
        """The names of the saved states."""
        return {"states": snapshots.listed(self.world)}

    def save(self, state: str) -> dict[str, Any]:
        """Keep the whole state under a name."""
        snapshots.save(self.world, state)
        return self.states()

    def load(self, state: str) -> dict[str, Any]:
        """Bring a saved state back."""
        snapshots.load(self.world, state)
        return self.states()

    def kill_tokens(self) -> dict[str, Any]:
        """End every access token now."""
        with self.world.change() as state:
            return {"killed": tokens.kill(state, self.world.now)}

    def use_up(self) -> dict[str, Any]:
        """Use up the day's quota of {path}."""
        path = str(body().get("path", ""))
        if not path.startswith("/"):
            raise Impossible("path is the API's path, such as /cgi-bin/menu/get")
        with self.world.change() as state:
            limits.use_up(state, path, self.world.now)
        return {"path": path}

    def payments(self) -> dict[str, Any]:
        """Orders, refunds and notices of WeChat Pay as they stand."""
        with self.world.change() as state:
            tables = {"orders": state.orders.values(), "refunds": state.refunds.values(), "notices": state.notices}
            return {name: [dict(vars(entry)) for entry in entries] for name, entries in tables.items()}

    def rotate(self) -> dict[str, Any]:
        """WeChat Pay gets a new certificate and signs with it from now on."""
        return {"serial": self.world.rotate_keys().platforms[-1].serial}

    def probe(self) -> dict[str, Any]:
        """Send a notice with a false signature to {url}: it must be refused."""
        return notify.probe(self.world, str(body().get("url", "")))


def platform_routes(world: World) -> list[tuple[str, str, Callable[..., dict[str, Any]]]]:
    """Method, path and view of each."""
    control = Platform(world)
    return [
        ("GET", "/states", control.states),
        ("POST", "/states/<state>/save", control.save),
        ("POST", "/states/<state>/load", control.load),
        ("POST", "/tokens/kill", control.kill_tokens),
        ("POST", "/quotas/use-up", control.use_up),
        ("POST", "/pay/rotate", control.rotate),
        ("POST", "/pay/probe", control.probe),
        ("GET", "/pay", control.payments),
    ]
