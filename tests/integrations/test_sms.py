"""Text messages: one contract for the adapters, and what each refusal of the provider means."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from integrations import sms
from integrations.simulators.sms import Provider, serve
from integrations.sms import FileSms, TencentSms, connect
from notifications.channel import ChannelError
from notifications.sms import Sms, TextMessage
from tests.product import make_settings

TEXT = TextMessage(UUID("0199a000-0000-7000-8000-000000000001"), "13800001234", "guardian-bound", ("王**", "张*"))
TENCENT: dict[str, Any] = {
    "sms_provider": "tencent",
    "sms_secret_id": "AKIDtest",
    "sms_secret_key": "dev-sms-key",
    "sms_app": "1400006666",
    "sms_sign": "儿童医院",
    "sms_templates": {"guardian-bound": "449739"},
}


@pytest.fixture
def provider() -> Iterator[tuple[Provider, str]]:
    """The stand-in, and where it listens."""
    made = Provider("AKIDtest", "dev-sms-key")
    server = serve(made)
    yield made, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def tencent(provider: tuple[Provider, str]) -> TencentSms:
    """The adapter as the settings make it."""
    made = connect(make_settings("postgresql://localhost/x", "redis://localhost", **TENCENT, sms_origin=provider[1]))
    assert isinstance(made, TencentSms)
    return made


@pytest.fixture(params=["file", "tencent"])
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Sms:
    """Each adapter in turn."""
    if request.param == "file":
        return FileSms(tmp_path / "var/sms.log")
    made: TencentSms = request.getfixturevalue("tencent")
    return made


def test_every_adapter_sends_and_names_the_message(adapter: Sms) -> None:
    assert 0 < len(adapter.send(TEXT)) <= 64
    assert adapter.send(replace(TEXT, id=UUID(int=2)))


def test_the_file_has_each_message_once(tmp_path: Path) -> None:
    for _ in range(2):
        FileSms(tmp_path / "sms.log").send(TEXT)
    lines = [json.loads(line) for line in (tmp_path / "sms.log").read_text().splitlines()]
    assert lines == [
        {"id": str(TEXT.id), "phone": "13800001234", "message": "guardian-bound", "values": ["王**", "张*"]}
    ]


def test_what_the_provider_gets(provider: tuple[Provider, str], tencent: TencentSms) -> None:
    assert tencent.send(TEXT) == "2640:1"
    assert provider[0].sent == [{
        "PhoneNumberSet": ["+8613800001234"],
        "SmsSdkAppId": "1400006666",
        "SignName": "儿童医院",
        "TemplateId": "449739",
        "TemplateParamSet": ["王**", "张*"],
        "SessionContext": str(TEXT.id),
    }]  # fmt: skip


def test_another_key_is_refused(tencent: TencentSms) -> None:
    with pytest.raises(ChannelError) as caught:
        replace(tencent, secret_key="another").send(TEXT)
    assert (caught.value.code, caught.value.retry) == ("refused", "slow")


@pytest.mark.parametrize(
    ("fault", "code", "retry"),
    [
        ("LimitExceeded.PhoneNumberDailyLimit", "quota", "slow"),
        ("RequestLimitExceeded", "quota", "quick"),
        ("FailedOperation.PhoneNumberInBlacklist", "blocked", "never"),
        ("FailedOperation.InsufficientBalanceInSmsPackage", "no-balance", "slow"),
        ("FailedOperation.TemplateIncorrectOrUnapproved", "no-template", "never"),
        ("InvalidParameterValue.TemplateParameterLengthLimit", "bad-field", "never"),
        ("InternalError.Timeout", "busy", "quick"),
        ("SomethingNew", "refused", "slow"),
    ],
)
def test_refusals(provider: tuple[Provider, str], tencent: TencentSms, fault: str, code: str, retry: str) -> None:
    provider[0].fault = fault
    with pytest.raises(ChannelError) as caught:
        tencent.send(TEXT)
    assert (caught.value.code, caught.value.retry, caught.value.unknown) == (code, retry, False)


def test_a_number_that_is_none(tencent: TencentSms) -> None:
    with pytest.raises(ChannelError, match="bad-phone"):
        tencent.send(replace(TEXT, phone="13800000000"))


def test_a_message_without_a_template(tencent: TencentSms) -> None:
    with pytest.raises(ChannelError, match="no-template"):
        tencent.send(replace(TEXT, message="appointment-booked"))


def test_no_answer_is_unknown(tencent: TencentSms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sms, "TIMEOUT", (0.2, 0.2))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(ChannelError) as caught:
            replace(tencent, origin=f"http://127.0.0.1:{listener.getsockname()[1]}").send(TEXT)
    assert (caught.value.code, caught.value.retry, caught.value.unknown) == ("unavailable", "quick", True)


def test_the_settings_name_what_is_missing() -> None:
    with pytest.raises(ValueError, match="SMS_SIGN missing"):
        make_settings("postgresql://localhost/x", "redis://localhost", **{**TENCENT, "sms_sign": ""})
    assert connect(make_settings("postgresql://localhost/x", "redis://localhost")) is None
    with pytest.raises(ValueError, match="SMS_PROVIDER=file is refused in production"):
        make_settings("postgresql://localhost/x", "redis://localhost", clinic_env="production", sms_provider="file")
