"""A toy service account for the simulator's tests: its own webhook (by wechatpy) and a few pages."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, make_response, redirect, request
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TransferCustomerServiceReply, create_reply
from werkzeug.serving import make_server

TOKEN, APPID, SECRET = "simulator-token", "wx5f0c1de9a7b34286", "s" * 32
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"


SCAN_PAGE = """<!doctype html><title>Scan page</title><button id=go>scan</button><p id=out></p>
<script src="{origin}/open/js/jweixin-1.6.0.js"></script>
<script>
wx.config({config});
wx.ready(() => out.textContent = "ready");
wx.error((e) => out.textContent = e.errMsg);
go.onclick = () => wx.scanQRCode({{needResult: 1, success: (r) => out.textContent = r.resultStr}});
</script>"""


def names(message: Any) -> set[str]:
    """What a message may be called: its type, its event, the event as WeChat sent it."""
    return {message.type, getattr(message, "event", ""), str(message._data.get("Event", ""))}


class Toy:
    """What the webhook received, and how it is told to answer."""

    def __init__(self) -> None:
        self.received: list[Any] = []
        self.queries: list[dict[str, str]] = []
        self.requests: list[dict[str, Any]] = []
        self.arrived = threading.Condition()
        self.behave = "reply"  # reply | success | 500 | slow | nonsense | plain | wrong-signature | news2 | transfer
        self.settings: dict[str, str] = {}  # what a page needs: simulator, ticket

    def becomes(self, behave: str) -> None:
        """It answers so from now on; what it was slow with, too."""
        with self.arrived:
            self.behave = behave
            self.arrived.notify_all()

    def wait_for(self, event: str, seconds: float = 60) -> Any:
        """The newest message of this event or type, waiting for it."""

        def newest() -> Any:
            return next((m for m in reversed(self.received) if event in names(m)), None)

        with self.arrived:
            assert self.arrived.wait_for(newest, seconds), f"no {event} arrived"
            return newest()


def answer(toy: Toy, message: Any, crypto: WeChatCrypto) -> str:
    """The reply as wechatpy makes and encrypts it."""
    content: Any = f"you said {getattr(message, 'content', getattr(message, 'event', message.type))}"
    if toy.behave.startswith("news"):
        article = {"title": "标题", "description": "摘要", "image": "", "url": request.host_url + "page"}
        content = [article] * int(toy.behave[4:])
    reply = (
        TransferCustomerServiceReply(message=message) if toy.behave == "transfer" else create_reply(content, message)
    )
    xml = reply.render()
    if toy.behave == "plain" or request.args.get("encrypt_type") != "aes":
        return str(xml)
    if toy.behave == "wrong-signature":
        crypto = WeChatCrypto("another", AES_KEY, APPID)
    return str(crypto.encrypt_message(xml, request.args["nonce"], request.args["timestamp"]))


def create_toy() -> tuple[Flask, Toy]:
    """The toy account's Flask application."""
    app, toy = Flask(__name__), Toy()
    crypto = WeChatCrypto(TOKEN, AES_KEY, APPID)

    @app.get("/wechat")
    def verify() -> str:
        return request.args["echostr"] if toy.behave != "nonsense" else "no"

    @app.post("/wechat")
    def webhook() -> Response:
        args, body = request.args, request.get_data(as_text=True)
        if args.get("encrypt_type") == "aes":
            body = crypto.decrypt_message(body, args["msg_signature"], args["timestamp"], args["nonce"])
        message = parse_message(body)
        with toy.arrived:
            toy.received.append(message)
            toy.queries.append(args.to_dict())
            toy.arrived.notify_all()
            toy.arrived.wait_for(lambda: toy.behave != "slow", 60)
        if toy.behave in ("500", "success", "nonsense"):
            return Response(toy.behave if toy.behave == "success" else '{"a": 1}', 500 if toy.behave == "500" else 200)
        return Response(answer(toy, message, crypto), content_type="application/xml")

    pages(app, toy)
    return app, toy


def pages(app: Flask, toy: Toy) -> None:
    """Pages that show what a browser sent, keep a session by cookie, stream, and ask for authorisation."""

    @app.get("/page")
    def page() -> Response:
        toy.requests.append(dict(request.headers))
        count = int(request.cookies.get("count", 0)) + 1
        home = request.host_url.rstrip("/")
        html = (
            f"<!doctype html><title>页 &amp; {count}</title><a href='{home}/next'>next</a><i>{home}0</i><p>{count}</p>"
        )
        response = make_response(html)
        response.set_cookie("count", str(count), httponly=True)
        response.set_cookie("deep", "1", path="/deep")
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Content-Security-Policy"] = f"default-src 'self' {home}; frame-ancestors 'none'"
        return response

    @app.route("/echo", methods=["GET", "POST"])
    def echo() -> dict[str, Any]:
        toy.requests.append(dict(request.headers))
        return {"url": request.environ["RAW_URI"], "form": request.form.to_dict(), "cookies": request.cookies.to_dict()}

    more_pages(app, toy)


def more_pages(app: Flask, toy: Toy) -> None:
    """Pages that stream, and ask for authorisation."""

    @app.get("/stream")
    def stream() -> Response:
        return Response(parts(toy), content_type="text/event-stream")

    @app.get("/away")
    def away() -> Any:
        back = quote(request.host_url + "back", safe="")
        scope = request.args.get("scope", "snsapi_base")
        query = f"appid={APPID}&redirect_uri={back}&response_type=code&scope={scope}&state=s1"
        return redirect(f"{toy.settings['simulator']}/connect/oauth2/authorize?{query}#wechat_redirect")

    @app.get("/back")
    def back() -> str:
        return f"<title>back</title>{request.args.get('code', '')}|{request.args.get('state', '')}"

    app.add_url_rule("/scan", view_func=lambda: scan_page(toy))


def parts(toy: Toy) -> Iterator[str]:
    """One part at once, the next when the test says so."""
    yield "data: one\n\n"
    with toy.arrived:
        toy.arrived.wait_for(lambda: "go" in toy.settings, 60)
    yield "data: two\n\n"


def scan_page(toy: Toy) -> str:
    """A page that scans through the JS-SDK."""
    text = f"jsapi_ticket={toy.settings['ticket']}&noncestr=n&timestamp=1&url={request.url}"
    signature = hashlib.sha1(text.encode()).hexdigest()
    config = {"appId": APPID, "timestamp": "1", "nonceStr": "n", "signature": signature, "jsApiList": ["scanQRCode"]}
    return SCAN_PAGE.format(origin=toy.settings["simulator"], config=json.dumps(config))


class Served:
    """A WSGI application on a loopback port, in a thread."""

    def __init__(self, app: Any, port: int = 0) -> None:
        self.server = make_server("127.0.0.1", port, app, threaded=True)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
