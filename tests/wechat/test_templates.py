"""Template messages: what is sent, and what each refusal means for trying again."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from redis import Redis

from config.settings import Settings
from notifications.channel import Channel, ChannelError, OutgoingMessage
from tests.wechat.conftest import OPENID, TOKEN, Answer, Api
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


def test_where_there_is_no_template_a_subscription_notice_is_sent(
    wechat_settings: Settings, store: Redis, api: Api
) -> None:
    update = {"wechat_subscriptions": {"appointment-booked": "NOTICE1", "guardian-bound": "NOTICE2"}}
    given = wechat_settings.model_copy(update={**update, "wechat_templates": {"guardian-bound": "TPL1"}})
    channel = connect(given, store).channel
    api.routes[NOTICE] = {"errcode": 0, "errmsg": "ok"}
    assert channel.send(MESSAGE) == ""
    assert api.made(NOTICE)[0].json == {
        "touser": OPENID,
        "template_id": "NOTICE1",
        "page": MESSAGE.url,
        "client_msg_id": str(MESSAGE.id),
        "data": {"thing1": {"value": "王**"}, "time4": {"value": "2026年11月27日 09:30"}},
    }
    api.routes[NOTICE] = {"errcode": 43101, "errmsg": "user refuse to accept the msg"}
    with pytest.raises(ChannelError) as caught:
        channel.send(MESSAGE)
    assert (caught.value.code, caught.value.retry) == ("no-subscription", "never")
    api.routes[SEND] = {"errcode": 0, "errmsg": "ok", "msgid": 1}
    channel.send(replace(MESSAGE, message="guardian-bound"))
    assert api.made(SEND)[0].json["template_id"] == "TPL1", "the template goes first"


NOTICE = "/cgi-bin/message/subscribe/bizsend"


def test_a_lost_answer_is_unknown_and_a_refusal_is_not(channel: Channel, api: Api) -> None:
    api.routes[SEND] = 502
    assert refusal(channel).unknown
    api.routes[SEND] = {"errcode": -1, "errmsg": "system error"}
    assert not refusal(channel).unknown
    api.routes[TOKEN] = 502
    assert not refusal(channel).unknown, "a token is kept: it was asked before"


def test_without_a_connection_or_a_token_nothing_was_sent(wechat_settings: Settings, store: Redis, api: Api) -> None:
    update = {"wechat_templates": {"appointment-booked": "TPL1"}}
    service = connect(wechat_settings.model_copy(update=update), store)
    api.routes[TOKEN] = 502
    assert not refusal(service.channel).unknown
    api.routes[TOKEN] = {"access_token": "token-1", "expires_in": 7200}
    store.flushdb()
    again = connect(wechat_settings.model_copy(update=update), store)
    again.client.tokens.current()
    nowhere = connect(wechat_settings.model_copy(update={**update, "wechat_api_origin": "http://127.0.0.1:9"}), store)
    caught = refusal(nowhere.channel)
    assert (caught.code, caught.retry, caught.unknown) == ("unavailable", "quick", False)


def refusal(channel: Channel) -> ChannelError:
    with pytest.raises(ChannelError) as caught:
        channel.send(MESSAGE)
    return caught.value
