"""The port through which files are kept; integrations/files.py has its adapters, a folder and an S3-compatible store.

Every adapter gets what is already encrypted. Names are random and say nothing; who may see a file is asked where the
row is that names it.
"""

from __future__ import annotations

import secrets
from typing import Protocol

from config.errors import NotFound, Refused
from config.text import N_


class FileMissing(NotFound):
    """There is no file of this name."""


class FilesUnavailable(Refused):
    """The store does not answer, or does not let us in: trying again later may help."""

    code = "files-unavailable"
    status = 503
    message = N_("Pictures can't be opened or saved just now. Please try again in a few minutes.")


class FileStore(Protocol):
    """Keeps files. May take seconds: call with no transaction open."""

    def put(self, name: str, data: bytes) -> None:
        """Keep a whole file or nothing; the same name again replaces it. Raises FilesUnavailable."""

    def get(self, name: str) -> bytes:
        """The file. Raises FileMissing, FilesUnavailable."""

    def delete(self, name: str) -> None:
        """Forget the file, if there is one. Raises FilesUnavailable."""


def new_name() -> str:
    """A random name: 32 hexadecimal digits. Write it down before the file is put, so that none is ever forgotten."""
    return secrets.token_hex(16)
