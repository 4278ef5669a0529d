"""Files that pages link to: read once, named by their content, so that a browser may keep them for good."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


@dataclass(frozen=True)
class Asset:
    """One file: its bytes, plain and gzipped, its media type and a digest of its content."""

    body: bytes
    zipped: bytes
    type: str
    digest: str


def load(files: Mapping[str, Path]) -> dict[str, Asset]:
    """Read the files, by the names under which they are served. Raises OSError for a missing one."""
    return {name: _read(path) for name, path in files.items()}


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, gzip.compress(body, mtime=0), TYPES[path.suffix], digest)
