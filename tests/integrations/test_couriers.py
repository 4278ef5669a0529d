"""Couriers: one contract for the adapters, what the platform is asked and answers, and its pushes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations import couriers
from integrations.couriers import Fengqiao, Messenger, Unverified, connect, digest
from integrations.simulators import courier as platform
from integrations.simulators.courier import Courier
from prescriptions.delivery.couriers import OUT_OF_AREA, CourierRefused, Couriers, CourierUnavailable, Mark
from tests.integrations.couriers import GIVEN, HOME, parcel, simulated
from tests.product import make_settings

Both = tuple[Courier, Fengqiao]


@pytest.fixture
def both() -> Iterator[Both]:
    with simulated() as found:
        yield found


@pytest.fixture(params=["messenger", "fengqiao"])
def adapter(request: pytest.FixtureRequest) -> Couriers:
    """Each adapter in turn."""
    if request.param == "messenger":
        return connect(make_settings("postgresql://localhost/x", "redis://localhost"))
    found: Both = request.getfixturevalue("both")
    return found[1]


# The contract


def test_every_adapter_makes_one_waybill_for_one_id(adapter: Couriers) -> None:
    first = adapter.create(parcel())
    assert 0 < len(first) <= 40
    assert adapter.create(parcel()) == first
    assert adapter.create(parcel(2)) != first


def test_every_adapter_has_no_steps_before_it_was_collected(adapter: Couriers) -> None:
    assert list(adapter.trace(parcel().id, adapter.create(parcel()))) == []


def test_every_adapter_cancels_twice(adapter: Couriers) -> None:
    waybill = adapter.create(parcel())
    for _ in range(2):
        adapter.cancel(parcel().id, waybill)


def test_every_adapter_says_who_it_is(adapter: Couriers) -> None:
    assert 0 < len(adapter.code) <= 20
    assert set(adapter.name) == {"zh_CN", "en"}


# The platform


def test_the_messenger_is_the_default() -> None:
    made = connect(make_settings("postgresql://localhost/x", "redis://localhost"))
    assert isinstance(made, Messenger)
    assert not made.traces


def test_what_is_told_of_a_parcel_names_no_medicine(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    fine = Courier._create

    def create(courier: Courier, data: dict[str, Any]) -> dict[str, Any]:
        asked.append(data)
        return fine(courier, data)

    monkeypatch.setattr(Courier, "_create", create)
    both[1].create(parcel())
    assert asked[0]["cargoDetails"] == [{"name": "药品", "count": 1}]
    receiver = next(one for one in asked[0]["contactInfoList"] if one["contactType"] == 2)
    assert (receiver["contact"], receiver["mobile"], receiver["county"]) == ("王芳", "13800001234", "海淀区")
    sender = next(one for one in asked[0]["contactInfoList"] if one["contactType"] == 1)
    assert (sender["city"], sender["contact"]) == ("北京市", "互联网药房")


def test_a_lost_answer_makes_no_second_parcel(both: Both) -> None:
    courier, adapter = both
    courier.fault = "lost-answer"
    with pytest.raises(CourierUnavailable):
        adapter.create(parcel())
    courier.fault = ""
    waybill = adapter.create(parcel())
    assert [one.waybill for one in courier.parcels.values()] == [waybill]
    assert courier.asked == ["EXP_RECE_CREATE_ORDER", "EXP_RECE_CREATE_ORDER", "EXP_RECE_SEARCH_ORDER_RESP"]


@pytest.mark.parametrize("fault", ["down", "nonsense", "lost-answer"])
def test_no_answer_is_unavailable(both: Both, fault: str) -> None:
    both[0].fault = fault
    for ask in (lambda: both[1].create(parcel()), lambda: both[1].trace(parcel().id, "SF1")):
        with pytest.raises(CourierUnavailable):
            ask()


def test_a_slow_answer_is_unavailable(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(couriers, "TIMEOUT", (0.2, 0.2))
    both[0].fault, both[0].delay = "slow", 0.5
    with pytest.raises(CourierUnavailable, match="Timeout"):
        both[1].create(parcel())


def test_an_address_out_of_the_area_is_refused(both: Both) -> None:
    with pytest.raises(CourierRefused, match=OUT_OF_AREA):
        both[1].create(parcel(receiver=replace(HOME, street=f"{platform.REFUSED_STREET}1号")))
    with pytest.raises(CourierRefused, match="8057"):
        both[1].create(parcel(2, receiver=replace(HOME, phone="")))


@pytest.mark.parametrize("change", [{"checkword": "another"}, {"partner": "another"}])
def test_another_key_is_no_fault_of_the_parcel(both: Both, change: dict[str, str]) -> None:
    with pytest.raises(CourierUnavailable, match=r"A100[46]"):
        replace(both[1], **change).create(parcel())  # type: ignore[arg-type]


def test_the_trace_in_our_words(both: Both) -> None:
    courier, adapter = both
    waybill = adapter.create(parcel())
    for step in ("collected", "moving", "out", "missed", "out"):
        assert courier.move(waybill, step) == ""
    assert courier.move(waybill, "delivered", "0000") == "another code"
    assert courier.move(waybill, "delivered", "4711") == ""
    found = adapter.trace(parcel().id, waybill)
    assert [step.mark for step in found] == [
        Mark.COLLECTED, Mark.MOVING, Mark.OUT, Mark.MISSED, Mark.OUT, Mark.DELIVERED
    ]  # fmt: skip
    assert "李师傅" in found[2].words
    assert all(step.at.tzinfo for step in found)
    assert list(adapter.trace(parcel().id, "another")) == []


def test_one_that_was_collected_is_not_called_back(both: Both) -> None:
    waybill = both[1].create(parcel())
    both[0].move(waybill, "collected")
    with pytest.raises(CourierRefused, match="8252"):
        both[1].cancel(parcel().id, waybill)


def test_parcels_walk_by_themselves_and_the_books_are_kept(tmp_path: Path) -> None:
    with simulated() as (courier, adapter):
        courier.state = tmp_path / "courier.json"
        adapter.create(parcel())
        for _ in range(6):
            courier.walk()
        assert courier.parcels[parcel().id.hex].steps == ["collected", "moving", "out", "delivered"]
        again = Courier(courier.partner, courier.checkword, state=courier.state)
        again.load()
        assert again.parcels == courier.parcels


def test_the_digest_is_made_as_by_the_platforms_own_java() -> None:
    """URLEncoder leaves * and encodes ~, where Python does the opposite; a space is a plus for both."""
    written = base64.b64encode(hashlib.md5(b"a+*%7E%E5%8C%971k", usedforsecurity=False).digest()).decode()
    assert digest("a *~北", "1", "k") == written


# Pushes


def pushed(adapter: Fengqiao, **changes: Any) -> tuple[dict[str, str], datetime]:
    """A push of one step as the platform sends it, and the moment."""
    now = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
    route = {"orderid": parcel().id.hex, "mailno": "SF1", "opCode": "50", "acceptTime": "2026-11-25 09:58:00"}
    data = changes.pop("data", json.dumps({"Body": {"WaybillRoute": [route]}}))
    stamp = changes.pop("stamp", str(int(now.timestamp() * 1000)))
    key = changes.pop("key", adapter.checkword)
    form = {
        "partnerID": adapter.partner,
        "serviceCode": "RoutePushService",
        "timestamp": stamp,
        "msgDigest": digest(data, stamp, key),
        "msgData": data,
    }
    return form | changes, now


def test_a_push_is_read(both: Both) -> None:
    told = both[1].read(*pushed(both[1]))
    assert [(one.id, one.waybill, one.steps[0].mark) for one in told] == [(parcel().id, "SF1", Mark.COLLECTED)]
    assert told[0].steps[0].at == datetime(2026, 11, 25, 1, 58, tzinfo=UTC)


def test_what_says_nothing_of_the_place_is_passed_over(both: Both) -> None:
    route = {"orderid": parcel().id.hex, "mailno": "SF1", "opCode": "607", "acceptTime": "2026-11-25 09:58:00"}
    assert both[1].read(*pushed(both[1], data=json.dumps({"Body": {"WaybillRoute": [route]}}))) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": "another"}, "digest"),
        ({"msgDigest": ""}, "digest"),
        ({"partnerID": "another"}, "another-partner"),
        ({"serviceCode": "another"}, "another-partner"),
        ({"stamp": "x"}, "malformed"),
        ({"stamp": "9" * 40}, "malformed"),
        ({"stamp": "1"}, "stale"),
        ({"data": "[]"}, "malformed"),
        ({"data": '{"Body": {"WaybillRoute": [{"orderid": "x"}]}}'}, "malformed"),
        ({"data": "[" * 100_000}, "malformed"),
    ],
)
def test_what_is_not_the_couriers_is_not_believed(both: Both, change: dict[str, Any], code: str) -> None:
    with pytest.raises(Unverified) as caught:
        both[1].read(*pushed(both[1], **change))
    assert caught.value.code == code


@pytest.mark.parametrize("minutes", [-14, 14])
def test_clocks_may_differ_a_little(both: Both, minutes: int) -> None:
    form, now = pushed(both[1])
    assert both[1].read(form, now + timedelta(minutes=minutes))
    with pytest.raises(Unverified, match="stale"):
        both[1].read(form, now + timedelta(minutes=minutes * 2))


@pytest.mark.parametrize("when", ["0001-01-01 00:00:00", "9999-12-31 23:59:59", "yesterday"])
def test_a_step_of_another_age_is_malformed(both: Both, when: str) -> None:
    route = {"orderid": parcel().id.hex, "mailno": "SF1", "opCode": "50", "acceptTime": when}
    with pytest.raises(Unverified, match="malformed"):
        both[1].read(*pushed(both[1], data=json.dumps({"Body": {"WaybillRoute": [route]}})))


# The settings


def test_the_settings_name_what_is_missing() -> None:
    with pytest.raises(ValueError, match="COURIER_ACCOUNT missing"):
        make_settings("postgresql://localhost/x", "redis://localhost", **{**GIVEN, "courier_account": ""})
    with pytest.raises(ValueError, match="COURIER_SENDER"):
        make_settings("postgresql://localhost/x", "redis://localhost", courier_sender="北京市/西城区")
    with pytest.raises(ValueError, match="COURIER_CHECKWORD is a development secret"):
        make_settings("postgresql://localhost/x", "redis://localhost", clinic_env="production", **GIVEN)
    with pytest.raises(ValueError, match="COURIER_ORIGIN must be https"):
        make_settings(
            "postgresql://localhost/x", "redis://localhost", clinic_env="production", **GIVEN, courier_origin="http://x"
        )
