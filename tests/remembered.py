"""What every application of a test process would compile anew, though it depends on nothing but the source: templates,
and the functions that build the routes' addresses. Each test still has an application of its own."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from types import MappingProxyType
from typing import Any, ClassVar

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class Templates(BytecodeCache):
    """Compiled templates, kept in this process; Jinja compiles one anew when its source has changed."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if kept := self._kept.get(bucket.key):
            bucket.load_bytecode(BytesIO(kept))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


class Route(Rule):
    """A route whose builder is compiled once for all routes that are written the same."""

    _builders: ClassVar[dict[tuple[object, ...], Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        written = (append_unknown, self.rule, *self._trace, *sorted((self.defaults or {}).items()))
        if written not in self._builders:
            self._builders[written] = super()._compile_builder(append_unknown)
        return self._builders[written]


def remember_templates_and_routes() -> None:
    """For every Flask application that is made from now on."""
    options: dict[str, Any] = {**Flask.jinja_options, "bytecode_cache": Templates()}
    Flask.jinja_options = MappingProxyType(options)  # type: ignore[assignment]
    Flask.url_rule_class = Route
