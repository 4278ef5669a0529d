"""When an account may write to a person unasked: windows opened by what the person did, each for a few messages."""

from __future__ import annotations

from .errors import ApiError
from .state import Phone

HOUR = 3600.0
WINDOWS = {"message": (48 * HOUR, 5), "menu": (60.0, 3), "follow": (60.0, 3), "scan": (60.0, 3)}  # (seconds, messages)


def open_window(phone: Phone, kind: str, now: float) -> None:
    """The person did something that lets the account write."""
    phone.windows[kind] = [now, 0.0]


def spend(phone: Phone, now: float) -> None:
    """Use one message of an open window; raises ApiError 45015 or 45047."""
    alive = [(window, WINDOWS[kind][1]) for kind, window in phone.windows.items() if now - window[0] < WINDOWS[kind][0]]
    if not phone.following or not alive:
        raise ApiError(45015)
    for window, limit in alive:
        if window[1] < limit:
            window[1] += 1
            return
    raise ApiError(45047)
