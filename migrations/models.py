"""Every room's tables on one metadata, for migrations and for the test that compares the two."""

from __future__ import annotations

from typing import Any

import booking.models  # noqa: F401
import config.policy
import config.states  # noqa: F401
import notifications.models  # noqa: F401
import people.computers
import people.invitations
import people.models
import people.sessions
import people.tasks  # noqa: F401
from config.database import Base

METADATA = Base.metadata


def ours(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: ARG001
    """Leave the queue's tables alone."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))
