"""The control API's sending side: what a phone sends besides text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request

from . import media, pictures, sending
from .actions import Impossible
from .control_platform import body
from .state import Phone
from .webhook import Delivery
from .world import World


def given_picture(world: World) -> bytes:
    """The uploaded `image`, or the demo picture {picture}; raises Impossible."""
    if file := request.files.get("image"):
        return bytes(file.read())
    path = pictures.demo_picture(world.config.qr_dir, str(body().get("picture", "")))
    if path is None:
        raise Impossible("no picture: upload one as `image` or name a demo `picture`")
    return path.read_bytes()


class Sending:
    """The views over one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def image(self, phone: Phone) -> Delivery:
        """Send the uploaded `image`, or the demo picture {picture}."""
        return sending.image(self.world, phone, given_picture(self.world))

    def voice(self, phone: Phone) -> Delivery:
        """Send the uploaded `file`, or silence of {seconds}."""
        try:
            seconds = float(body().get("seconds", 3))
        except (TypeError, ValueError) as error:
            raise Impossible("seconds is a number") from error
        if not 1 <= seconds <= media.LONGEST:
            raise Impossible("a voice has 1 to 60 seconds")
        return sending.voice(self.world, phone, _uploaded() or media.spoken(seconds))

    def video(self, phone: Phone) -> Delivery:
        """Send the uploaded `file`, or the shortest video there is."""
        return sending.video(self.world, phone, _uploaded() or media.film())

    def shortvideo(self, phone: Phone) -> Delivery:
        """Send the same as one taken in the chat."""
        return sending.video(self.world, phone, _uploaded() or media.film(), short=True)

    def location(self, phone: Phone) -> Delivery:
        """Send {latitude, longitude, label?, scale?}."""
        return sending.location(self.world, phone, body())

    def link(self, phone: Phone) -> Delivery:
        """Share {title, description?, url}."""
        return sending.link(self.world, phone, body())


def _uploaded() -> bytes:
    file = request.files.get("file")
    return bytes(file.read()) if file else b""


VERBS = ("image", "voice", "video", "shortvideo", "location", "link")


def sending_routes(world: World) -> list[tuple[str, str, Callable[..., dict[str, Any]]]]:
    """Method, path and view of each."""
    views = Sending(world)

    def view(act: Callable[[Phone], Delivery]) -> Callable[..., dict[str, Any]]:
        def answer(name: str) -> dict[str, Any]:
            phone = world.phone(name)
            if phone is None:
                raise Impossible(f"no phone {name!r}")
            return {"delivery": act(phone).json()}

        return answer

    return [("POST", f"/phones/<name>/{verb}", view(getattr(views, verb))) for verb in VERBS]
