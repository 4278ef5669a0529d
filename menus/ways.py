"""Ways on and back: the places a page may offer or return to. Only paths of our own, never another site."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from booking.refusals import ScreenNeeded
from config.text import N_
from people.refusals import ConsentMissing
from wechat.signin import own_path


class Way(NamedTuple):
    """A place to go: its path and what the link says (an English msgid)."""

    path: str
    label: str


HOME = Way("/internet-diagnosis", N_("Internet Diagnosis"))
VISITS = Way("/visits", N_("My visits"))
CHILDREN = Way("/children", N_("My children"))
HELP = Way("/help", N_("Help"))


def way_on(target: str | None, otherwise: str) -> str:
    """``target`` when it is given and a path of this site, else ``otherwise``."""
    return own_path(target) if target else otherwise


def screen_first(child: UUID, then: str) -> str:
    """The questions about a child, and the path to go on to."""
    return f"/children/{child}/screen?{urlencode({'next': then})}"


def consent_first(then: str) -> str:
    """The consents, and the path to go on to."""
    return f"/consents?{urlencode({'next': then})}"


def first_of_all(missing: ScreenNeeded | ConsentMissing, child: UUID, then: str) -> str:
    """Where what is missing is asked for, and the path to go on to."""
    return consent_first(then) if isinstance(missing, ConsentMissing) else screen_first(child, then)
