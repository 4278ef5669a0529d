"""What people send and do in the chat, as small frozen values. wechat/inbound.py makes them from WeChat's pushes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Inbound:
    """What every message and event has.

    ``identity`` is the same for every delivery of one message, and differs between messages: MsgId alone is shared by
    messages of different people, and two events of one person can share a second. ``words`` is everything in it that a
    person said or wrote.
    """

    openid: str
    account: str
    created_at: int
    identity: tuple[str, ...] = field(repr=False)
    words: str = field(repr=False)


@dataclass(frozen=True)
class Message(Inbound):
    """Something that a person sent."""


@dataclass(frozen=True)
class Event(Inbound):
    """Something that a person did, or that WeChat tells."""


@dataclass(frozen=True)
class Text(Message):
    """A typed message; its content is ``words``. ``menu_id`` is set when an entry of a menu message was tapped."""

    menu_id: str = ""


@dataclass(frozen=True)
class Picture(Message):
    """A picture, to be had from ``url`` (or as ``media_id``) for three days."""

    url: str = ""
    media_id: str = ""


@dataclass(frozen=True)
class Voice(Message):
    """A spoken message; what WeChat made of it, if it listens at all, is ``words``."""

    media_id: str = ""
    format: str = ""


@dataclass(frozen=True)
class Video(Message):
    """A video, or a short one taken in the chat."""

    media_id: str = ""
    thumb_media_id: str = ""
    short: bool = False


@dataclass(frozen=True)
class Place(Message):
    """A place on the map, in degrees; its label is ``words``."""

    latitude: float | None = field(default=None, repr=False)
    longitude: float | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Link(Message):
    """A shared article; its title and description are ``words``."""

    url: str = field(default="", repr=False)


@dataclass(frozen=True)
class OtherMessage(Message):
    """A message of a type that came later than this code."""

    kind: str = ""


@dataclass(frozen=True)
class Followed(Event):
    """The person follows the account; through one of its QR codes when there is a ``scene``."""

    scene: str = ""
    ticket: str = field(default="", repr=False)


@dataclass(frozen=True)
class Unfollowed(Event):
    """The person no longer follows the account."""


@dataclass(frozen=True)
class SceneScanned(Event):
    """A follower scanned one of the account's own QR codes (SCAN)."""

    scene: str = ""
    ticket: str = field(default="", repr=False)


@dataclass(frozen=True)
class Located(Event):
    """The phone told where it is when the chat was opened (LOCATION); in degrees, the precision in metres."""

    latitude: float | None = field(default=None, repr=False)
    longitude: float | None = field(default=None, repr=False)
    precision: float | None = None


@dataclass(frozen=True)
class Clicked(Event):
    """A menu entry of type click was tapped."""

    key: str = ""


@dataclass(frozen=True)
class PageOpened(Event):
    """A menu entry of type view was tapped."""

    url: str = ""
    menu_id: str = ""


@dataclass(frozen=True)
class MiniProgramOpened(Event):
    """A menu entry of type miniprogram was tapped."""

    path: str = ""
    menu_id: str = ""


@dataclass(frozen=True)
class Scanned(Event):
    """A menu entry scanned a code and waits for the answer (scancode_waitmsg)."""

    key: str = ""
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class ScanShown(Event):
    """A menu entry scanned a code and the phone showed the person what it holds (scancode_push)."""

    key: str = ""
    code: str = field(default="", repr=False)


@dataclass(frozen=True)
class PicturesChosen(Event):
    """Pictures were taken or chosen by a menu entry; each follows as a message of its own."""

    key: str = ""
    source: Literal["camera", "camera-or-album", "album"] = "album"
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlaceChosen(Event):
    """A place was chosen by a menu entry (in degrees); it follows as a message of its own."""

    key: str = ""
    latitude: float | None = field(default=None, repr=False)
    longitude: float | None = field(default=None, repr=False)
    name: str = field(default="", repr=False)


@dataclass(frozen=True)
class TemplateFinished(Event):
    """WeChat tells how a template message ended; ``status`` is ``success`` or begins with ``failed``."""

    message_id: str = ""
    status: str = ""


@dataclass(frozen=True)
class MassSendFinished(Event):
    """WeChat tells how a message to many ended, in numbers of people."""

    message_id: str = ""
    status: str = ""
    sent: int = 0
    failed: int = 0


@dataclass(frozen=True)
class SubscriptionAnswer:
    """One template of subscription notices (订阅通知), taken or declined."""

    template_id: str
    accepted: bool


@dataclass(frozen=True)
class SubscriptionsAnswered(Event):
    """The person answered a request for subscription notices, or (``changed``) declined some later in the settings."""

    answers: tuple[SubscriptionAnswer, ...] = ()
    changed: bool = False


@dataclass(frozen=True)
class SubscriptionResult:
    """How one subscription notice ended; ``error`` is ``0`` when it arrived."""

    template_id: str
    message_id: str
    error: str


@dataclass(frozen=True)
class SubscriptionsSent(Event):
    """WeChat tells how subscription notices ended."""

    results: tuple[SubscriptionResult, ...] = ()


@dataclass(frozen=True)
class ProfileChanged(Event):
    """The person changed what they had let the account know of them (user_info_modified)."""


@dataclass(frozen=True)
class AuthorizationRevoked(Event):
    """The person took back what the account may know of them; ``info`` is WeChat's number for what was taken back."""

    info: str = ""


@dataclass(frozen=True)
class AuthorizationCancelled(Event):
    """The person closed their WeChat account."""


@dataclass(frozen=True)
class AccountVerified(Event):
    """A step of the account's own verification; times are seconds since 1970."""

    step: Literal["qualification", "naming", "renewal", "expiry"] = "qualification"
    succeeded: bool = False
    expires_at: int | None = None
    failed_at: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class OtherEvent(Event):
    """An event that means nothing to a clinic (cards), or that came later than this code."""

    event: str = ""
