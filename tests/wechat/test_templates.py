"""Template messages: what is sent, and what each refusal means for trying again."""

from __future__ import annotations

from uuid import UUID

import pytest
from redis import Redis

from config.settings import Settings
from notifications.channel import Channel, ChannelError, OutgoingMessage
from tests.wechat.conftest import OPENID, Answer, Api
from wechat.service import connect

SEND = "/cgi-bin/message/template/send"
MESSAGE = OutgoingMessage(
    id=UUID("0199a000-0000-7000-8000-000000000001"),
    openid=OPENID,
    message="appointment-booked",
    data={"thing1": "王**", "time4": "2026年11月27日 09:30"},
    url="https://clinic.example.org/visits/1",
)


@pytest.fixture
def channel(wechat_settings: Settings, store: Redis) -> Channel:
    """The channel, knowing one template."""
    given = wechat_settings.model_copy(update={"wechat_templates": {"appointment-booked": "TPL1"}})
    return connect(given, store).channel


def test_what_is_sent(channel: Channel, api: Api) -> None:
    api.routes[SEND] = {"errcode": 0, "errmsg": "ok", "msgid": 3000000000000000001}
    assert channel.send(MESSAGE) == "3000000000000000001"
    assert api.made(SEND)[0].json == {
        "touser": OPENID,
        "template_id": "TPL1",
        "url": MESSAGE.url,
        "client_msg_id": str(MESSAGE.id),  # wechatpy leaves it out
        "data": {"thing1": {"value": "王**"}, "time4": {"value": "2026年11月27日 09:30"}},
    }


@pytest.mark.parametrize(
    ("answer", "code", "retry"),
    [
        ({"errcode": 43004, "errmsg": "require subscribe"}, "not-a-follower", "never"),
        ({"errcode": 40003, "errmsg": "invalid openid"}, "not-a-follower", "never"),
        ({"errcode": 40037, "errmsg": "invalid template_id"}, "no-template", "never"),
        ({"errcode": 47003, "errmsg": "argument invalid! data.thing1.value invalid rid: 1-2-3"}, "bad-field", "never"),
        ({"errcode": 45009, "errmsg": "reach max api daily quota limit"}, "quota", "slow"),
        ({"errcode": -1, "errmsg": "system error"}, "busy", "quick"),
        ({"errcode": 40001, "errmsg": "invalid credential"}, "token", "quick"),
        ({"errcode": 40164, "errmsg": "not in whitelist"}, "refused", "slow"),
        ({"errcode": 99999, "errmsg": "?"}, "refused", "slow"),
        (502, "unavailable", "quick"),
    ],
)
def test_refusals(channel: Channel, api: Api, answer: Answer, code: str, retry: str) -> None:
    api.routes[SEND] = answer
    with pytest.raises(ChannelError) as caught:
        channel.send(MESSAGE)
    assert (caught.value.code, caught.value.retry) == (code, retry)


def test_no_template(wechat_settings: Settings, store: Redis, api: Api) -> None:
    with pytest.raises(ChannelError, match="no-template"):
        connect(wechat_settings, store).channel.send(MESSAGE)
    assert api.calls == []
