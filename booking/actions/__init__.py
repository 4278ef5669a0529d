"""What changes in booking: numbers held, paid, booked, changed, given back, waited for, missed; clinics stopped,
delayed, taken over; reminders fall due."""

from booking.actions.cancelling import cancel
from booking.actions.changing import reschedule
from booking.actions.ending import end
from booking.actions.freeing import free_kept, offer_free
from booking.actions.marking import arrive, attended, mark, mark_missed, settle_marks, unmark
from booking.actions.opening import open_pools
from booking.actions.paying import payment_closed, payment_settled
from booking.actions.reminding import remind_due
from booking.actions.screening import keep_answers
from booking.actions.slowing import slow_down
from booking.actions.standing_in import delay, replace
from booking.actions.stopping import (
    confirm_stop,
    discard_stop,
    extend_stops,
    finish_stop,
    lift_stop,
    plan_stop,
    suspend,
)
from booking.actions.suspending import appeal, decide
from booking.actions.taking import book, book_case, book_cases, confirm
from booking.actions.together import book_together
from booking.actions.waiting import accept, close_list, decline, join, lapse_offer, leave
from booking.actions.watching import watch
from booking.locks import locked

__all__ = [
    "accept",
    "appeal",
    "arrive",
    "attended",
    "book",
    "book_case",
    "book_cases",
    "book_together",
    "cancel",
    "close_list",
    "confirm",
    "confirm_stop",
    "decide",
    "decline",
    "delay",
    "discard_stop",
    "end",
    "extend_stops",
    "finish_stop",
    "free_kept",
    "join",
    "keep_answers",
    "lapse_offer",
    "leave",
    "lift_stop",
    "locked",
    "mark",
    "mark_missed",
    "offer_free",
    "open_pools",
    "payment_closed",
    "payment_settled",
    "plan_stop",
    "remind_due",
    "replace",
    "reschedule",
    "settle_marks",
    "slow_down",
    "suspend",
    "unmark",
    "watch",
]
