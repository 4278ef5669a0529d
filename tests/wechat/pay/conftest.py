"""A WeChat Pay for each test, and the client of its merchant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from config.settings import Settings
from tests.product import make_settings
from tests.wechat.pay.standin import (
    API_KEY,
    MCHID,
    PUBLIC_KEY_ID,
    SERIAL,
    Platform,
    WeChatPay,
    pem,
    public_pem,
    rsa_key,
    serve,
)
from wechat.pay.client import PayClient, connect


@pytest.fixture(scope="session")
def keys() -> dict[str, object]:
    """Keys take a while to make: one set for all."""
    return {"merchant": rsa_key(), "public": rsa_key(), "certificate": Platform()}


@pytest.fixture
def pay(keys: dict[str, object]) -> Iterator[WeChatPay]:
    """WeChat Pay, listening, with one platform certificate."""
    made = WeChatPay(keys["merchant"], keys["public"], [keys["certificate"]])  # type: ignore[arg-type,list-item]
    server = serve(made)
    yield made
    server.shutdown()
    server.server_close()


def pay_settings(pay: WeChatPay, *, public: bool = False, **changes: Any) -> Settings:
    """The settings of the merchant; ``public``: with WeChat Pay's public key."""
    values: dict[str, object] = {
        "wechat_pay_mchid": MCHID,
        "wechat_pay_serial": SERIAL,
        "wechat_pay_private_key": pem(pay.merchant),
        "wechat_pay_apiv3_key": API_KEY,
        "wechat_pay_origin": pay.origin,
    }
    if public:
        values |= {"wechat_pay_public_key_id": PUBLIC_KEY_ID, "wechat_pay_public_key": public_pem(pay.public)}
    return make_settings("postgresql://localhost/x", "redis://localhost", **(values | changes))


def client_of(pay: WeChatPay, *, public: bool = False) -> PayClient:
    made = connect(pay_settings(pay, public=public))
    assert made is not None
    return made


@pytest.fixture
def client(pay: WeChatPay) -> PayClient:
    """The merchant's client, verifying by platform certificates."""
    return client_of(pay)
