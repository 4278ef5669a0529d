"""Access tokens and the JS-SDK ticket, with WeChat's lifetimes, overlaps and refresh limits."""

from __future__ import annotations

import secrets

from .errors import ApiError
from .state import State, Ticket, Token

LIFETIME = 7200.0
OVERLAP = 300.0  # a replaced token still works so long; a stable one renews so early
FORCE_PAUSE, FORCE_PER_DAY = 30.0, 20
DAY = 86400.0


def _issue(state: State, kind: str, now: float) -> Token:
    token = Token(f"92_{secrets.token_urlsafe(96)}", kind, now, now + LIFETIME)
    state.tokens = [known for known in state.tokens if known.issued > now - DAY] + [token]
    return token


def fetch(state: State, now: float) -> Token:
    """`/cgi-bin/token`: always a new one; its predecessors work for five minutes more."""
    for known in state.tokens:
        if known.kind == "token":
            known.ends = min(known.ends, now + OVERLAP)
    return _issue(state, "token", now)


def stable(state: State, now: float, force: bool) -> Token:
    """`/cgi-bin/stable_token`: the same while valid; forced, and within the limits, a new one that kills it at once."""
    current = next((known for known in reversed(state.tokens) if known.kind == "stable" and known.ends > now), None)
    state.forced = [moment for moment in state.forced if moment > now - DAY]
    pause_over = not state.forced or now - state.forced[-1] >= FORCE_PAUSE
    if force and current and pause_over and len(state.forced) < FORCE_PER_DAY:
        state.forced.append(now)
        for known in state.tokens:
            if known.kind == "stable":
                known.ends = min(known.ends, now)
        return _issue(state, "stable", now)
    if current and current.ends - now > OVERLAP:
        return current
    return _issue(state, "stable", now)


def check(state: State, now: float, value: str) -> None:
    """Raise ApiError 41001, 40001 or 42001 unless `value` is a token that works now."""
    if not value:
        raise ApiError(41001)
    token = next(
        (known for known in state.tokens if secrets.compare_digest(known.value.encode(), value.encode())), None
    )
    if token is None:
        raise ApiError(40001)
    if now >= token.issued + LIFETIME:
        raise ApiError(42001)
    if now >= token.ends:
        raise ApiError(40001)


def kill(state: State, now: float) -> int:
    """End every access token now, as the platform does on a changed secret; how many there were."""
    alive = [known for known in state.tokens if known.ends > now]
    for known in alive:
        known.ends = now
    return len(alive)


def ticket(state: State, now: float) -> Ticket:
    """The account's JS-SDK ticket, the same while it is valid."""
    if state.ticket is None or now >= state.ticket.ends:
        state.ticket = Ticket(f"sM4AOVdWfPE4DxkXGEs8V{secrets.token_urlsafe(48)}", now + LIFETIME)
    return state.ticket
