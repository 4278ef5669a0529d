"""What the simulator pushes and takes, as the product reads and sends it: every kind of message, notices, pictures."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image
from redis import Redis

from config import redis
from notifications.channel import ChannelError
from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.test_contract_api import LI_NA, message, pointed_at
from wechat import messages as m
from wechat import service
from wechat.inbound import parse
from wechat.pictures import Pictures
from wechat.templates import TemplateChannel

PLACE = {"latitude": 39.5, "longitude": 116.5, "label": "医院"}
ARTICLE = {"title": "T", "url": "http://x/"}
NOTICE = "NTC_appointment_booked_000000000000000000001"


def pushed(sim: Sim) -> list[m.Inbound]:
    """What the simulator pushed, oldest first, as the product understands it."""
    return [parse(entry["request"]) for entry in sim.get("/log", after=0)["log"] if entry["direction"] == "out"]


def result(sim: Sim) -> m.SubscriptionsSent:
    """The first result of a notice, waiting for it."""
    after = 0
    while True:
        log = sim.get("/log", after=after, wait=15)["log"]
        assert log, "no result came"
        after = log[-1]["n"]
        for entry in log:
            if entry.get("event") == "subscribe_msg_sent_event":
                told = parse(entry["request"])
                assert isinstance(told, m.SubscriptionsSent)
                return told


def place(message: m.Inbound) -> Any:
    return isinstance(message, m.Place) and (message.latitude, message.longitude, message.words)


@pytest.mark.parametrize(
    ("verb", "body", "reads"),
    [
        ("voice", {"seconds": 2}, lambda said: isinstance(said, m.Voice) and said.format == "amr" and said.media_id),
        ("video", {}, lambda said: isinstance(said, m.Video) and said.thumb_media_id and not said.short),
        ("shortvideo", {}, lambda said: isinstance(said, m.Video) and said.short),
        ("location", PLACE, lambda said: place(said) == tuple(PLACE.values())),
        ("link", ARTICLE, lambda said: isinstance(said, m.Link) and (said.words, said.url) == tuple(ARTICLE.values())),
    ],
)  # fmt: skip
def test_what_people_send(sim: Sim, verb: str, body: dict[str, Any], reads: Callable[[m.Inbound], Any]) -> None:
    sim.post("/phones/li-na/follow")
    sim.post(f"/phones/li-na/{verb}", body)
    assert reads(pushed(sim)[-1])


def test_a_picture_is_fetched_where_the_push_says(sim: Sim) -> None:
    out = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(out, "PNG")
    sim.post("/phones/li-na/follow")
    sim.session.post(
        f"{sim.origin}/simulator/api/phones/li-na/image", files={"image": ("x", out.getvalue())}, timeout=5
    )
    sent = pushed(sim)[-1]
    assert isinstance(sent, m.Picture)
    assert Pictures(sim.origin).fetch(sent.url) == out.getvalue()


@pytest.fixture
def channel(sim: Sim, redis_url: str) -> TemplateChannel:
    """The product's channel for an account that has a notice and no template."""
    store: Redis = redis.connect(redis_url)
    store.flushdb()
    settings = pointed_at(sim).model_copy(
        update={"wechat_templates": {}, "wechat_subscriptions": {"appointment-booked": NOTICE}}
    )
    return service.connect(settings, store).channel


def test_a_notice_from_the_yes_to_its_end(sim: Sim, channel: TemplateChannel) -> None:
    sent = message()
    with pytest.raises(ChannelError, match="no-subscription"):
        channel.send(sent)
    sim.post("/phones/li-na/subscribe", {"templates": {NOTICE: "accept"}})
    said = pushed(sim)[-1]
    assert isinstance(said, m.SubscriptionsAnswered)
    assert (said.openid, said.answers) == (LI_NA, (m.SubscriptionAnswer(NOTICE, True),))
    number = channel.send(sent)
    assert channel.send(sent) == number, "the double is dropped, and nothing is used up by it"
    told = result(sim)
    assert told.results == (m.SubscriptionResult(NOTICE, number, "0"),)
    with pytest.raises(ChannelError, match="no-subscription"):
        channel.send(replace(sent, id=message().id))
    sim.post("/phones/li-na/subscribe", {"templates": {NOTICE: "accept"}})
    sim.post("/phones/li-na/refuse", {"template": NOTICE})
    taken_back = pushed(sim)[-1]
    assert isinstance(taken_back, m.SubscriptionsAnswered)
    assert (taken_back.changed, taken_back.answers) == (True, (m.SubscriptionAnswer(NOTICE, False),))
