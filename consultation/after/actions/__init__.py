"""What families and the clinic do after a visit."""

from __future__ import annotations

from consultation.after.actions.asking import answer, ask
from consultation.after.actions.complaining import close, close_by_family, file, reply, take
from consultation.after.actions.rating import give_reason, rate
from consultation.after.actions.worsening import DOCTOR_TASK, TEAM_TASK, answered, seen, worse

__all__ = [
    "DOCTOR_TASK",
    "TEAM_TASK",
    "answer",
    "answered",
    "ask",
    "close",
    "close_by_family",
    "file",
    "give_reason",
    "rate",
    "reply",
    "seen",
    "take",
    "worse",
]
