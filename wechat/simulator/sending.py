"""What a person sends besides text: pictures, voice, videos, places, articles; and menu entries that send them."""

from __future__ import annotations

import hashlib
from typing import Any

from . import events, media
from .actions import Impossible, must_follow
from .errors import ApiError
from .state import Phone
from .webhook import Delivery, push
from .windows import open_window
from .world import World

Facts = dict[str, Any]
PICTURES = ("pic_sysphoto", "pic_photo_or_album", "pic_weixin")


def image(world: World, phone: Phone, raw: bytes) -> Delivery:
    """Send a picture; raises Impossible when it is none of at most 10 MB."""
    must_follow(phone)
    kept = _keep(world, "image", raw, "not a picture of at most 10 MB")
    return _say(world, phone, events.image(world, phone, kept), "image", media.shown(world, kept, "image") or {})


def voice(world: World, phone: Phone, raw: bytes) -> Delivery:
    """Send a voice; raises Impossible when it is no AMR or MP3 of at most 2 MB and a minute."""
    must_follow(phone)
    kept = _keep(world, "voice", raw, "not an AMR or MP3 of at most 2 MB and 60 seconds")
    return _say(world, phone, events.voice(world, phone, kept), "voice", media.shown(world, kept, "voice") or {})


def video(world: World, phone: Phone, raw: bytes, short: bool = False) -> Delivery:
    """Send a video; raises Impossible when it is no MP4 of at most 10 MB."""
    must_follow(phone)
    kept = _keep(world, "video", raw, "not an MP4 of at most 10 MB")
    thumb = _keep(world, "thumb", media.still(), "no thumbnail")
    facts = (media.shown(world, kept, "video") or {}) | {"thumb": media.address(world, thumb), "short": short}
    kind = "shortvideo" if short else "video"
    return _say(world, phone, events.video(world, phone, kept, thumb, kind), "video", facts)


def location(world: World, phone: Phone, given: Facts) -> Delivery:
    """Send a place {latitude, longitude, label?, scale?}; raises Impossible when it is none on earth."""
    must_follow(phone)
    place = place_of(given)
    return _say(world, phone, events.location(world, phone, place), "location", place)


def link(world: World, phone: Phone, given: Facts) -> Delivery:
    """Share an article {title, description?, url}; raises Impossible without title or address."""
    must_follow(phone)
    article = {name: str(given.get(name, "")) for name in ("title", "description", "url")}
    if not article["title"] or not article["url"].startswith(("http://", "https://")):
        raise Impossible("an article has a title and an http address")
    return _say(world, phone, events.link(world, phone, article), "link", article)


def place_of(given: Facts) -> Facts:
    """A place with all its parts; raises Impossible."""
    try:
        latitude, longitude, scale = (
            float(given["latitude"]),
            float(given["longitude"]),
            int(given.get("scale", 16)),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Impossible("a place has latitude and longitude in degrees") from error
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Impossible("a place has latitude and longitude in degrees")
    return {"latitude": latitude, "longitude": longitude, "scale": scale, "label": str(given.get("label", ""))}


def choose_pictures(world: World, phone: Phone, button: Facts, raw: bytes) -> Delivery:
    """Tap a menu entry that takes a picture: the event, then the picture as a message."""
    must_follow(phone)
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    info = {"SendPicsInfo": {"Count": 1, "PicList": {"item": {"PicMd5Sum": digest}}}}
    _keep(world, "image", raw, "not a picture of at most 10 MB")
    push(world, phone, events.chosen(world, phone, button, info))
    return image(world, phone, raw)


def choose_place(world: World, phone: Phone, button: Facts, given: Facts) -> Delivery:
    """Tap a menu entry that takes a place: the event, then the place as a message."""
    must_follow(phone)
    place = place_of(given)
    info = {"Location_X": str(place["latitude"]), "Location_Y": str(place["longitude"])}
    info |= {"Scale": str(place["scale"]), "Label": place["label"], "Poiname": str(given.get("name", ""))}
    push(world, phone, events.chosen(world, phone, button, {"SendLocationInfo": info}))
    return location(world, phone, given)


def _keep(world: World, kind: str, raw: bytes, why_not: str) -> str:
    try:
        return media.keep(world, kind, raw)
    except ApiError as error:
        raise Impossible(why_not) from error


def _say(world: World, phone: Phone, fields: Facts, kind: str, facts: Facts) -> Delivery:
    with world.change():
        open_window(phone, "message", world.now)
        world.add_message(phone, "me", kind, **facts)
    return push(world, phone, fields)
