"""What has happened to copies and wishes."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from config.jobs import Fact


@dataclass(frozen=True)
class CopyFinished(Fact, order="account_id"):
    """The copy that a guardian asked for is ready, or could not be made."""

    copy_id: UUID
    account_id: UUID


@dataclass(frozen=True)
class WishAnswered(Fact, order="account_id"):
    """The hospital has answered a wish to erase."""

    wish_id: UUID
    account_id: UUID
