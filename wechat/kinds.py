"""Which value each type of message and event becomes: two tables by WeChat's name, in lower case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from wechat import messages as m

Fields = dict[str, Any]
Builder = Callable[[Fields, dict[str, Any]], m.Inbound]
NOTICE_EVENTS = ("SubscribeMsgPopupEvent", "SubscribeMsgChangeEvent", "SubscribeMsgSentEvent")


def text_at(data: Any, name: str, *deeper: str) -> str:
    """The text at a path of elements; empty when it is missing or not plain text."""
    found = data.get(name) if isinstance(data, dict) else None
    for inner in deeper:
        found = found.get(inner) if isinstance(found, dict) else None
    return found if isinstance(found, str) else ""


def other_event(data: Fields, common: dict[str, Any]) -> m.Inbound:
    """An event of no known name."""
    return m.OtherEvent(**common, event=text_at(data, "Event").lower())


def other_message(data: Fields, common: dict[str, Any]) -> m.Inbound:
    """A message of no known type."""
    return m.OtherMessage(**common, kind=text_at(data, "MsgType").lower())


def _number(data: Fields, *path: str) -> float | None:
    try:
        value = float(text_at(data, *path))
    except ValueError:
        return None
    return value if isfinite(value) else None


def _whole(data: Fields, name: str) -> int | None:
    text = text_at(data, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _list(data: Any, *path: str) -> list[Any]:
    """The elements at a path, of which there may be none, one or many."""
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data if isinstance(data, list) else [] if data is None else [data]


def _of(kind: Callable[..., m.Inbound], **names: str) -> Builder:
    """A value whose fields are elements of these names."""
    return lambda data, common: kind(**common, **{field: text_at(data, name) for field, name in names.items()})


def _video(*, short: bool) -> Builder:
    return lambda data, common: m.Video(
        **common, media_id=text_at(data, "MediaId"), thumb_media_id=text_at(data, "ThumbMediaId"), short=short
    )


def _place(data: Fields, common: dict[str, Any]) -> m.Inbound:
    return m.Place(**common, latitude=_number(data, "Location_X"), longitude=_number(data, "Location_Y"))


def _located(data: Fields, common: dict[str, Any]) -> m.Inbound:
    return m.Located(
        **common,
        latitude=_number(data, "Latitude"),
        longitude=_number(data, "Longitude"),
        precision=_number(data, "Precision"),
    )


def _scan(kind: Callable[..., m.Inbound]) -> Builder:
    def build(data: Fields, common: dict[str, Any]) -> m.Inbound:
        code = text_at(data, "ScanCodeInfo", "ScanResult")
        if text_at(data, "ScanCodeInfo", "ScanType") == "barcode":
            code = code.rpartition(",")[2]  # a bar code comes as "CODE_128,value"
        return kind(**common, key=text_at(data, "EventKey"), code=code.strip())

    return build


def _pictures(source: str) -> Builder:
    def build(data: Fields, common: dict[str, Any]) -> m.Inbound:
        items = _list(data, "SendPicsInfo", "PicList", "item")
        digests = tuple(digest for item in items if (digest := text_at(item, "PicMd5Sum")))
        return m.PicturesChosen(**common, key=text_at(data, "EventKey"), source=source, digests=digests)  # type: ignore[arg-type]

    return build


def _place_chosen(data: Fields, common: dict[str, Any]) -> m.Inbound:
    return m.PlaceChosen(
        **common,
        key=text_at(data, "EventKey"),
        latitude=_number(data, "SendLocationInfo", "Location_X"),
        longitude=_number(data, "SendLocationInfo", "Location_Y"),
        name=text_at(data, "SendLocationInfo", "Poiname"),
    )


def _mass_sent(data: Fields, common: dict[str, Any]) -> m.Inbound:
    return m.MassSendFinished(
        **common,
        message_id=text_at(data, "MsgID") or text_at(data, "MsgId"),
        status=text_at(data, "Status"),
        sent=_whole(data, "SentCount") or 0,
        failed=_whole(data, "ErrorCount") or 0,
    )


def _answered(name: str, *, changed: bool) -> Builder:
    def build(data: Fields, common: dict[str, Any]) -> m.Inbound:
        answers = tuple(
            m.SubscriptionAnswer(text_at(item, "TemplateId"), text_at(item, "SubscribeStatusString") == "accept")
            for item in _list(data, name, "List")
        )
        return m.SubscriptionsAnswered(**common, answers=answers, changed=changed)

    return build


def notices_told(data: Fields) -> tuple[str, ...]:
    """What tells events about notices apart: two choices, or two results, can share a second."""
    items = [item for name in NOTICE_EVENTS for item in _list(data, name, "List")]
    return tuple(text_at(item, name) for item in items for name in ("TemplateId", "SubscribeStatusString", "MsgID"))


def _subscriptions_sent(data: Fields, common: dict[str, Any]) -> m.Inbound:
    results = tuple(
        m.SubscriptionResult(*(text_at(item, name) for name in ("TemplateId", "MsgID", "ErrorCode")))
        for item in _list(data, "SubscribeMsgSentEvent", "List")
    )
    return m.SubscriptionsSent(**common, results=results)


def _verified(step: str, *, succeeded: bool = False) -> Builder:
    def build(data: Fields, common: dict[str, Any]) -> m.Inbound:
        times = {"expires_at": _whole(data, "ExpiredTime"), "failed_at": _whole(data, "FailTime")}
        reason = text_at(data, "FailReason")
        return m.AccountVerified(**common, step=step, succeeded=succeeded, reason=reason, **times)  # type: ignore[arg-type]

    return build


MESSAGES: Mapping[str, Builder] = {
    "text": _of(m.Text, menu_id="bizmsgmenuid"),
    "image": _of(m.Picture, url="PicUrl", media_id="MediaId"),
    "voice": _of(m.Voice, media_id="MediaId", format="Format"),
    "video": _video(short=False),
    "shortvideo": _video(short=True),
    "location": _place,
    "link": _of(m.Link, url="Url"),
}
EVENTS: Mapping[str, Builder] = {
    "subscribe": _of(m.Followed),
    "subscribe_scan": _of(
        m.Followed, scene="EventKey", ticket="Ticket"
    ),  # with EventKey qrscene_X, see wechat/inbound.py
    "subscribe_scan_product": _of(m.Followed),  # and for a product's bar code
    "unsubscribe": _of(m.Unfollowed),
    "scan": _of(m.SceneScanned, scene="EventKey", ticket="Ticket"),
    "location": _located,
    "click": _of(m.Clicked, key="EventKey"),
    "view": _of(m.PageOpened, url="EventKey", menu_id="MenuId"),
    "view_miniprogram": _of(m.MiniProgramOpened, path="EventKey", menu_id="MenuId"),
    "scancode_waitmsg": _scan(m.Scanned),
    "scancode_push": _scan(m.ScanShown),
    "pic_sysphoto": _pictures("camera"),
    "pic_photo_or_album": _pictures("camera-or-album"),
    "pic_weixin": _pictures("album"),
    "location_select": _place_chosen,
    "templatesendjobfinish": _of(m.TemplateFinished, message_id="MsgID", status="Status"),
    "masssendjobfinish": _mass_sent,
    "subscribe_msg_popup_event": _answered("SubscribeMsgPopupEvent", changed=False),
    "subscribe_msg_change_event": _answered("SubscribeMsgChangeEvent", changed=True),
    "subscribe_msg_sent_event": _subscriptions_sent,
    "user_info_modified": _of(m.ProfileChanged),
    "user_authorization_revoke": _of(m.AuthorizationRevoked, info="RevokeInfo"),
    "user_authorization_cancellation": _of(m.AuthorizationCancelled),
    "qualification_verify_success": _verified("qualification", succeeded=True),
    "qualification_verify_fail": _verified("qualification"),
    "naming_verify_success": _verified("naming", succeeded=True),
    "naming_verify_fail": _verified("naming"),
    "annual_renew": _verified("renewal"),
    "verify_expired": _verified("expiry"),
}
