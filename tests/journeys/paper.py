"""A phone's browser without a screen: pages fetched and forms sent over HTTP, through the simulator."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from tests.journeys.service import Service


class _Forms(HTMLParser):
    """The forms of a page: action and the values that would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag == "input" and self.forms and "disabled" not in given and _is_sent(given):
            self.forms[-1][1][given.get("name", "")] = given.get("value", "")


def _is_sent(given: dict[str, str]) -> bool:
    return given.get("type") not in {"radio", "checkbox"} or "checked" in given


class Paper:
    """Reads one page after the other as a phone; ``html`` is the page that is open."""

    def __init__(self, service: Service, phone: str) -> None:
        self.service, self.phone = service, phone
        self.host = f"{phone}.localhost:{urlsplit(service.simulator).port}"
        self.path, self.html = "", ""

    def open(self, path: str) -> str:
        """Open a page, through WeChat's sign-in when it is asked for; returns its HTML."""
        page = self.service.api("POST", f"/phones/{self.phone}/open", url=urljoin(self.service.clinic, path))
        assert page["status"] == 200, (path, page["status"], page["title"])
        self.path, self.html = urlsplit(page["url"]).path, page["html"]
        return self.html

    def link(self, pattern: str) -> str:
        """The first link of the page that matches."""
        found = re.search(rf'href="({pattern})"', self.html)
        assert found, (pattern, self.html)
        return found[1].replace("&amp;", "&")

    def send(self, action: str, **typed: str) -> str:
        """Fill in the form with that action and send it; returns the page that comes."""
        parser = _Forms()
        parser.feed(self.html)
        values = next(values for where, values in parser.forms if where == action)
        sent = requests.post(
            self.service.simulator + action,
            data={**values, **{name.replace("_of_", "-"): value for name, value in typed.items()}},
            headers={"Host": self.host, "Origin": f"http://{self.host}"},
            allow_redirects=False,
            timeout=120,
        )
        assert sent.status_code == requests.codes.see_other, (sent.status_code, sent.text)
        target = urlsplit(sent.headers["Location"])
        return self.open(target.path + (f"?{target.query}" if target.query else ""))

    def post(self, path: str, token: str) -> dict[str, Any]:
        """What a script of the page sends; returns the JSON that comes."""
        sent = requests.post(
            self.service.simulator + path,
            headers={"Host": self.host, "Origin": f"http://{self.host}", "X-CSRFToken": token},
            timeout=120,
        )
        sent.raise_for_status()
        return dict(sent.json())
