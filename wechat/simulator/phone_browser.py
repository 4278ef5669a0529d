"""WeChat's built-in browser: a streaming proxy that shows the account's pages on a phone's own loopback host."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import unescape
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urljoin

import requests
from flask import Response, request
from requests.adapters import HTTPAdapter
from urllib3.response import BaseHTTPResponse

from . import cookies
from .addresses import rewrite_html, rewrite_policy, to_account, to_phone
from .agents import agent, languages
from .oauth_pages import step
from .state import Phone
from .wire import raw_path
from .world import World

HOP = {"connection", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "host"}
NOT_SENT = HOP | {"cookie", "content-length", "accept-encoding", "user-agent", "accept-language", "origin", "referer"}
NOT_SHOWN = HOP | {"set-cookie", "x-frame-options", "strict-transport-security", "server", "date", "location"}
TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
CHUNK, TITLE_WITHIN = 65536, 262144
TIMEOUT = (5.0, 600.0)  # to connect, to wait for the next byte: streams live long


class PhoneBrowser:
    """Sends a phone's requests to the backend and brings back the answers."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # jars are the phones'
        self.session.mount("http://", HTTPAdapter(pool_connections=4, pool_maxsize=64))

    def send(
        self, phone: Phone, method: str, path: str, headers: dict[str, str], body: bytes = b""
    ) -> requests.Response:
        """One request with the phone's cookies and User-Agent; cookies that come back go to its jar."""
        world, plain = self.world, path.partition("?")[0]
        jar = cookies.header(phone.cookies, plain, world.now)
        own = {
            "User-Agent": agent(world, phone),
            "Accept-Language": languages(world),
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",  # a kept connection dies with a restarted backend
        }
        sent = {**headers, **own, **({"Cookie": jar} if jar else {})}
        answer = self.session.request(
            method,
            _where(world, plain) + path,
            data=body,
            headers=sent,
            stream=True,
            allow_redirects=False,
            timeout=TIMEOUT,
        )
        if fresh := answer.raw.headers.getlist("Set-Cookie"):
            with world.change():
                phone.cookies = cookies.take(phone.cookies, fresh, plain, world.now)
        return answer

    def forward(self, phone: Phone) -> Response:
        """Answer the current request of the phone's host."""
        config, start = self.world.config, time.monotonic()
        path = to_account(config, phone.id, raw_path())
        navigation = _is_navigation()
        if navigation:
            self.world.publish("loading", phone=phone.id)
        answer = self.send(phone, request.method, path, _headers(self.world, phone), request.get_data())
        page = Page(self.world, phone, path, answer.status_code, start) if navigation else None
        headers = shown_headers(self.world, phone, answer)
        chunks = stream(answer.raw, decode=_is_html(answer))
        if _is_html(answer):
            headers = [
                (name, value) for name, value in headers if name.lower() not in ("content-length", "content-encoding")
            ]
            chunks = rewrite_html(config, phone.id, page.watch(chunks) if page else chunks)
        elif page:
            page.done()
        return Response(_closing(chunks, answer), answer.status_code, headers, direct_passthrough=True)


def _where(world: World, path: str) -> str:
    """The account's server for a path, as a reverse proxy before its processes would choose."""
    return world.config.live if world.config.live and path.startswith("/live/") else world.config.backend


def _is_navigation() -> bool:
    wanted = request.headers.get("Sec-Fetch-Dest")
    return wanted in ("document", "iframe") if wanted else "text/html" in request.headers.get("Accept", "")


def _is_html(answer: requests.Response) -> bool:
    return answer.headers.get("Content-Type", "").lower().startswith("text/html")


def _headers(world: World, phone: Phone) -> dict[str, str]:
    """The browser's headers as WeChat's would be: addresses in the account's terms, no trace of a frame."""
    sent = {k: v for k, v in request.headers if k.lower() not in NOT_SENT and not k.lower().startswith("sec-ch-ua")}
    for name in ("Origin", "Referer"):
        value = request.headers.get(name, "")
        if value.startswith(world.config.phone_origin(phone.id)):
            sent[name] = to_account(world.config, phone.id, value)
    if sent.get("Sec-Fetch-Dest") == "iframe":
        sent["Sec-Fetch-Dest"] = "document"
        if sent.get("Sec-Fetch-Site") == "cross-site":
            sent["Sec-Fetch-Site"] = "none"
    return sent


def shown_headers(world: World, phone: Phone, answer: requests.Response) -> list[tuple[str, str]]:
    """The backend's headers for the phone's host."""
    config, shown = world.config, []
    for name, value in answer.raw.headers.items():
        lower = name.lower()
        if lower.startswith("content-security-policy"):
            shown.append((name, rewrite_policy(config, phone.id, value)))
        elif lower == "access-control-allow-origin":
            shown.append((name, value.replace(config.backend, config.phone_origin(phone.id))))
        elif lower not in NOT_SHOWN:
            shown.append((name, value))
    if location := answer.headers.get("Location"):
        shown.append(("Location", to_phone(config, phone.id, location)))
    return shown


def stream(raw: BaseHTTPResponse, decode: bool) -> Iterator[bytes]:
    """The body as it comes, without waiting for more than there is."""
    if getattr(raw, "chunked", False):
        yield from raw.stream(CHUNK, decode_content=decode)
        return
    while chunk := raw.read1(CHUNK, decode_content=decode):
        yield chunk


def _closing(chunks: Iterator[bytes], answer: requests.Response) -> Iterator[bytes]:
    try:
        yield from chunks
    finally:
        answer.close()


class Page:
    """A page the phone opened: its title is read as it passes, then the phone's title bar is told."""

    def __init__(self, world: World, phone: Phone, path: str, status: int, start: float) -> None:
        self.world, self.phone, self.start, self.status = world, phone, start, status
        self.url, self.method, self.title = world.config.backend + path, request.method, ""

    def watch(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Pass the chunks on and look for the title in the first of them."""
        head, told = b"", False
        for chunk in chunks:
            yield chunk
            if not told:
                head += chunk
                self.title = title_of(head)
                if told := bool(self.title) or len(head) > TITLE_WITHIN:
                    self.done()
        if not told:
            self.done()

    def done(self) -> None:
        """Tell the title bar and the log."""
        ms = round((time.monotonic() - self.start) * 1000)
        facts: dict[str, Any] = {"phone": self.phone.id, "url": self.url, "status": self.status, "method": self.method}
        if self.status not in (301, 302, 303, 307, 308):
            self.world.publish("page", title=self.title, **facts)
        path = self.url.removeprefix(self.world.config.backend)
        verdict = self.title or f"HTTP {self.status}"
        self.world.record(
            "page", method=self.method, path=path, status=self.status, verdict=verdict, ms=ms, phone=self.phone.id
        )


def title_of(html: bytes) -> str:
    """The text of the page's title, or nothing."""
    found = TITLE.search(html)
    return " ".join(unescape(found[1].decode("utf-8", "replace")).split()) if found else ""


def open_page(browser: PhoneBrowser, phone: Phone, url: str, hops: int = 10) -> dict[str, Any]:
    """Open a page without a screen, following redirects through WeChat's own pages: {url, status, title, html}."""
    world = browser.world
    for _ in range(hops):
        onward = step(world, phone, url)
        if isinstance(onward, str):
            url = onward
            continue
        if onward is not None:
            return {"url": url, **onward}
        if not (
            url == world.config.backend or url.startswith((world.config.backend + "/", world.config.backend + "?"))
        ):
            return {"url": url, "status": 0, "title": "", "html": "", "outside": True}
        path = url.removeprefix(world.config.backend).partition("#")[0]
        answer = browser.send(phone, "GET", path if path.startswith("/") else f"/{path}", {"Accept": "text/html"})
        with answer:
            html = answer.content
        if not answer.is_redirect:
            return {
                "url": url,
                "status": answer.status_code,
                "title": title_of(html),
                "html": html.decode("utf-8", "replace"),
            }
        url = urljoin(url, answer.headers["Location"])
    return {"url": url, "status": 0, "title": "", "html": "", "loop": True}


def phone_of_host(world: World, host: str) -> Phone | None:
    """The phone whose loopback host a request names."""
    name, _, rest = host.partition(".")
    return world.state.phones.get(name) if rest.partition(":")[0] == "localhost" else None
