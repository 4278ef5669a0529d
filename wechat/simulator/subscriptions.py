"""A person agrees to one-time notices on a page, or takes it back in the settings of WeChat."""

from __future__ import annotations

from typing import Any

from . import events
from .actions import Impossible
from .state import Phone
from .webhook import Delivery, push
from .world import World

FROM_PAGE = 1  # where a person was asked: on a page (2: in an article)


def titles(world: World, wanted: list[Any]) -> dict[str, str]:
    """The titles of these templates of the account by id; raises Impossible for one it does not have."""
    known = world.notices
    if not wanted or any(template not in known for template in wanted):
        raise Impossible("no such template for notices")
    if len({known[template].lasting for template in wanted}) > 1:
        raise Impossible("one question asks for one-time or for lasting notices, not for both")
    return {template: known[template].title for template in wanted}


def answer(world: World, phone: Phone, choices: dict[str, Any], scene: int = FROM_PAGE) -> Delivery:
    """What the person chose for each template, accept or reject: kept, and told to the account."""
    titles(world, list(choices))
    if not set(map(str, choices.values())) <= {"accept", "reject"}:
        raise Impossible("each template is answered by accept or reject")
    with world.change():
        for template, choice in choices.items():
            if choice == "accept":
                phone.subscriptions[template] = phone.subscriptions.get(template, 0) + 1
        world.publish_phone(phone)
    return push(world, phone, events.notice_popup(world, phone, choices, scene), shown=False)


def refuse(world: World, phone: Phone, template: str) -> Delivery:
    """Take an agreement back in the settings: the account is told."""
    titles(world, [template])
    with world.change():
        phone.subscriptions.pop(template, None)
        world.publish_phone(phone)
    return push(world, phone, events.notice_refused(world, phone, template), shown=False)
