"""When an account may write to a person unasked: windows opened by what the person did, each for a few messages."""

from __future__ import annotations

from .errors import ApiError
from .state import Phone

HOUR = 3600.0
WINDOWS = {"message": (48 * HOUR, 5), "menu": (60.0, 3), "follow": (60.0, 3), "scan": (60.0, 3)}
WINDOWS |= {"payment": (48 * HOUR, 0)}  # (seconds, messages); 0: as many as one likes


def open_window(phone: Phone, kind: str, now: float) -> None:
    """The person did something that lets the account write."""
    phone.windows[kind] = [now, 0.0]


def last_opened(phone: Phone) -> float:
    """When the person last did something that opened a window."""
    return max((window[0] for window in phone.windows.values()), default=0.0)


def spend(phone: Phone, now: float, after_payment: int = 0) -> None:
    """Use one message of an open window; raises ApiError 45015 or 45047.

    `after_payment` limits the messages after a payment (0: no limit).
    """
    alive = [
        (window, (after_payment if kind == "payment" else WINDOWS[kind][1]) or float("inf"))
        for kind, window in phone.windows.items()
        if now - window[0] < WINDOWS[kind][0]
    ]
    if not phone.following or not alive:
        raise ApiError(45015)
    for window, limit in alive:
        if window[1] < limit:
            window[1] += 1
            return
    raise ApiError(45047)
