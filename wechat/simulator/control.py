"""The control API: everything a person can do on a phone, and what tests want to know and set."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from . import actions, faults, jssdk, pictures, scenes, sending, subscriptions
from .actions import Impossible
from .control_platform import body, platform_routes
from .control_sending import given_picture, sending_routes
from .pay import cashier
from .pay.refunds import ENDS
from .phone_browser import PhoneBrowser, open_page
from .state import Phone, Settings
from .webhook import Delivery, verify_url
from .world import World

LONGEST_WAIT = 60.0
CHOICES = {
    "mode": ("plain", "compatible", "safe"),
    "language": ("zh", "en"),
    "template_newline": ("refuse", "cut"),
    "pay_keys": ("certificate", "public-key", "switching"),
    "pay_expired": ("NOTPAY", "CLOSED"),
    "pay_refund_outcome": ENDS,
}


class Control:
    """The views of the control API over one world."""

    def __init__(self, world: World, browser: PhoneBrowser) -> None:
        self.world, self.browser = world, browser

    def phone(self, name: str) -> Phone:
        """The phone with this id or openid; raises Impossible."""
        phone = self.world.phone(name)
        if phone is None:
            raise Impossible(f"no phone {name!r}")
        return phone

    def state(self) -> dict[str, Any]:
        """Everything the page shows, and where in the live feed it stands."""
        world = self.world
        with world.change() as state:
            chats = {phone.id: self._chat(phone, phone.cleared) for phone in state.phones.values()}
            return {
                "account": {
                    "id": world.config.account_id,
                    "name": world.config.account_name,
                    "appid": world.config.appid,
                },
                "backend": world.config.backend,
                "feed": f"{world.epoch}-{world.seq}",
                "phones": [world.describe(phone) for phone in state.phones.values()],
                "chats": chats,
                "menu": state.menu,
                "settings": vars(state.settings),
                "log": list(world.log)[-200:],
            }

    @staticmethod
    def _chat(phone: Phone, after: int) -> list[dict[str, Any]]:
        return [message for message in phone.messages if message["n"] > after]

    def pictures(self) -> dict[str, Any]:
        """The captions of the demo pictures."""
        return {"pictures": [path.stem for path in pictures.demo(self.world.config.qr_dir)]}

    def phones(self) -> dict[str, Any]:
        """All phones."""
        return {"phones": [self.world.describe(phone) for phone in self.world.state.phones.values()]}

    def show(self, name: str) -> dict[str, Any]:
        """One phone."""
        return self.world.describe(self.phone(name))

    def follow(self, name: str) -> dict[str, Any]:
        """Follow, or scan a scene code: {scene?}."""
        return _told(actions.follow(self.world, self.phone(name), str(body().get("scene", ""))))

    def unfollow(self, name: str) -> dict[str, Any]:
        """Stop following."""
        return _told(actions.unfollow(self.world, self.phone(name)))

    def set_phone(self, name: str) -> dict[str, Any]:
        """Change {blocked?, snapshot?, delivery?}."""
        actions.change(self.world, self.phone(name), body())
        return self.show(name)

    def text(self, name: str) -> dict[str, Any]:
        """Write {content}."""
        given = body()
        return _told(
            actions.send_text(self.world, self.phone(name), str(given.get("content", "")), str(given.get("menu", "")))
        )

    def tap(self, name: str) -> dict[str, Any]:
        """Tap the menu entry {entry: path, key or url}; others take {result}, a picture or a place."""
        given, phone = body(), self.phone(name)
        button = actions.button_at(self.world, phone, str(given.get("entry", "")))
        if button["type"] in sending.PICTURES:
            told = sending.choose_pictures(self.world, phone, button, self._picture())
        elif button["type"] == "location_select":
            told = sending.choose_place(self.world, phone, button, given)
        else:
            scanned = self._scanned(given) if button["type"].startswith("scancode") else None
            told = actions.tap(self.world, phone, button, scanned)
        return _told(told) | {"button": button}

    def scan(self) -> dict[str, Any]:
        """Read the code in an uploaded `image` or the demo picture {picture}: {type, result}."""
        kind, result = self._scanned(body()) or ("", None)
        return {"type": kind, "result": result}

    def scan_code(self, name: str) -> dict[str, Any]:
        """Scan a code of the account: {result}, {picture} or an uploaded `image`; follows or sends SCAN."""
        scanned = self._scanned(body())
        if scanned is None:
            raise Impossible("no code in this picture")
        return _told(actions.scan_code(self.world, self.phone(name), scanned[1]))

    def push(self, name: str) -> dict[str, Any]:
        """Push any message or event from this phone: the body is its fields as WeChat names them."""
        return _told(actions.push_anything(self.world, self.phone(name), body()))

    def subscribe(self, name: str) -> dict[str, Any]:
        """Answer a page that asks for notices: {templates: {id: accept|reject}}; a list of ids gives their titles."""
        wanted = body().get("templates")
        if isinstance(wanted, list):
            return {"titles": subscriptions.titles(self.world, wanted)}
        if not isinstance(wanted, dict):
            raise Impossible("templates is a list of ids, or of each id whether it is accepted or rejected")
        return _told(subscriptions.answer(self.world, self.phone(name), wanted))

    def refuse(self, name: str) -> dict[str, Any]:
        """Take back the agreement to notices of {template}."""
        return _told(subscriptions.refuse(self.world, self.phone(name), str(body().get("template"))))

    def codes(self) -> dict[str, Any]:
        """The account's newest codes that can be scanned."""
        return {"codes": scenes.listed(self.world)}

    def _scanned(self, given: dict[str, Any]) -> tuple[str, str] | None:
        if "result" in given:
            return str(given.get("type", "qrcode")), str(given["result"])
        return pictures.decode(self._picture())

    def _picture(self) -> bytes:
        return given_picture(self.world)

    def open(self, name: str) -> dict[str, Any]:
        """Open {url} in the phone's browser without a screen: {url, status, title, html} of where it ends."""
        return open_page(self.browser, self.phone(name), str(body().get("url", "")))

    def messages(self, name: str) -> dict[str, Any]:
        """The chat after message `after`, waiting up to `wait` seconds for a first one."""
        phone, after = self.phone(name), int(request.args.get("after", 0))
        wait = min(float(request.args.get("wait", 0)), LONGEST_WAIT)
        self.world.wait(lambda: bool(self._chat(phone, after)), wait)
        found = self._chat(phone, after)
        return {"messages": found, "last": found[-1]["n"] if found else after}

    def log(self) -> dict[str, Any]:
        """The request log after entry `after`, waiting up to `wait` seconds for a first one."""
        after, wait = int(request.args.get("after", 0)), min(float(request.args.get("wait", 0)), LONGEST_WAIT)
        self.world.wait(lambda: bool(self.world.log and self.world.log[-1]["n"] > after), wait)
        return {"log": [entry for entry in list(self.world.log) if entry["n"] > after]}

    def sends(self) -> dict[str, Any]:
        """Accepted template messages, each with how often its client_msg_id came again, and the sums."""
        sends = [vars(send) for send in self.world.state.sends]
        return {"sends": sends, "accepted": len(sends), "duplicates": sum(send["duplicates"] for send in sends)}

    def settings(self) -> dict[str, Any]:
        """Read the settings; a POST changes those it names."""
        current = self.world.state.settings
        if request.method == "POST":
            _change(current, body())
            with self.world.change():
                self.world.publish("settings", settings=vars(current))
        return dict(vars(current))

    def verify_url(self) -> dict[str, Any]:
        """Check the account's webhook address as WeChat does when it is saved."""
        return verify_url(self.world).json()

    def jssdk(self, name: str) -> dict[str, Any]:
        """wx.config of {page} with {params}: asked by the phone around the page."""
        given = body()
        return jssdk.configure(self.world, self.phone(name), given.get("params") or {}, str(given.get("page", "")))

    def pay(self, name: str) -> dict[str, Any]:
        """The cashier for a page's {params}: {act: show|pay|cancel} gives {result, order?, reason?}."""
        given = body()
        what, params = str(given.get("act", "pay")), given.get("params")
        if what not in cashier.ACTS or not isinstance(params, dict):
            raise Impossible(f"act is one of {', '.join(cashier.ACTS)}, params what the page calls the cashier with")
        return cashier.act(self.world, self.phone(name), params, str(given.get("page", "")), what)

    def reset(self) -> dict[str, Any]:
        """Back to the seed; {keep: [menu, settings, ...]} stays."""
        keep = body().get("keep", [])
        if not isinstance(keep, list) or not set(keep) <= set(vars(self.world.state)):
            raise Impossible(f"keep is a list of: {', '.join(vars(self.world.state))}")
        self.world.reset(keep)
        return {"ok": True}


def _change(settings: Settings, values: dict[str, Any]) -> None:
    """Set what is named and fits; raises Impossible."""
    for name, value in values.items():
        current = getattr(settings, name, None)
        wanted = (int, float) if isinstance(current, int | float) else type(current)
        if current is None or not isinstance(value, wanted) or value not in CHOICES.get(name, (value,)):
            raise Impossible(f"{name} is no setting, or {value!r} no value for it")
    if wrong := faults.check(values.get("faults", [])):
        raise Impossible(wrong)
    if not all({"path", "errcode"} <= set(fault) for fault in values.get("fail_next", [])):
        raise Impossible("each entry of fail_next needs path and errcode")
    for name, value in values.items():
        setattr(settings, name, value)


def _told(delivery: Delivery | None) -> dict[str, Any]:
    return {"delivery": delivery.json() if delivery else None}


def blueprint(world: World, browser: PhoneBrowser) -> Blueprint:
    """The control API under /simulator/api."""
    bp, control = Blueprint("control", __name__, url_prefix="/simulator/api"), Control(world, browser)
    routes = [
        ("GET", "/state", control.state),
        ("GET", "/phones", control.phones),
        ("GET", "/phones/<name>", control.show),
        ("POST", "/phones/<name>", control.set_phone),
        ("GET", "/phones/<name>/messages", control.messages),
        *[("POST", f"/phones/<name>/{verb}", getattr(control, verb)) for verb in VERBS],
        ("POST", "/scan", control.scan),
        ("POST", "/phones/<name>/scan-code", control.scan_code),
        ("GET", "/codes", control.codes),
        ("GET", "/pictures", control.pictures),
        ("GET", "/log", control.log),
        ("GET", "/sends", control.sends),
        ("GET", "/settings", control.settings),
        ("POST", "/settings", control.settings),
        ("POST", "/verify-url", control.verify_url),
        ("POST", "/reset", control.reset),
        *sending_routes(world),
        *platform_routes(world),
    ]
    for method, path, view in routes:
        bp.add_url_rule(path, f"{method} {path}".replace(".", "_"), view, methods=[method])

    @bp.errorhandler(Impossible)
    @bp.errorhandler(ValueError)
    def impossible(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 404 if str(error).startswith("no phone") else 400

    return bp


VERBS = ("follow", "unfollow", "text", "tap", "open", "jssdk", "pay", "push", "subscribe", "refuse")
