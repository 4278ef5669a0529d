"""The messages and events WeChat pushes, as ordered fields."""

from __future__ import annotations

from typing import Any

from . import menus
from .scenes import ticket_for
from .state import Phone
from .world import World

Fields = dict[str, Any]


def _head(world: World, phone: Phone, kind: str) -> Fields:
    return {
        "ToUserName": world.config.account_id,
        "FromUserName": phone.openid,
        "CreateTime": int(world.now),
        "MsgType": kind,
    }


def text(world: World, phone: Phone, content: str, menu_message: str = "") -> Fields:
    """A text; `menu_message` is the id of the link in a message that sent it."""
    fields = {**_head(world, phone, "text"), "Content": content, "MsgId": world.next_id()}
    return fields | ({"bizmsgmenuid": menu_message} if menu_message else {})


def image(world: World, phone: Phone, media: str) -> Fields:
    """A picture: its address on the simulator and its media id."""
    url = f"{world.config.origin}/mmbiz_pic/{media}/0"
    return {**_head(world, phone, "image"), "PicUrl": url, "MediaId": media, "MsgId": world.next_id()}


def voice(world: World, phone: Phone, media: str) -> Fields:
    """A voice, in a format of its own kind."""
    form = "mp3" if world.state.media[media]["mime"] == "audio/mpeg" else "amr"
    heard = {"Recognition": world.state.settings.recognition} if world.state.settings.recognition else {}
    return {**_head(world, phone, "voice"), "MediaId": media, "Format": form, **heard, "MsgId": world.next_id()}


def video(world: World, phone: Phone, media: str, thumb: str, kind: str) -> Fields:
    """A video, or a short one: `kind` is video or shortvideo."""
    return {**_head(world, phone, kind), "MediaId": media, "ThumbMediaId": thumb, "MsgId": world.next_id()}


def location(world: World, phone: Phone, place: Fields) -> Fields:
    """A place: latitude, longitude, scale and label."""
    facts = {"Location_X": str(place["latitude"]), "Location_Y": str(place["longitude"]), "Scale": str(place["scale"])}
    return {**_head(world, phone, "location"), **facts, "Label": place["label"], "MsgId": world.next_id()}


def link(world: World, phone: Phone, article: Fields) -> Fields:
    """A shared article."""
    facts = {"Title": article["title"], "Description": article["description"], "Url": article["url"]}
    return {**_head(world, phone, "link"), **facts, "MsgId": world.next_id()}


def chosen(world: World, phone: Phone, button: Fields, more: Fields) -> Fields:
    """A menu entry with which pictures or a place were chosen; what was chosen follows as a message of its own."""
    return {**_head(world, phone, "event"), "Event": button["type"], "EventKey": button["key"], **more}


def mini_program(world: World, phone: Phone, button: Fields) -> Fields:
    """A menu entry that opens a mini program."""
    menu_id = (menus.shown_to(world.state, phone) or {}).get("menuid", menus.DEFAULT_ID)
    head = _head(world, phone, "event")
    return {**head, "Event": "view_miniprogram", "EventKey": button["pagepath"], "MenuId": menu_id}


def subscribe(world: World, phone: Phone, scene: str = "") -> Fields:
    """A new follower, by a scene code when `scene` is given."""
    more = {"EventKey": f"qrscene_{scene}", "Ticket": ticket_for(world.state, scene)} if scene else {"EventKey": ""}
    return {**_head(world, phone, "event"), "Event": "subscribe", **more}


def unsubscribe(world: World, phone: Phone) -> Fields:
    """A follower who left."""
    return {**_head(world, phone, "event"), "Event": "unsubscribe", "EventKey": ""}


def scan(world: World, phone: Phone, scene: str) -> Fields:
    """A follower scanned a scene code."""
    return {
        **_head(world, phone, "event"),
        "Event": "SCAN",
        "EventKey": scene,
        "Ticket": ticket_for(world.state, scene),
    }


def menu(world: World, phone: Phone, button: Fields) -> Fields:
    """A tap on a click or view entry."""
    event = {"click": "CLICK", "view": "VIEW"}[button["type"]]
    key = button.get("key") or button.get("url", "")
    shown = menus.shown_to(world.state, phone) or {}
    more = {"MenuId": shown["menuid"]} if event == "VIEW" and shown else {}
    return {**_head(world, phone, "event"), "Event": event, "EventKey": key, **more}


def scancode(world: World, phone: Phone, button: Fields, kind: str, result: str) -> Fields:
    """A scan through a scancode_push or scancode_waitmsg entry."""
    info = {"ScanType": kind, "ScanResult": result}
    return {**_head(world, phone, "event"), "Event": button["type"], "EventKey": button["key"], "ScanCodeInfo": info}


def anything(world: World, phone: Phone, given: Fields) -> Fields:
    """A message or event of any kind, with what all of them carry added."""
    kind = str(given.get("MsgType", "event" if "Event" in given else "text"))
    fields = _head(world, phone, kind) | ({} if kind == "event" else {"MsgId": world.next_id()})
    return fields | {name: value for name, value in given.items() if name not in ("ToUserName", "FromUserName")}


def notice_popup(world: World, phone: Phone, choices: dict[str, Any], scene: int) -> Fields:
    """What a person chose when a page asked for notices."""
    entries = [
        {"TemplateId": template, "SubscribeStatusString": str(choice), "PopupScene": scene}
        for template, choice in choices.items()
    ]
    head = _head(world, phone, "event")
    return {**head, "Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": entries}}


def notice_refused(world: World, phone: Phone, template: str) -> Fields:
    """A person took back in the settings what they had agreed to."""
    entry = {"TemplateId": template, "SubscribeStatusString": "reject"}
    head = _head(world, phone, "event")
    return {**head, "Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": [entry]}}


def notice_sent(world: World, phone: Phone, template: str, msgid: int) -> Fields:
    """What became of a notice."""
    entry = {"TemplateId": template, "MsgID": msgid, "ErrorCode": 0, "ErrorStatus": "success"}
    head = _head(world, phone, "event")
    return {**head, "Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": [entry]}}


def template_finished(world: World, phone: Phone, msgid: int, status: str) -> Fields:
    """What became of a template message."""
    return {**_head(world, phone, "event"), "Event": "TEMPLATESENDJOBFINISH", "MsgID": msgid, "Status": status}
