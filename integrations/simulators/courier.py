"""A small courier that speaks like SF Express's open platform (丰桥): orders, routes, cancelling, and route pushes.

    COURIER_PARTNER=... COURIER_CHECKWORD=... python -m integrations.simulators.courier 8400

``GET /parcels`` lists the parcels; ``POST /parcels/<waybill>/<step>`` moves one (``collected``, ``moving``, ``out``,
``missed``, ``refused``, ``returning``, ``lost``, ``delivered``, for which ``code=`` is what the family says);
``POST /fault`` with ``is=`` makes trouble until it is empty again. With COURIER_PACE seconds parcels move by
themselves, one step each time; with COURIER_BACKEND routes are pushed there.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode
from uuid import uuid4

BEIJING = timezone(timedelta(hours=8))
PUSH_PATH = "/courier/routes"
WAY = ("collected", "moving", "out", "delivered")
STEPS: Mapping[str, tuple[str, str]] = {
    "collected": ("50", "顺丰速运 已收取快件"),
    "moving": ("30", "快件在【北京顺义中转场】完成分拣"),
    "out": ("44", "正在派送途中（派件人：李师傅，电话：13900001111），请准备签收"),
    "missed": ("33", "派件不成功：无人在家，将再次派送"),
    "refused": ("70", "收件人拒收"),
    "returning": ("99", "快件正在退回寄件人"),
    "lost": ("626", "快件异常，正在核查"),
    "delivered": ("80", "已签收，感谢使用顺丰"),
}
REFUSED_STREET = "荒岛"  # an address with this word is one to which the courier does not go
FAULTS = ("", "down", "slow", "lost-answer", "nonsense", "twice", "reversed", "wrong-digest")


@dataclass
class Parcel:
    """One order and how far it is."""

    order: str
    waybill: str
    code: str
    street: str
    routes: list[dict[str, str]] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    cancelled: bool = False


@dataclass
class Courier:
    """The courier's books. ``fault``: ``down`` (503), ``slow`` (answers after ``delay`` seconds), ``lost-answer`` (does
    what was asked and hangs up), ``nonsense`` (no JSON); of pushes: ``twice``, ``reversed`` (keeps one back, to send
    it after the next), ``wrong-digest``. ``state``: a file in which the books are kept."""

    partner: str
    checkword: str
    backend: str = ""
    state: Path | None = None
    parcels: dict[str, Parcel] = field(default_factory=dict)
    fault: str = ""
    delay: float = 3.0
    asked: list[str] = field(default_factory=list)
    kept_back: list[dict[str, str]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self) -> None:
        """Read the books of before, if there are any."""
        if self.state and self.state.exists():
            self.parcels = {row["order"]: Parcel(**row) for row in json.loads(self.state.read_text())}

    def keep(self) -> None:
        """Write the books."""
        if self.state:
            self.state.parent.mkdir(parents=True, exist_ok=True)
            self.state.write_text(json.dumps([vars(one) for one in self.parcels.values()], ensure_ascii=False))

    def answer(self, form: Mapping[str, str]) -> dict[str, Any]:
        """What a request is answered."""
        text, stamp = form.get("msgData", ""), form.get("timestamp", "")
        if form.get("partnerID") != self.partner:
            return {"apiResultCode": "A1004", "apiErrorMsg": "无对应服务权限"}
        if not hmac.compare_digest(digest(text, stamp, self.checkword), form.get("msgDigest", "")):
            return {"apiResultCode": "A1006", "apiErrorMsg": "数字签名无效"}
        if not stamp.isdigit() or abs(datetime.now(UTC).timestamp() - int(stamp) / 1000) > 300:
            return {"apiResultCode": "A1002", "apiErrorMsg": "请求时效已过期"}
        service = form.get("serviceCode", "")
        verbs = {
            "EXP_RECE_CREATE_ORDER": self._create,
            "EXP_RECE_SEARCH_ORDER_RESP": self._find,
            "EXP_RECE_SEARCH_ROUTES": self._routes,
            "EXP_RECE_UPDATE_ORDER": self._update,
        }
        if service not in verbs:
            return {"apiResultCode": "A1003", "apiErrorMsg": "服务不存在"}
        with self.lock:
            self.asked.append(service)
            result = verbs[service](json.loads(text))
            self.keep()
        return {"apiResultCode": "A1000", "apiErrorMsg": "", "apiResultData": json.dumps(result, ensure_ascii=False)}

    def _create(self, data: dict[str, Any]) -> dict[str, Any]:
        if data["orderId"] in self.parcels:
            return _wrong("8016", "重复下单")
        receiver = next(one for one in data["contactInfoList"] if one["contactType"] == 2)
        if any(not receiver.get(name) for name in ("contact", "mobile", "province", "city", "county", "address")):
            return _wrong("8057", "收件信息不完整")
        if REFUSED_STREET in receiver["address"]:
            return _fine({"orderId": data["orderId"], "filterResult": 3, "waybillNoInfoList": []})
        code = next((one["attrVal"] for one in data.get("extraInfoList", ()) if one["attrName"] == "signCode"), "")
        parcel = Parcel(data["orderId"], f"SF{10**12 + len(self.parcels) + 1}", code, receiver["address"])
        self.parcels[parcel.order] = parcel
        return _fine(_numbers(parcel))

    def _find(self, data: dict[str, Any]) -> dict[str, Any]:
        parcel = self.parcels.get(data["orderId"])
        return _fine(_numbers(parcel)) if parcel else _wrong("8024", "未下单")

    def _routes(self, data: dict[str, Any]) -> dict[str, Any]:
        found = [self.parcels[one] for one in data["trackingNumber"] if one in self.parcels]
        return _fine({"routeResps": [{"mailNo": one.waybill, "routes": one.routes} for one in found]})

    def _update(self, data: dict[str, Any]) -> dict[str, Any]:
        parcel = self.parcels.get(data["orderId"])
        if parcel is None:
            return _wrong("8024", "未下单")
        if parcel.cancelled:
            return _wrong("8037", "已消单")
        if parcel.steps:
            return _wrong("8252", "已收件，不能取消")
        parcel.cancelled = True
        return _fine(_numbers(parcel) | {"resStatus": 2})

    def move(self, waybill: str, step: str, code: str = "") -> str:
        """Let a step happen; returns why not, or nothing."""
        with self.lock:
            parcel = next((one for one in self.parcels.values() if one.waybill == waybill), None)
            if parcel is None or step not in STEPS:
                return "no such parcel or step"
            if step == "delivered" and not hmac.compare_digest(code.encode(), parcel.code.encode()):
                return "another code"
            number, words = STEPS[step]
            at = datetime.now(BEIJING).replace(microsecond=0)
            if parcel.routes:  # the platform knows seconds; two steps are never in the same
                last = datetime.strptime(parcel.routes[-1]["acceptTime"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING)
                at = max(at, last + timedelta(seconds=1))
            route = {"opCode": number, "acceptTime": f"{at:%Y-%m-%d %H:%M:%S}", "acceptAddress": "北京市"}
            parcel.routes.append(route | {"remark": words})
            parcel.steps.append(step)
            self.keep()
        self._push({"id": uuid4().hex, "mailno": waybill, "orderid": parcel.order, **parcel.routes[-1]})
        return ""

    def _push(self, route: dict[str, str]) -> None:
        if not self.backend or self.fault == "down":
            return
        if self.fault == "reversed" and not self.kept_back:
            self.kept_back.append(route)
            return
        waiting = [route, *self.kept_back]
        self.kept_back.clear()
        for one in waiting * (2 if self.fault == "twice" else 1):
            self.push([one])

    def push(self, routes: list[dict[str, str]]) -> str:
        """Push routes; what the clinic answered (``0000`` is understood)."""
        data = json.dumps({"Body": {"WaybillRoute": routes}}, ensure_ascii=False)
        stamp = str(int(datetime.now(UTC).timestamp() * 1000))
        key = "another" if self.fault == "wrong-digest" else self.checkword
        form = {
            "partnerID": self.partner,
            "requestID": str(uuid4()),
            "serviceCode": "RoutePushService",
            "timestamp": stamp,
            "msgDigest": digest(data, stamp, key),
            "msgData": data,
        }
        request = urllib.request.Request(f"{self.backend}{PUSH_PATH}", urlencode(form).encode())  # noqa: S310 - as set up
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                return str(json.load(answer).get("return_code"))
        except (urllib.error.URLError, TimeoutError, ValueError) as error:
            return type(error).__name__

    def walk(self) -> None:
        """Every parcel that is on its way goes one step on; at the door the family says its code."""
        with self.lock:
            waiting = [one for one in self.parcels.values() if not one.cancelled and len(one.steps) < len(WAY)]
        for parcel in waiting:
            if tuple(parcel.steps) == WAY[: len(parcel.steps)]:  # nobody has moved it by hand
                self.move(parcel.waybill, WAY[len(parcel.steps)], parcel.code)


def digest(data: str, stamp: str, checkword: str) -> str:
    """As the platform's documents have it."""
    text = quote_plus(data + stamp + checkword, safe="*").replace("~", "%7E")
    return base64.b64encode(hashlib.md5(text.encode(), usedforsecurity=False).digest()).decode()


def _numbers(parcel: Parcel) -> dict[str, Any]:
    numbers = [{"waybillType": 1, "waybillNo": parcel.waybill}]
    return {"orderId": parcel.order, "filterResult": 2, "waybillNoInfoList": numbers}


def _fine(data: dict[str, Any]) -> dict[str, Any]:
    return {"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": data}


def _wrong(code: str, message: str) -> dict[str, Any]:
    return {"success": False, "errorCode": code, "errorMsg": message, "msgData": None}


class Counter(BaseHTTPRequestHandler):
    """Where the courier is asked: the platform's one address, and what moves parcels and makes trouble."""

    courier: Courier

    def do_POST(self) -> None:
        """Asked."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        form = {name: values[0] for name, values in parse_qs(raw.decode(), keep_blank_values=True).items()}
        place, *rest = self.path.strip("/").split("/")
        if self.path == "/std/service":
            self._platform(form)
        elif place == "fault" and form.get("is") in FAULTS:
            self.courier.fault = form["is"]
            self._say(200, {"fault": self.courier.fault})
        elif place == "parcels" and len(rest) == 2:
            problem = self.courier.move(rest[0], rest[1], form.get("code", ""))
            self._say(409 if problem else 200, {"problem": problem})
        else:
            self._say(404, {})

    def _platform(self, form: dict[str, str]) -> None:
        fault = self.courier.fault
        if fault == "down":
            self._say(503, {})
            return
        if fault == "slow":
            time.sleep(self.courier.delay)
        answer = self.courier.answer(form)
        if fault == "lost-answer":
            self.close_connection = True
        elif fault == "nonsense":
            self._raw(200, b"<html>")
        else:
            self._say(200, answer)

    def do_GET(self) -> None:
        """The books."""
        self._say(200, [vars(one) for one in self.courier.parcels.values()] if self.path == "/parcels" else {})

    def _say(self, status: int, answer: object) -> None:
        self._raw(status, json.dumps(answer, ensure_ascii=False).encode())

    def _raw(self, status: int, raw: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Nothing is logged: addresses are personal."""


def serve(courier: Courier, port: int = 0) -> ThreadingHTTPServer:
    """Listen on loopback, in a thread; the server says at which port."""
    handler: type[Counter] = type("Handler", (Counter,), {"courier": courier})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


def main() -> None:
    """Serve until the end; move the parcels along when a pace is given."""
    state = os.environ.get("COURIER_STATE")
    courier = Courier(
        os.environ["COURIER_PARTNER"],
        os.environ["COURIER_CHECKWORD"],
        os.environ.get("COURIER_BACKEND", ""),
        Path(state) if state else None,
    )
    courier.load()
    serve(courier, int(sys.argv[1]))
    pace = float(os.environ.get("COURIER_PACE") or 0)
    wait = threading.Event().wait
    while not wait(pace or None):
        courier.walk()


if __name__ == "__main__":
    main()
