"""The real client against the simulator: WeChat Pay's contract, in each of its key modes."""

from __future__ import annotations

import time

import pytest

from tests.product import make_settings
from tests.wechat.pay.test_contract import (
    Side,
    test_a_closed_order_stays_closed,
    test_a_refund_in_parts_never_exceeds_what_was_paid,
    test_an_order_can_be_paid_and_placed_again,
    test_an_unknown_order_is_said_to_be_unknown,
    test_the_same_number_for_something_else_is_refused,
    test_what_was_paid,
)
from tests.wechat.simulator.conftest import Sim
from tests.wechat.simulator.toy import APPID
from wechat.pay.client import connect

__all__ = [
    "test_a_closed_order_stays_closed",
    "test_a_refund_in_parts_never_exceeds_what_was_paid",
    "test_an_order_can_be_paid_and_placed_again",
    "test_an_unknown_order_is_said_to_be_unknown",
    "test_the_same_number_for_something_else_is_refused",
    "test_what_was_paid",
]


@pytest.fixture(params=["certificate", "public-key", "switching"])
def side(request: pytest.FixtureRequest, sim: Sim) -> Side:
    """The simulator's WeChat Pay, its clock at the real time, and the thumb of li-na."""
    sim.clock.time = time.time()
    sim.post("/settings", {"pay_keys": request.param, "pay_refund_pause": 0.0, "pay_notify_scale": 0.0})
    keys = {}
    if request.param != "certificate":
        keys = {
            "wechat_pay_public_key_id": sim.world.config.public_key_id,
            "wechat_pay_public_key": (sim.config.keys / "pub_key.pem").read_text(),
        }
    client = connect(
        make_settings(
            "postgresql://localhost/x",
            "redis://localhost",
            wechat_appid=APPID,
            wechat_pay_origin=sim.origin,
            wechat_pay_mchid=sim.config.mchid,
            wechat_pay_serial=sim.world.keys.serial,
            wechat_pay_private_key=str(sim.config.keys / "apiclient_key.pem"),
            wechat_pay_apiv3_key=sim.world.keys.apiv3.decode(),
            **keys,
        )
    )
    assert client is not None

    def press(_number: str, parameters: dict[str, str]) -> None:
        assert sim.post("/phones/li-na/pay", {"params": parameters})["result"] == "ok"

    return Side(client, "oSimParent000000000000000001", press)
