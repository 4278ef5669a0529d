"""What a parcel's states and steps are called, for families and staff alike."""

from __future__ import annotations

from config.text import N_
from prescriptions.delivery.couriers import OUT_OF_AREA, Mark
from prescriptions.delivery.models import DeliveryStatus

STATES = {
    DeliveryStatus.ORDERED: N_("Waits for the courier"),
    DeliveryStatus.SHIPPED: N_("On its way"),
    DeliveryStatus.DELIVERED: N_("Delivered"),
    DeliveryStatus.FAILED: N_("Not delivered"),
    DeliveryStatus.RETURNED: N_("Came back to the pharmacy"),
}
MARKS = {
    Mark.COLLECTED: N_("Fetched by the courier"),
    Mark.MOVING: N_("On the way"),
    Mark.OUT: N_("Out for delivery"),
    Mark.MISSED: N_("Nobody was there"),
    Mark.REFUSED: N_("Was not taken"),
    Mark.RETURNING: N_("On the way back"),
    Mark.LOST: N_("The courier is looking for it"),
    Mark.DELIVERED: N_("Handed over"),
    Mark.RETURNED: N_("Back at the pharmacy"),
}
WRONG = {  # what a family can say is wrong
    "not-here": N_("It says delivered, but it is not here"),
    "damaged": N_("It is damaged"),
    "other": N_("Not what was prescribed"),
    "courier": N_("The courier does not come"),
}


def why_text(code: str) -> str:
    """What the courier's code means for the desk."""
    return N_("The courier does not go to this address.") if code == OUT_OF_AREA else N_("The courier did not take it.")
