"""What the two parts of a room's page show: the call and the chat, the same for both faces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request
from sqlalchemy.orm import Session

from config.policy import current
from consultation.encounters.models import Kind
from consultation.encounters.rooms import OVER, Seat
from consultation.line.queries import department_code
from consultation.talk import actions
from consultation.talk.queries import lines, people
from consultation.talk.recordings.actions import is_recorded
from consultation.written.queries import left
from live.passes import is_guest
from wechat.signin import in_wechat, visitor_locale

ON_COMPUTERS = ("WindowsWechat", "MacWechat", "UnifiedPC")  # in the User-Agent; shows a call and can't send


def call(session: Session, here: Seat, now: datetime) -> dict[str, Any] | None:
    """The call while the visit goes on; before, the page waits for it to begin. None: it is over, or in writing.

    ``recorded``: for how many years the recording is kept; None where nothing is recorded. ``unagreed``: the doctor is
    told that the family has not agreed to it."""
    encounter = here.encounter
    if encounter.status in OVER or encounter.kind is Kind.TEXT:
        return None
    names = {str(id_): person.called(visitor_locale()) for id_, person in people(session, encounter).items()}
    computer = in_wechat() and any(word in request.user_agent.string for word in ON_COMPUTERS)
    recorded = is_recorded(session, encounter)
    return _both(here) | {
        "on": actions.can_call(encounter),
        "status": str(encounter.status),
        "people": names,
        "computer": computer,
        "guest": is_guest(),
        "phone": encounter.phone if here.is_doctor else None,
        "recorded": current(session, now).recordings_kept_years if recorded else None,
        "unagreed": here.is_doctor and encounter.kind is Kind.VIDEO and not recorded,
    }


def chat(session: Session, here: Seat, now: datetime) -> dict[str, Any] | None:
    """The chat from check-in on, and to be read afterwards. None: nothing was written or can be."""
    written, is_open = lines(session, here, visitor_locale()), actions.is_open(here.encounter)
    if not written and not is_open:
        return None
    policy = current(session, now, department_code(session, here.encounter))
    counted = here.encounter.written_at is not None and is_open and not here.is_doctor
    return _both(here) | {
        "lines": written,
        "open": is_open,
        "limit": policy.message_characters,
        "days": here.encounter.kind is Kind.TEXT,
        "left": left(session, here.encounter, policy) if counted else None,
    }


def _both(here: Seat) -> dict[str, Any]:
    """Where the scripts send to and listen, from which event on, and who looks."""
    visit_id = here.encounter.appointment_id
    face = "/desk/visits" if here.is_doctor else "/visits"
    return {
        "visit_id": visit_id,
        "base": f"{face}/{visit_id}",
        "after": here.encounter.events,
        "me": here.account_id,
        "doctor": here.is_doctor,
    }
