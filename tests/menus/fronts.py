"""What stands in front of Flask, and what it lets go on."""

from __future__ import annotations

from typing import Any, TypeVar

import pytest
from flask import Flask

T = TypeVar("T")


def front(app: Flask, kind: type[T]) -> T:
    """The one of this kind."""
    found: object = app.wsgi_app
    while not isinstance(found, kind):
        found = vars(found)["behind"] if "behind" in vars(found) else vars(found)["app"]
    return found


def behind(door: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Paths that go on behind it from now on."""
    seen: list[str] = []
    flask = door.behind

    def watch(environ: dict[str, object], start: object) -> object:
        seen.append(str(environ["PATH_INFO"]))
        return flask(environ, start)

    monkeypatch.setattr(door, "behind", watch)
    return seen
