"""Every room's tables on one metadata, for migrations and for the test that compares the two."""

from __future__ import annotations

from typing import Any

import booking.fair_models
import booking.models
import booking.rights_models
import booking.roster_models
import booking.screen_models
import booking.stop_models
import booking.waiting_models  # noqa: F401
import config.policy
import config.states  # noqa: F401
import consultation.after.models
import consultation.encounters.models
import consultation.intake.models
import consultation.line.models
import consultation.models
import consultation.record.models
import consultation.talk.models
import consultation.talk.recordings.models
import consultation.triage.models  # noqa: F401
import notifications.models  # noqa: F401
import payments.models  # noqa: F401
import people.computers
import people.favourites
import people.invitations
import people.keeping.models
import people.models
import people.sessions
import people.tasks  # noqa: F401
import prescriptions.after.models
import prescriptions.delivery.models
import prescriptions.dispensing.models
import prescriptions.models
import prescriptions.orders.models
import prescriptions.signing.models
import prescriptions.stock.models
import prescriptions.writing.models  # noqa: F401
from config.database import Base

METADATA = Base.metadata


def ours(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: ARG001
    """Leave the queue's tables alone."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))
