"""What has happened to records."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class RecordSigned(Fact, order="composition_id"):
    """A record was signed, or signed anew: the child's guardians are told that there is something to read."""

    composition_id: UUID
    version_id: UUID
