"""Tags of followers, with WeChat's limits."""

from __future__ import annotations

from typing import Any

from ..errors import ApiError
from ..state import Phone, State
from ..world import World
from . import Call, Endpoint
from .menu import OK

MOST, NAME_BYTES, BATCH, PER_PERSON = 100, 30, 50, 20
FIRST, RESERVED = 100, (0, 1, 2)


def _name(state: State, body: dict[str, Any], own: int = -1) -> str:
    tag = body.get("tag")
    name = tag.get("name") if isinstance(tag, dict) else None
    if not isinstance(name, str) or not 1 <= len(name.encode()) <= NAME_BYTES:
        raise ApiError(45158)
    if any(known == name for number, known in state.tags.items() if int(number) != own):
        raise ApiError(45157)
    return name


def _number(state: State, value: Any) -> int:
    if value in RESERVED:
        raise ApiError(45058)
    if not isinstance(value, int) or str(value) not in state.tags:
        raise ApiError(45159)
    return value


def create(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/tags/create."""
    with call.world.change() as state:
        name = _name(state, call.json())
        if len(state.tags) >= MOST:
            raise ApiError(45056)
        state.last_tag = max(state.last_tag + 1, FIRST)
        state.tags[str(state.last_tag)] = name
        return {"tag": {"id": state.last_tag, "name": name}}


def get(call: Call) -> dict[str, Any]:
    """GET /cgi-bin/tags/get: each tag with its number of followers."""
    with call.world.change() as state:
        return {
            "tags": [
                {"id": int(number), "name": name, "count": len(_members(state, int(number)))}
                for number, name in state.tags.items()
            ]
        }


def update(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/tags/update."""
    with call.world.change() as state:
        number = _number(state, _tag_id(call))
        state.tags[str(number)] = _name(state, call.json(), own=number)
    return OK


def delete(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/tags/delete: the tag goes from its followers too."""
    with call.world.change() as state:
        number = _number(state, _tag_id(call))
        del state.tags[str(number)]
        changed = _members(state, number)
        for phone in changed:
            phone.tags.remove(number)
    _tell(call.world, changed)
    return OK


def _tag_id(call: Call) -> Any:
    tag = call.json().get("tag")
    return tag.get("id") if isinstance(tag, dict) else None


def _members(state: State, number: int) -> list[Phone]:
    return [phone for phone in state.phones.values() if number in phone.tags]


def members(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/user/tag/get: the followers of a tag."""
    with call.world.change() as state:
        body = call.json()
        openids = [phone.openid for phone in _members(state, _number(state, body.get("tagid")))]
    after = str(body.get("next_openid") or "")
    openids = openids[openids.index(after) + 1 :] if after in openids else openids
    last = openids[-1] if openids else ""
    return {"count": len(openids), **({"data": {"openid": openids}} if openids else {}), "next_openid": last}


def _people(call: Call) -> list[Phone]:
    openids = call.json().get("openid_list")
    if not isinstance(openids, list) or not 1 <= len(openids) <= BATCH:
        raise ApiError(40032)
    return [follower(call.world, openid) for openid in openids]


def follower(world: World, openid: Any) -> Phone:
    """The follower with this openid; raises ApiError 40003 for none, 49003 for who does not follow."""
    phone = world.phone(str(openid))
    if phone is None or phone.openid != openid:
        raise ApiError(40003)
    if not phone.following:
        raise ApiError(49003)
    return phone


def tag(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/tags/members/batchtagging."""
    people = _people(call)
    with call.world.change() as state:
        number = _number(state, call.json().get("tagid"))
        if any(number not in phone.tags and len(phone.tags) >= PER_PERSON for phone in people):
            raise ApiError(45059)
        for phone in people:
            phone.tags = [*phone.tags, number] if number not in phone.tags else phone.tags
    _tell(call.world, people)
    return OK


def untag(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/tags/members/batchuntagging."""
    people = _people(call)
    with call.world.change() as state:
        number = _number(state, call.json().get("tagid"))
        for phone in people:
            phone.tags = [known for known in phone.tags if known != number]
    _tell(call.world, people)
    return OK


def of_person(call: Call) -> dict[str, Any]:
    """POST /cgi-bin/tags/getidlist."""
    return {"tagid_list": list(follower(call.world, call.json().get("openid")).tags)}


def _tell(world: World, people: list[Phone]) -> None:
    """Their menus may be others now."""
    for phone in people:
        world.publish_phone(phone)


ENDPOINTS = [
    Endpoint("/cgi-bin/tags/create", "POST", True, create),
    Endpoint("/cgi-bin/tags/get", "GET", True, get),
    Endpoint("/cgi-bin/tags/update", "POST", True, update),
    Endpoint("/cgi-bin/tags/delete", "POST", True, delete),
    Endpoint("/cgi-bin/user/tag/get", "POST", True, members),
    Endpoint("/cgi-bin/tags/members/batchtagging", "POST", True, tag),
    Endpoint("/cgi-bin/tags/members/batchuntagging", "POST", True, untag),
    Endpoint("/cgi-bin/tags/getidlist", "POST", True, of_person),
]
