"""What a parent reads in the chat."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
import segno
from PIL import Image
from sqlalchemy import select, update
from sqlalchemy import text as sql
from sqlalchemy.orm import Session

from booking.queries import Visit
from config import clock, policy
from config.settings import Settings
from notifications.models import Notification, NotificationStatus
from people.models import Account, GuardianStatus, RelatedPerson
from tests.pictures import picture as plain_picture
from tests.product import Hospital, visit_ahead
from tests.wechat.conftest import OPENID, Api, Room, make_room

ORIGIN = "http://127.0.0.1:8000"


def text(content: str, **more: Any) -> dict[str, Any]:
    return {"MsgType": "text", "Content": content, "MsgId": content, **more}


def scan(code: str, openid: str = OPENID, key: str = "scan-child") -> dict[str, Any]:
    info = {"ScanType": "qrcode", "ScanResult": code}
    event = {"MsgType": "event", "Event": "scancode_waitmsg", "EventKey": key, "ScanCodeInfo": info}
    return {**event, "FromUserName": openid}


def links(answer: str) -> list[str]:
    """The paths an answer links to; every link is to ours."""
    found = re.findall(r'<a href="([^"]*)">[^<]+</a>', answer)
    assert all(link.startswith(ORIGIN + "/") for link in found)
    return [link.removeprefix(ORIGIN) for link in found]


def account(session: Session, openid: str = OPENID) -> Account:
    session.expire_all()
    return session.scalars(select(Account).where(Account.openid == openid)).one()


FOLLOW = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
LEAVE = {"MsgType": "event", "Event": "unsubscribe", "EventKey": ""}


def test_welcome(room: Room, session: Session) -> None:
    answer = room.says(FOLLOW)
    assert answer.startswith("您好，欢迎来到北京儿童医院互联网诊疗")
    assert links(answer) == ["/children/bind", "/internet-diagnosis"]
    assert "120" in answer
    assert account(session).followed


def test_leaving_erases_the_profile(room: Room, session: Session) -> None:
    room.says(FOLLOW)
    room.says(text("English"))
    assert account(session).locale == "en"
    assert room.says(LEAVE) == ""
    left = account(session)
    assert (left.followed, left.locale) == (False, None)
    assert room.says({**FOLLOW, "CreateTime": 1714112999}).startswith("您好")


@pytest.mark.parametrize("name", ["user_authorization_revoke", "user_authorization_cancellation"])
def test_taking_back_the_profile_erases_it_and_keeps_the_record(
    room: Room, session: Session, hospital: Hospital, name: str
) -> None:
    mother = account(session, "o-mother")
    mother.unionid, mother.locale = "u-1", "en"
    session.commit()
    told = {"MsgType": "event", "Event": name, "FromUserName": "fromuser", "OpenID": "o-mother", "RevokeInfo": "301"}
    assert room.says(told) == ""
    after = account(session, "o-mother")
    assert (after.unionid, after.locale, after.followed) == (None, None, True)
    bound = select(RelatedPerson.status).where(RelatedPerson.account_id == after.id)
    assert set(session.scalars(bound)) == {GuardianStatus.ACTIVE}
    assert room.says({**told, "OpenID": "oNobodyKnowsMe"}) == ""
    assert session.scalar(select(Account).where(Account.openid.in_(["oNobodyKnowsMe", "fromuser"]))) is None


def test_people_answer_when_the_hospital_says_so(room: Room, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wednesday 25 November 2026: from 8 to 17 in Beijing what we do not understand goes to a person."""
    moment = [datetime(2026, 11, 25, 2, 0, tzinfo=UTC)]
    monkeypatch.setattr("wechat.handlers.now", lambda: moment[0])
    numbers = count(100)

    def passed_on(fields: dict[str, Any]) -> bool:
        answer = room.opened(room.post({**fields, "MsgId": next(numbers)}))
        return "<MsgType><![CDATA[transfer_customer_service]]></MsgType>" in answer

    unclear, person = text("孩子今天没胃口"), text("人工")
    assert not passed_on(unclear)  # off unless the hospital says
    policy.change(session, "chat_staffed", True, author="t", valid_from=datetime(2026, 1, 1, tzinfo=UTC))
    session.commit()
    assert all(passed_on(fields) for fields in (unclear, person, {"MsgType": "voice", "MediaId": "m"}))
    clicked = {"MsgType": "event", "Event": "CLICK", "EventKey": "x"}
    assert not any(passed_on(fields) for fields in (text("抽搐"), text("挂号"), text("帮助"), text("1234567"), clicked))
    for hour, day in ((9, 25), (2, 28)):  # 17:00, and a Saturday
        moment[0] = datetime(2026, 11, day, hour, 0, tzinfo=UTC)
        assert not passed_on(unclear)


@pytest.mark.parametrize(
    "fields",
    [
        text("孩子抽搐了怎么办，我想挂号"),
        text("孩子 抽，搐 了"),
        text("嘴唇發青"),
        text("Ｎｏｔ  ＢＲＥＡＴＨＩＮＧ"),
        text("he can’t breathe"),
        text("help! SEIZURE"),
        {"MsgType": "voice", "Recognition": "宝宝叫不醒。", "MsgId": 1},
        {"MsgType": "location", "Label": "这里孩子呼吸困难", "MsgId": 1},
        {"MsgType": "link", "Title": "孩子发紫", "MsgId": 1},
        {"MsgType": "never-seen", "Content": "救命", "MsgId": 1},
    ],
)
def test_emergency_words_come_first(room: Room, fields: dict[str, Any]) -> None:
    answer = room.says(fields)
    assert answer.startswith("【紧急】")
    for part in ("拨打120", "南礼士路56号", "没有人值守", "call 120", "Nobody watches this chat", "010-"):
        assert part in answer


def test_emergency_answer_needs_no_database(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.database._sessions", None)
    assert room.says(text("抽搐")).startswith("【紧急】")


@pytest.mark.parametrize("content", ["I am studying", "咳嗽三天了", "挂号", "1234567", "发烧38度"])
def test_no_false_alarm(room: Room, content: str) -> None:
    assert "【紧急】" not in room.says(text(content))


@pytest.mark.parametrize(
    ("content", "first"),
    [
        ("挂号", "/internet-diagnosis"),
        ("我想预约明天", "/internet-diagnosis"),
        ("預約", "/internet-diagnosis"),
        ("Book", "/internet-diagnosis"),
        ("我的预约", "/visits"),
        ("怎么取消预约？", "/visits"),
        ("ｍｙ　ｖｉｓｉｔｓ", "/visits"),
        ("cancel my appointment please", "/visits"),
        ("我的孩子", "/children"),
        ("怎么绑定二维码", "/children"),
        ("bookkeeping", "/internet-diagnosis"),  # the help answer's first link
    ],
)
def test_words(room: Room, content: str, first: str) -> None:
    assert links(room.says(text(content)))[0] == first


@pytest.mark.parametrize(
    "fields",
    [
        text("帮助"),
        text("help"),
        text("谢谢医生"),
        text("🙏"),
        text(""),
        {"MsgType": "voice", "MediaId": "m", "MsgId": 1},
        {"MsgType": "video", "MsgId": 1},
        {"MsgType": "never-seen", "MsgId": 1},
        text("人工"),
        {"MsgType": "event", "Event": "CLICK", "EventKey": "of-an-older-menu"},
        {"MsgType": "event", "Event": "SCAN", "EventKey": "a-code-of-before", "Ticket": "t"},
    ],
)
def test_a_way_forward_for_everything_else(room: Room, fields: dict[str, Any]) -> None:
    answer = room.says(fields)
    assert links(answer) == ["/internet-diagnosis", "/visits", "/children", "/help"]
    assert "没有人值守" in answer


@pytest.mark.parametrize(
    "event",
    [
        "VIEW",
        "LOCATION",
        "scancode_push",
        "never_seen",
        "view_miniprogram",
        "pic_weixin",
        "location_select",
        "MASSSENDJOBFINISH",
        "subscribe_msg_popup_event",
        "user_info_modified",
        "naming_verify_fail",
        "user_get_card",
    ],
)
def test_events_by_themselves_are_not_answered(room: Room, event: str) -> None:
    assert room.says({"MsgType": "event", "Event": event, "EventKey": "x"}) == ""


def test_language(room: Room, session: Session) -> None:
    assert "English" in room.says(text("语言"))
    assert room.says(text("English")).startswith("From now on")
    assert room.says(text("my visits")).endswith("see your coming visits, or cancel one.")
    assert room.says(text("中文")).startswith("以后我们用中文")
    assert account(session).locale == "zh_CN"


@pytest.mark.parametrize("number", ["PQR-0001", "pqr 0001", "BCH00012345", "13800001234", "１２３４５６"])
def test_a_number_is_never_enough(room: Room, hospital: Hospital, number: str) -> None:
    """Known and unknown numbers get the same answer."""
    answer = room.says(text(number))
    assert answer == room.says(text("ZZ999999"))
    assert links(answer) == ["/children/bind"]


def test_scan_of_my_own_child(room: Room, hospital: Hospital) -> None:
    answer = room.says(scan("QR-0001", "o-mother"))
    assert answer.startswith("王**已在您的孩子中")
    assert links(answer) == ["/internet-diagnosis", "/visits"]


def bind_answer(room: Room, code: str, openid: str) -> tuple[str, str]:
    """The answer without its ticket, and the code that the ticket stands for."""
    answer = room.says(scan(code, openid))
    (link,) = links(answer)
    path, ticket = link.split("?ticket=")
    assert path == "/children/bind"
    assert code not in answer
    return answer.replace(ticket, ""), str(room.service.tickets.get(ticket))


def test_other_peoples_and_unknown_codes_look_the_same(room: Room, hospital: Hospital) -> None:
    others, other_code = bind_answer(room, "QR-0003", "o-mother")
    unknown, unknown_code = bind_answer(room, "no such code", "o-mother")
    stranger, _ = bind_answer(room, "QR-0001", "oNobodyKnowsMe")
    assert others == unknown == stranger
    assert (other_code, unknown_code) == ("QR-0003", "no such code")
    assert "李" not in others


def test_scan_of_a_child_i_am_paused_from(room: Room, hospital: Hospital, session: Session) -> None:
    binding = session.scalars(select(RelatedPerson).where(RelatedPerson.patient_id == hospital.other_child.id)).one()
    session.execute(
        RelatedPerson.__table__.update()  # type: ignore[attr-defined]
        .where(RelatedPerson.id == binding.id)
        .values(status=GuardianStatus.FROZEN)
    )
    session.commit()
    answer = room.says(scan("QR-0003", "o-stranger"))
    assert "暂停" in answer
    assert "李" not in answer


def test_scan_without_redis(wechat_settings: Settings, no_store: Any, hospital: Hospital) -> None:
    room = make_room(wechat_settings, no_store)
    assert links(room.says(scan("QR-0003", "o-mother"))) == ["/children/bind"]


def test_scan_of_another_menu_key_is_no_childs_code(room: Room) -> None:
    assert links(room.says(scan("QR-0001", key="other")))[0] == "/internet-diagnosis"


def qr_picture(content: str) -> bytes:
    made = io.BytesIO()
    segno.make(content).save(made, kind="png", scale=6)
    return made.getvalue()


def picture(api: Api, **more: Any) -> dict[str, Any]:
    return {"MsgType": "image", "PicUrl": f"{api.origin}/pic/1", "MsgId": 9, **more}


def test_picture_of_a_code(room: Room, api: Api, hospital: Hospital) -> None:
    api.routes["/pic/1"] = qr_picture("QR-0001")
    assert room.says(picture(api, FromUserName="o-mother")).startswith("王**")
    assert "?ticket=" in links(room.says(picture(api, MsgId=10)))[0]


def test_picture_without_a_code(room: Room, api: Api) -> None:
    made = io.BytesIO()
    Image.new("RGB", (50, 50)).save(made, "PNG")
    api.routes["/pic/1"] = made.getvalue()
    assert "没有找到二维码" in room.says(picture(api))
    api.routes["/pic/1"] = b"not a picture"
    assert "没有找到二维码" in room.says(picture(api, MsgId=11))


def test_picture_that_cannot_be_had(room: Room, api: Api) -> None:
    api.routes["/pic/1"] = 404
    assert "再发一次" in room.says(picture(api))
    assert "再发一次" in room.says(picture(api, MsgId=12, PicUrl="http://169.254.169.254/latest"))
    assert "再发一次" in room.says(picture(api, MsgId=13, PicUrl=""))


@pytest.fixture
def coming(session: Session, hospital: Hospital, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Visit:
    """A visit of the mother's child, two days after the moment at which the hospital stands; WeChat's clock goes on."""
    monkeypatch.setattr(clock, "_shift", now - clock.real_now())
    return visit_ahead(session, hospital, hospital.child, now)


def fetches(session: Session) -> list[dict[str, Any]]:
    """The pictures that the worker is to fetch."""
    rows = session.execute(sql("select args from procrastinate_jobs where task_name = 'consultation.fetch'"))
    return [args for (args,) in rows]


def test_a_picture_for_a_coming_visit(
    room: Room, api: Api, session: Session, hospital: Hospital, coming: Visit, now: datetime
) -> None:
    visit_ahead(session, hospital, hospital.sibling, now, ahead=5)
    api.routes["/pic/1"] = plain_picture()
    said = room.says(picture(api, FromUserName="o-mother", MediaId="m-1"))
    assert said.startswith("正在为王**")
    assert links(said) == [f"/visits/{coming.appointment.id}#pictures"]
    assert "没有人值守" in said
    (job,) = fetches(session)
    assert job.pop("message")
    assert job == {
        "account_id": str(hospital.mother.id),
        "appointment_id": str(coming.appointment.id),
        "media_id": "m-1",
        "locale": "zh_CN",
    }
    api.routes["/pic/1"] = 404  # too slow for the webhook: the worker has time
    assert room.says(picture(api, FromUserName="o-mother", MediaId="m-2", MsgId=10)).startswith("正在为王**")
    assert len(fetches(session)) == 2


def test_a_code_is_read_though_a_visit_is_coming(room: Room, api: Api, session: Session, coming: Visit) -> None:
    api.routes["/pic/1"] = qr_picture("QR-0001")
    assert room.says(picture(api, FromUserName="o-mother", MediaId="m-1")).startswith("王**已在您的孩子中")
    assert fetches(session) == []


def test_a_picture_of_somebody_without_a_coming_visit(
    room: Room, api: Api, session: Session, hospital: Hospital, coming: Visit
) -> None:
    api.routes["/pic/1"] = plain_picture()
    for number, openid in enumerate(("o-stranger", "o-doctor", OPENID), start=20):
        said = room.says(picture(api, FromUserName=openid, MediaId="m", MsgId=number))
        assert "没有找到二维码" in said
        assert "挂号之后再发" in said
    session.execute(update(RelatedPerson).values(status=GuardianStatus.FROZEN))
    session.commit()
    assert "没有找到二维码" in room.says(picture(api, FromUserName="o-mother", MediaId="m", MsgId=30))
    assert fetches(session) == []


def test_a_message_that_arrived(room: Room, session: Session, hospital: Hospital, now: datetime) -> None:
    sent = Notification(
        account_id=hospital.mother.id,
        message="appointment-booked",
        source_id=hospital.child.id,
        data={},
        path="/visits",
        status=NotificationStatus.SENT,
        due_at=now,
        created_at=now,
        channel_id="7001",
    )
    session.add(sent)
    session.commit()
    done = {"MsgType": "event", "Event": "TEMPLATESENDJOBFINISH", "MsgID": "7001", "Status": "Success"}
    assert room.says(done) == ""
    session.expire_all()
    assert sent.status is NotificationStatus.DELIVERED
