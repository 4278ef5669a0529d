"""A refusal is an exception of the domain; each face has one renderer for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Refused(Exception):
    """What was asked is not done, and the person is told why and what to do instead.

    ``code`` is stable and for programs, ``status`` the HTTP status, ``message`` an English msgid with ``%(name)s``
    places filled from ``params``, ``field`` the form field at fault. ``afterwards`` runs in a second, short
    transaction once the first has rolled back (an audit record of the refusal, say).
    """

    code = "refused"
    status = 409
    message = ""

    def __init__(
        self, *, field: str | None = None, afterwards: Callable[[Session], None] | None = None, **params: Any
    ) -> None:
        super().__init__(self.code)
        self.field = field
        self.params = params
        self.afterwards = afterwards


class NotFound(Refused):
    """There is no such thing, or not for this person: the two look the same on purpose."""

    code = "not-found"
    status = 404
