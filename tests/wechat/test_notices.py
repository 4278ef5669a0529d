"""One-time notices in WeChat's pushes: agreements are counted, results are noted with the message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from notifications import results
from notifications.agreements import left
from notifications.models import Notification, NotificationStatus
from people.models import Account
from tests.notifications.rows import queued
from tests.product import account
from tests.wechat.conftest import OPENID, Room

AT = 1714112440


def event(name: str, holder: str, entries: dict[str, str] | list[dict[str, str]], at: int = AT) -> dict[str, Any]:
    return {"MsgType": "event", "Event": name, "CreateTime": at, holder: {"List": entries}}


def popup(choice: str, at: int = AT) -> dict[str, Any]:
    entry = {"TemplateId": "NTC1", "SubscribeStatusString": choice, "PopupScene": "1"}
    return event("subscribe_msg_popup_event", "SubscribeMsgPopupEvent", entry, at)


@pytest.fixture
def parent(session: Session) -> Account:
    """Who wrote, known to us."""
    made = account(session, OPENID, datetime.now(UTC))
    session.commit()
    return made


def test_a_yes_counts_once_whatever_is_pushed_again(room: Room, session: Session, parent: Account) -> None:
    room.says(popup("reject"))  # in the same second: an event of its own
    for nonce in ("a", "b"):
        room.post(popup("accept"), nonce=nonce)
    room.says(popup("reject"))
    assert left(session, parent.id) == {"NTC1": 1}
    room.says(popup("accept", AT + 2))
    assert left(session, parent.id) == {"NTC1": 2}


def test_refusing_in_the_settings_ends_what_was_given_before(room: Room, session: Session, parent: Account) -> None:
    room.says(popup("accept"))
    room.says(popup("accept", AT + 20))
    change = {"TemplateId": "NTC1", "SubscribeStatusString": "reject"}
    room.says(event("subscribe_msg_change_event", "SubscribeMsgChangeEvent", change, AT + 10))
    assert left(session, parent.id) == {"NTC1": 1}


def test_a_stranger_s_yes_is_let_go(room: Room) -> None:
    assert room.says(popup("accept")) == ""


def sent(session: Session, parent: Account, channel_id: str) -> Notification:
    row = queued(session, parent, datetime.now(UTC) - timedelta(seconds=1))
    row.status, row.channel_id = NotificationStatus.SENT, channel_id
    row.claimed_at = row.created_at
    session.commit()
    return row


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("0", NotificationStatus.DELIVERED, None),
        ("43101", NotificationStatus.FAILED, "no-subscription"),
        ("47003", NotificationStatus.FAILED, "not-delivered"),
    ],
)
def test_how_a_notice_ended(
    room: Room, session: Session, parent: Account, code: str, status: NotificationStatus, error: str | None
) -> None:
    told = sent(session, parent, "9001")
    entry = {"TemplateId": "NTC1", "MsgID": "9001", "ErrorCode": code, "ErrorStatus": "x"}
    assert room.says(event("subscribe_msg_sent_event", "SubscribeMsgSentEvent", entry)) == ""
    session.expire_all()
    assert (told.status, told.error) == (status, error)


def test_a_result_finds_the_notice_whose_answer_held_no_id(session: Session, parent: Account) -> None:
    told, known = sent(session, parent, ""), sent(session, parent, "1")
    now = datetime.now(UTC)
    assert not results.delivered(session, "9002", "success", now, openid=OPENID), "it may be one not yet noted"
    assert results.delivered_later(session, "9002", "success", now, parent.id)
    assert not results.delivered_later(session, "9003", "success", now, parent.id), "the other one has its own id"
    assert (told.status, known.status) == (NotificationStatus.DELIVERED, NotificationStatus.SENT)
