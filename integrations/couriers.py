"""Couriers: the hospital's own messenger, and an open platform over HTTP in the shape of SF Express's 丰桥.

Sources: SF Express's Python SDK of the platform (its request, digest, JSON of order and route query); handlers of the
route push in public code. What comes from neither, and has to be compared with the platform's pages before the first
real parcel, stands in docs/prescriptions.md.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID, uuid4

import requests
import structlog

from config.clock import SHANGHAI, real_now
from config.settings import Settings
from prescriptions.delivery.couriers import (
    OUT_OF_AREA,
    Contact,
    CourierRefused,
    Couriers,
    CourierUnavailable,
    Mark,
    Parcel,
    Step,
    Told,
)

log = structlog.get_logger()

TIMEOUT = (2.0, 8.0)  # seconds to connect, seconds of silence
PATH = "/std/service"
CREATE, FIND = "EXP_RECE_CREATE_ORDER", "EXP_RECE_SEARCH_ORDER_RESP"
UPDATE, ROUTES, PUSH = "EXP_RECE_UPDATE_ORDER", "EXP_RECE_SEARCH_ROUTES", "RoutePushService"
DONE, DUPLICATE, CANCELLED = "A1000", "8016", "8037"
NOT_SERVED = "3"  # filterResult
BY_ORDER, CANCEL, SENDER, RECEIVER = "2", 2, 1, 2
FRESH = timedelta(minutes=15)
GOODS = "药品"  # which ones is nobody's business

# What the platform calls a step (opCode).
MARKS: Mapping[str, Mark] = {
    "50": Mark.COLLECTED,
    "54": Mark.COLLECTED,
    "30": Mark.MOVING,
    "31": Mark.MOVING,
    "36": Mark.MOVING,
    "44": Mark.OUT,
    "204": Mark.OUT,
    "33": Mark.MISSED,
    "70": Mark.REFUSED,
    "99": Mark.RETURNING,
    "648": Mark.RETURNING,
    "80": Mark.DELIVERED,
    "8000": Mark.DELIVERED,
    "626": Mark.LOST,
}


class Unverified(Exception):
    """A push that is not the courier's, too old, or no push at all. ``code`` says which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def connect(settings: Settings) -> Couriers:
    """The courier that the settings name."""
    if settings.courier_provider == "none":
        return Messenger()
    return Fengqiao(
        origin=settings.courier_origin,
        partner=settings.courier_partner,
        checkword=settings.courier_checkword.get_secret_value(),
        account=settings.courier_account,
        sender=_sender(settings.courier_sender),
    )


def _sender(text: str) -> Contact:
    """Where parcels are fetched, as the setting has it."""
    province, city, district, street, name, phone = (part.strip() for part in text.split("/"))
    return Contact(name, phone, (province, city, district), street)


@dataclass(frozen=True)
class Messenger:
    """The hospital's own messenger: everything is written by hand at the desk."""

    code: str = "messenger"
    phone: str = ""
    traces: bool = False

    @property
    def name(self) -> Mapping[str, str]:
        """As families know it."""
        return {"zh_CN": "医院配送员", "en": "The hospital's messenger"}

    def create(self, parcel: Parcel) -> str:
        """A number of our own."""
        return f"M{parcel.id.hex[-12:].upper()}"

    def trace(self, parcel_id: UUID, waybill: str) -> Sequence[Step]:  # noqa: ARG002 - nobody to ask
        """What is known stands at the desk."""
        return ()

    def cancel(self, parcel_id: UUID, waybill: str) -> None:
        """The desk tells the messenger."""


@dataclass(frozen=True)
class Fengqiao:
    """prescriptions.delivery.couriers.Couriers over the platform."""

    origin: str
    partner: str
    checkword: str
    account: str
    sender: Contact
    code: str = "fengqiao"
    phone: str = "95338"
    traces: bool = True

    @property
    def name(self) -> Mapping[str, str]:
        """As families know it."""
        return {"zh_CN": "顺丰速运", "en": "SF Express"}

    def create(self, parcel: Parcel) -> str:
        """An order under our id. When its answer was lost before, the platform says that there is one, and is asked
        which."""
        try:
            answer = self._ask(CREATE, self._order(parcel))
        except CourierRefused as refused:
            if refused.code != DUPLICATE:
                raise
            answer = self._ask(FIND, {"language": "zh-CN", "orderId": parcel.id.hex})
        if str(answer.get("filterResult")) == NOT_SERVED:
            raise CourierRefused(OUT_OF_AREA)
        try:
            return str(answer["waybillNoInfoList"][0]["waybillNo"])[:40]
        except (KeyError, IndexError, TypeError):
            raise CourierUnavailable("no-waybill") from None

    def trace(self, parcel_id: UUID, waybill: str) -> Sequence[Step]:
        """The routes under our id."""
        asked = {"language": "zh-CN", "trackingType": BY_ORDER, "trackingNumber": [parcel_id.hex], "methodType": "1"}
        answer = self._ask(ROUTES, asked)
        try:
            found = [route for one in answer["routeResps"] if one["mailNo"] == waybill for route in one["routes"] or ()]
            return [step for route in found if (step := _step(route))]
        except (KeyError, TypeError, ValueError):
            raise CourierUnavailable("another-shape") from None

    def cancel(self, parcel_id: UUID, waybill: str) -> None:
        """The order is cancelled; one that is cancelled already stays so."""
        numbers = [{"waybillType": 1, "waybillNo": waybill}]
        try:
            self._ask(UPDATE, {"orderId": parcel_id.hex, "dealType": CANCEL, "waybillNoInfoList": numbers})
        except CourierRefused as refused:
            if refused.code != CANCELLED:
                raise

    def read(self, form: Mapping[str, str], now: datetime) -> list[Told]:
        """What a push tells, at the real moment. Raises Unverified."""
        data, stamp, given = (form.get(name, "") for name in ("msgData", "timestamp", "msgDigest"))
        if not hmac.compare_digest(digest(data, stamp, self.checkword).encode(), given.encode()):
            raise Unverified("digest")
        if form.get("partnerID") != self.partner or form.get("serviceCode") != PUSH:
            raise Unverified("another-partner")
        if not stamp.isascii() or not stamp.isdigit() or len(stamp) > 13:
            raise Unverified("malformed")
        if abs(now.timestamp() - int(stamp) / 1000) > FRESH.total_seconds():
            raise Unverified("stale")
        try:
            routes = json.loads(data)["Body"]["WaybillRoute"]
            told = [(UUID(route["orderid"]), str(route["mailno"])[:40], _step(route)) for route in routes]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise Unverified("malformed") from None
        return [Told(parcel, waybill, (step,)) for parcel, waybill, step in told if step]

    def _order(self, parcel: Parcel) -> dict[str, Any]:
        return {
            "language": "zh-CN",
            "orderId": parcel.id.hex,
            "cargoDetails": [{"name": GOODS, "count": 1}],
            "contactInfoList": [_contact(SENDER, self.sender), _contact(RECEIVER, parcel.receiver)],
            "monthlyCard": self.account,
            "payMethod": 1,
            "expressTypeId": 2,
            "isReturnRoutelabel": 1,
            "extraInfoList": [{"attrName": "signCode", "attrVal": parcel.code}],
        }

    def _ask(self, service: str, data: Mapping[str, Any]) -> dict[str, Any]:
        text, stamp = json.dumps(data, ensure_ascii=False), str(int(real_now().timestamp() * 1000))
        form = {
            "partnerID": self.partner,
            "requestID": str(uuid4()),
            "serviceCode": service,
            "timestamp": stamp,
            "msgDigest": digest(text, stamp, self.checkword),
            "msgData": text,
        }
        try:
            answer = requests.post(f"{self.origin}{PATH}", data=form, timeout=TIMEOUT, allow_redirects=False)
            said = answer.json() if answer.status_code == 200 else {}
            if said.get("apiResultCode") != DONE:
                code = str(said.get("apiResultCode") or f"HTTP {answer.status_code}")
                log.warning("courier-answer", service=service, code=code)
                raise CourierUnavailable(code[:40])
            result = said["apiResultData"]
            result = json.loads(result) if isinstance(result, str) else result
            if not result["success"]:
                raise CourierRefused(str(result.get("errorCode") or "refused")[:40])
            return dict(result.get("msgData") or {})
        except requests.RequestException as error:
            raise CourierUnavailable(type(error).__name__) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise CourierUnavailable("another-shape") from None


def digest(data: str, stamp: str, checkword: str) -> str:
    """The platform's digest (msgDigest): base64 of the MD5 of the text, the stamp and the checkword, encoded as Java's
    URLEncoder does."""
    text = quote_plus(f"{data}{stamp}{checkword}", safe="*", errors="replace").replace("~", "%7E")
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()


def _contact(kind: int, of: Contact) -> dict[str, Any]:
    province, city, county = of.region
    return {
        "contactType": kind,
        "contact": of.name,
        "mobile": of.phone,
        "country": "CN",
        "province": province,
        "city": city,
        "county": county,
        "address": of.street,
    }


def _step(route: Mapping[str, Any]) -> Step | None:
    """None for what says nothing about where the parcel is. Raises what a malformed one raises."""
    mark = MARKS.get(str(route["opCode"]))
    if mark is None:
        return None
    at = datetime.strptime(str(route["acceptTime"]), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    if not 2020 <= at.year < 2100:
        raise ValueError(at)
    return Step(mark, at, str(route.get("acceptAddress") or "")[:60], str(route.get("remark") or "")[:200])
