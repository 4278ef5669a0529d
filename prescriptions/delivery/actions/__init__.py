"""What is done with parcels. These verbs are the only place that emits their facts."""

from prescriptions.delivery.actions.attending import anew, ask_now, complain, warn_late, write_down
from prescriptions.delivery.actions.following import hear, traced
from prescriptions.delivery.actions.sending import as_parcel, begin, claim, not_taken, taken, unanswered

__all__ = [
    "anew",
    "as_parcel",
    "ask_now",
    "begin",
    "claim",
    "complain",
    "hear",
    "not_taken",
    "taken",
    "traced",
    "unanswered",
    "warn_late",
    "write_down",
]
