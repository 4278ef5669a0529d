"""Ways on and back: the places a page may offer or return to. Only paths of our own, never another site."""

from __future__ import annotations

from typing import NamedTuple

from config.text import N_
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
