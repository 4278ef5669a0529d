"""Identifiers: UUID version 7, made here, ordered by time, never a secret."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A new identifier; later ones sort after earlier ones."""
    return uuid7()


def parse_id(text: object) -> UUID | None:
    """The identifier that a text of an address, a form or a cookie is; None for anything else."""
    try:
        return UUID(str(text))
    except ValueError:
        return None
