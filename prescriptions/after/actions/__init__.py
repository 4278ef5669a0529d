"""What families and the clinic do once a prescription's medicines are with the child."""

from __future__ import annotations

from prescriptions.after.actions.course import answer, ask_due, begun, stopped
from prescriptions.after.actions.reactions import close, note, report, watch
from prescriptions.after.actions.reminders import choose, remind_due, switch_off

__all__ = [
    "answer",
    "ask_due",
    "begun",
    "choose",
    "close",
    "note",
    "remind_due",
    "report",
    "stopped",
    "switch_off",
    "watch",
]
