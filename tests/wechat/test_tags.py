"""The staff's tag: made when missing, given when bound, taken when unbound, given again after a new follow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from people import staff
from people.staff import TAG
from tests.product import Hospital
from tests.wechat.conftest import Answer, Api, Room
from wechat.errors import BadTag, WeChatError
from wechat.tags import STAFF
from worker import jobs

GET, CREATE = "/cgi-bin/tags/get", "/cgi-bin/tags/create"
GIVE, TAKE = "/cgi-bin/tags/members/batchtagging", "/cgi-bin/tags/members/batchuntagging"
OK = {"errcode": 0, "errmsg": "ok"}


@pytest.fixture(autouse=True)
def answers(api: Api) -> None:
    api.routes.update({GET: {"tags": [{"id": 2, "name": "星标组", "count": 0}]}, GIVE: OK, TAKE: OK})
    api.routes[CREATE] = {"tag": {"id": 101, "name": STAFF}}


def test_a_missing_tag_is_made(room: Room, api: Api) -> None:
    room.service.tags.tag("o-1")
    assert [call.json for call in api.made(CREATE)] == [{"tag": {"name": STAFF}}]
    assert [call.json for call in api.made(GIVE)] == [{"openid_list": ["o-1"], "tagid": 101}]


def test_a_tag_made_by_somebody_else_at_the_same_time(room: Room, api: Api) -> None:
    lists: Iterator[Answer] = iter([{"tags": []}, {"tags": [{"id": 7, "name": STAFF}]}])
    api.routes[GET] = lambda _: next(lists)
    api.routes[CREATE] = {"errcode": 45157, "errmsg": "invalid tag name"}
    assert room.service.tags.ensure(STAFF) == 7
    lists = iter([{"tags": []}, {"tags": []}])
    with pytest.raises(BadTag):
        room.service.tags.ensure(STAFF)


def test_who_does_not_follow_gets_it_later_and_other_errors_are_not_swallowed(room: Room, api: Api) -> None:
    api.routes[GIVE] = {"errcode": 49003, "errmsg": "not your follower"}
    room.service.tags.tag("o-1")
    api.routes[GIVE] = {"errcode": 48001, "errmsg": "api unauthorized"}
    with pytest.raises(WeChatError):
        room.service.tags.tag("o-1")


def test_no_tag_nothing_to_take(room: Room, api: Api) -> None:
    room.service.tags.untag("o-1")
    assert api.made(TAKE) == []


def queued(session: Session) -> list[str]:
    rows = session.execute(
        text("select args->>'account_id' from procrastinate_jobs where task_name = :task order by id"), {"task": TAG}
    )
    return list(rows.scalars())


def test_binding_and_unbinding_bring_the_tag_in_line(
    room: Room, api: Api, session: Session, hospital: Hospital, now: datetime
) -> None:
    api.routes[GET] = {"tags": [{"id": 101, "name": STAFF}]}
    before = str(hospital.doctor.account_id)
    staff.bind(session, "D001", "o-mother", now)
    session.commit()
    changed = queued(session)
    assert set(changed) == {before, str(hospital.mother.id)}
    for account_id in changed:
        jobs.tag(room.service.tags, account_id)
    assert [call.json["openid_list"] for call in api.made(GIVE)] == [["o-mother"]]
    assert [call.json["openid_list"] for call in api.made(TAKE)] == [["o-doctor"]]
    staff.unbind(session, staff.by_code(session, "D001"), by=None, now=now)
    session.commit()
    jobs.tag(room.service.tags, queued(session)[-1])
    assert [call.json["openid_list"] for call in api.made(TAKE)] == [["o-doctor"], ["o-mother"]]


def test_following_again_gives_it_again(room: Room, session: Session, hospital: Hospital) -> None:
    follow = {"MsgType": "event", "Event": "subscribe", "EventKey": ""}
    room.says({**follow, "FromUserName": "o-mother"})
    assert queued(session) == []
    room.says({**follow, "FromUserName": "o-doctor"})
    assert queued(session) == [str(hospital.doctor.account_id)]
