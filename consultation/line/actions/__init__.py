"""What changes in a doctor's line: families check in and are called, children are handed over, visits begin and end.

Locks are taken in the order doctor, encounter, and then as booking/locks.py has it. The doctor's row stands for the
line: calling, beginning and handing over hold it, so that two tabs or two colleagues never call or begin at once.
"""

from consultation.line.actions.arriving import check_in, leave
from consultation.line.actions.calling import (
    call,
    call_again,
    call_next,
    extend,
    join,
    miss,
    resume,
    skip,
    start,
    uncall,
)
from consultation.line.actions.confirming import confirm, confirm_doctor, mark, unmark
from consultation.line.actions.ending import appointment_ended, end_by_rule, finish, schedule_stopped
from consultation.line.actions.handing import answer, doctor_replaced, line_changed, offer, withdraw
from consultation.line.actions.watching import watch

__all__ = [
    "answer",
    "appointment_ended",
    "call",
    "call_again",
    "call_next",
    "check_in",
    "confirm",
    "confirm_doctor",
    "doctor_replaced",
    "end_by_rule",
    "extend",
    "finish",
    "join",
    "leave",
    "line_changed",
    "mark",
    "miss",
    "offer",
    "resume",
    "schedule_stopped",
    "skip",
    "start",
    "uncall",
    "unmark",
    "watch",
    "withdraw",
]
