"""QR codes with a scene: made by the account, shown as pictures, scanned by phones until they expire."""

from __future__ import annotations

import io
import secrets
from typing import Any

import segno

from .errors import ApiError
from .state import State
from .world import World

PREFIX = "http://weixin.qq.com/q/"
LONGEST, DEFAULT = 2_592_000, 60
PERMANENT_IDS, PERMANENT_MOST = 100_000, 100_000
KINDS = {"QR_SCENE": "scene_id", "QR_STR_SCENE": "scene_str"}
KINDS |= {"QR_LIMIT_SCENE": "scene_id", "QR_LIMIT_STR_SCENE": "scene_str"}
KEPT = 5000


def create(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """A ticket for a scene; raises ApiError 40053 for a wrong action or scene, 45029 when there are too many."""
    kind = body.get("action_name")
    info = body.get("action_info")
    scene = info.get("scene") if isinstance(info, dict) else None
    if kind not in KINDS or not isinstance(scene, dict):
        raise ApiError(40053)
    value = _value(kind, scene)
    permanent = kind.startswith("QR_LIMIT")
    seconds = 0 if permanent else _seconds(body.get("expire_seconds", DEFAULT))
    made = {
        "scene": value,
        "number": kind in ("QR_SCENE", "QR_LIMIT_SCENE"),
        "url": PREFIX + "02" + secrets.token_urlsafe(18),
        "made": world.now,
        "ends": 0.0 if permanent else world.now + seconds,
    }
    with world.change() as state:
        ticket = _keep(state, made)
        world.publish("scenes")
    return {"ticket": ticket, "url": state.scenes[ticket]["url"], **({} if permanent else {"expire_seconds": seconds})}


def _value(kind: str, scene: dict[str, Any]) -> str:
    value = scene.get(KINDS[kind])
    if KINDS[kind] == "scene_str":
        if not isinstance(value, str) or not 1 <= len(value) <= 64:
            raise ApiError(40053, "scene_str")
        return value
    most = PERMANENT_IDS if kind == "QR_LIMIT_SCENE" else 2**32 - 1
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ApiError(40053, "scene_id")
    return str(value)


def _seconds(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ApiError(40052)
    return min(max(value, DEFAULT), LONGEST)


def _keep(state: State, made: dict[str, Any]) -> str:
    """Keep a scene; a permanent one asked for again has the ticket it had."""
    permanent = {ticket: known for ticket, known in state.scenes.items() if not known["ends"]}
    if not made["ends"]:
        same = (t for t, k in permanent.items() if (k["scene"], k["number"]) == (made["scene"], made["number"]))
        if known := next(same, None):
            return known
        if len(permanent) >= PERMANENT_MOST:
            raise ApiError(45029)
    passing = [ticket for ticket, known in state.scenes.items() if known["ends"]]
    for ticket in passing[: max(0, len(passing) - KEPT)]:
        del state.scenes[ticket]
    ticket = f"gQ{secrets.token_urlsafe(68)}=="
    state.scenes[ticket] = made
    return ticket


def picture(world: World, ticket: str) -> bytes | None:
    """The PNG of a ticket's code; None for a ticket nobody has."""
    known = world.state.scenes.get(ticket)
    if known is None:
        return None
    out = io.BytesIO()
    segno.make(known["url"], error="m", micro=False).save(out, kind="png", scale=10, border=4)
    return out.getvalue()


def of_text(world: World, text: str) -> tuple[str, dict[str, Any]] | None:
    """The ticket and scene a scanned text is of; None when it is no code of the account."""
    return next(((ticket, known) for ticket, known in world.state.scenes.items() if known["url"] == text), None)


def alive(world: World, known: dict[str, Any]) -> bool:
    """Whether a scene's code can still be scanned."""
    return not known["ends"] or world.now < known["ends"]


def ticket_for(state: State, scene: str) -> str:
    """The newest ticket of a scene, or a stand-in for a code printed long ago."""
    return next((t for t, known in reversed(state.scenes.items()) if known["scene"] == scene), f"TICKET_{scene}")


def listed(world: World, most: int = 6) -> list[dict[str, Any]]:
    """The newest codes that can be scanned, for the scanner."""
    found = [(t, known) for t, known in world.state.scenes.items() if alive(world, known)]
    return [{"ticket": t, "url": k["url"], "scene": k["scene"], "ends": k["ends"]} for t, k in reversed(found[-most:])]
