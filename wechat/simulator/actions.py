"""What a person does on their phone, and what WeChat pushes because of it."""

from __future__ import annotations

from typing import Any

from . import events, menus, scenes
from .state import Phone
from .webhook import Delivery, push
from .windows import open_window
from .world import World


class Impossible(ValueError):
    """Something this phone can't do now; the text says why."""


def follow(world: World, phone: Phone, scene: str = "", number: bool = False) -> Delivery | None:
    """Follow the account, by a scene code when `scene` is given; a follower who scans sends SCAN instead."""
    with world.change():
        again, phone.following = phone.following, True
        if again and not scene:
            return None
        if not again:
            phone.subscribed_at, phone.scene, phone.blocked = int(world.now), scene, False
            phone.scene_number = number
        open_window(phone, "scan" if again else "follow", world.now)
        world.publish_phone(phone)
    event = events.scan(world, phone, scene) if again else events.subscribe(world, phone, scene)
    return push(world, phone, event)


def scan_code(world: World, phone: Phone, text: str) -> Delivery | None:
    """Scan one of the account's codes with the phone's scanner; raises Impossible for any other or an expired one."""
    found = scenes.of_text(world, text)
    if found is None:
        raise Impossible("this is no code of the account")
    _, known = found
    if not scenes.alive(world, known):
        raise Impossible("the code has expired")
    return follow(world, phone, known["scene"], known["number"])


def unfollow(world: World, phone: Phone) -> Delivery | None:
    """Stop following: the chat goes from the phone, the account is told."""
    with world.change():
        if not phone.following:
            return None
        phone.following, phone.windows, phone.tags, phone.remark = False, {}, [], ""
        phone.cleared = phone.messages[-1]["n"] if phone.messages else phone.cleared
        world.publish_phone(phone)
    return push(world, phone, events.unsubscribe(world, phone), shown=False)


def change(world: World, phone: Phone, values: dict[str, Any]) -> None:
    """Set blocked, snapshot or delivery of a phone; raises Impossible for anything else."""
    kinds = {"blocked": bool, "snapshot": bool, "delivery": str}
    for name, value in values.items():
        if name not in kinds or not isinstance(value, kinds[name]):
            raise Impossible(f"{name} is not a setting of a phone, or {value!r} is no value for it")
    if values.get("delivery", "success") not in ("success", "system failed"):
        raise Impossible("delivery is success or system failed")
    with world.change():
        for name, value in values.items():
            setattr(phone, name, value)
        world.publish_phone(phone)


def send_text(world: World, phone: Phone, content: str, menu_message: str = "") -> Delivery:
    """Write to the account."""
    must_follow(phone)
    if not content.strip():
        raise Impossible("an empty message can't be sent")
    with world.change():
        open_window(phone, "menu" if menu_message else "message", world.now)
        world.add_message(phone, "me", "text", text=content)
    return push(world, phone, events.text(world, phone, content, menu_message))


def button_at(world: World, phone: Phone, path: str) -> dict[str, Any]:
    """The menu entry at a path such as `1` or `0/2`, or with this key or url; raises Impossible when there is none."""
    tops = (menus.shown_to(world.state, phone) or {"button": []})["button"]
    places: dict[str, dict[str, Any]] = {}
    for index, top in enumerate(tops):
        places[str(index)] = top
        places |= {f"{index}/{number}": sub for number, sub in enumerate(top["sub_button"])}
    wanted = places.get(path) or next((b for b in places.values() if path in (b.get("key"), b.get("url"))), None)
    if wanted is None or wanted["sub_button"]:
        raise Impossible(f"the menu has no entry {path!r} that does something")
    return wanted


def tap(world: World, phone: Phone, button: dict[str, Any], scanned: tuple[str, str] | None) -> Delivery:
    """Tap a menu entry; a scancode entry needs what was scanned as (type, text)."""
    must_follow(phone)
    kind = button["type"]
    if kind in ("click", "view"):
        fields = events.menu(world, phone, button)
    elif kind == "miniprogram":
        fields = events.mini_program(world, phone, button)
    elif kind in ("scancode_push", "scancode_waitmsg"):
        if scanned is None:
            raise Impossible("this entry scans: say what was scanned")
        fields = events.scancode(world, phone, button, *scanned)
    else:
        raise Impossible(f"the simulator's phones can't do {kind}")
    if kind not in ("view", "miniprogram"):
        with world.change():
            open_window(phone, "menu", world.now)
    return push(world, phone, fields)


def push_anything(world: World, phone: Phone, fields: dict[str, Any]) -> Delivery:
    """Push a message or event of any kind, for what the phones' own screens can't do."""
    if not fields.keys() & {"MsgType", "Event"}:
        raise Impossible("say which: MsgType or Event, and its fields as WeChat names them")
    made = events.anything(world, phone, fields)
    if made["MsgType"] != "event":
        with world.change():
            open_window(phone, "message", world.now)
    return push(world, phone, made)


def must_follow(phone: Phone) -> None:
    """Raise Impossible for a phone that can't write to the account."""
    if not phone.following:
        raise Impossible("this phone does not follow the account")
