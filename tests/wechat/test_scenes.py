"""QR codes with a scene: asked of WeChat as it wants it, and what the chat says to whoever scans one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.policy import Policy
from people import computers, invitations
from people.computers import CodeStatus, ComputerCode
from people.models import Account
from people.scenes import NoSceneCode
from tests.product import Hospital
from tests.wechat.conftest import OPENID, Api, Room
from wechat.scenes import LONGEST

CREATE = "/cgi-bin/qrcode/create"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/124.0.0.0 Safari/537.36"


def test_a_code_is_asked_for(room: Room, api: Api) -> None:
    api.routes[CREATE] = {"ticket": "t", "expire_seconds": 120, "url": "http://weixin.example/q/1"}
    assert room.service.scenes.create("desk-1", 120) == "http://weixin.example/q/1"
    assert api.made(CREATE)[0].json == {
        "expire_seconds": 120,
        "action_name": "QR_STR_SCENE",
        "action_info": {"scene": {"scene_str": "desk-1"}},
    }
    room.service.scenes.create("invite-1", 40 * 86400)
    assert api.made(CREATE)[1].json["expire_seconds"] == LONGEST


@pytest.mark.parametrize("answer", [{"errcode": 45009, "errmsg": "reach max"}, {"ticket": "t"}, 500])
def test_no_code_is_one_refusal(room: Room, api: Api, answer: Any) -> None:
    api.routes[CREATE] = answer
    with pytest.raises(NoSceneCode):
        room.service.scenes.create("desk-1", 120)


def test_scenes_are_short_enough_and_never_the_same() -> None:
    made = {new() for new in (computers.new_scene, invitations.new_scene) for _ in range(100)}
    assert len(made) == 200
    assert max(map(len, made)) <= 64


def invited(session: Session, hospital: Hospital, now: datetime) -> str:
    scene = invitations.new_scene()
    invitations.create(session, hospital.colleague.code, scene, "http://w/q", by=None, now=now, policy=Policy())
    session.commit()
    return scene


def scanned(scene: str) -> dict[str, Any]:
    return {"MsgType": "event", "Event": "SCAN", "EventKey": scene, "Ticket": "t"}


def followed(scene: str) -> dict[str, Any]:
    return {"MsgType": "event", "Event": "subscribe", "EventKey": f"qrscene_{scene}", "Ticket": "t"}


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch, now: datetime) -> datetime:
    """The webhook's moment is the test's."""
    monkeypatch.setattr("wechat.handlers.now", lambda: now)
    return now


@pytest.mark.parametrize("push", [scanned, followed])
def test_an_invitation_is_scanned(
    room: Room, session: Session, hospital: Hospital, moment: datetime, push: Any
) -> None:
    scene = invited(session, hospital, moment)
    answer = room.says(push(scene))
    assert "赵医生" in answer
    assert "/desk" in answer
    session.expire_all()
    account = session.scalars(select(Account).where(Account.openid == OPENID)).one()
    assert hospital.colleague.id is not None
    assert session.get_one(type(hospital.colleague), hospital.colleague.id).account_id == account.id
    assert account.followed == (push is followed)


def test_a_worthless_invitation_says_so(room: Room, session: Session, hospital: Hospital, moment: datetime) -> None:
    assert "邀请已使用或已过期" in room.says(scanned("invite-guessed"))


def test_a_computers_code_is_scanned(room: Room, session: Session, hospital: Hospital, moment: datetime) -> None:
    room.says(scanned(invited(session, hospital, moment)))
    scene = computers.new_scene()
    code, _ = computers.show(session, scene, "http://w/q", CHROME, moment)
    session.commit()
    answer = room.says(scanned(scene))
    assert f"/desk/confirm/{code.id}" in answer
    assert "Chrome, Windows，10:00" in answer
    assert room.says({**scanned(scene), "FromUserName": "oSomebodyElse00000001"}).startswith("二维码已使用或已过期")
    session.expire_all()
    assert session.scalars(select(ComputerCode.status)).one() == CodeStatus.SPOILT


def test_a_computers_code_is_nothing_for_a_parent(
    room: Room, session: Session, hospital: Hospital, moment: datetime
) -> None:
    scene = computers.new_scene()
    computers.show(session, scene, "http://w/q", CHROME, moment)
    session.commit()
    assert "仅供本院工作人员使用" in room.says(scanned(scene))


def test_other_scenes_are_not_ours(room: Room) -> None:
    assert "绑定孩子" in room.says(followed("poster-7"))
    assert "您可以" in room.says(scanned("poster-7"))
