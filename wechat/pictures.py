"""Fetching the pictures that people send: from WeChat only, small, quickly, or not at all; or at leisure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from time import monotonic
from urllib.parse import urlsplit

import requests
import structlog

from wechat.client import WeChatClient

log = structlog.get_logger()

HOSTS = re.compile(r"[a-z0-9-]+\.(qpic\.cn|qlogo\.cn|weixin\.qq\.com)")  # where WeChat keeps what people send
BYTES = 10 * 1024 * 1024
TIMEOUT = (1.0, 1.5)  # seconds to connect, seconds of silence
DEADLINE = 2.5  # seconds in all: WeChat waits five for the answer
PATIENCE = 30.0  # seconds in all, when nobody waits


@dataclass(frozen=True)
class Pictures:
    """``api_origin`` is trusted beside WeChat's own hosts."""

    api_origin: str

    def address(self, url: str) -> str | None:
        """The address to fetch, https on WeChat's hosts; None for any other."""
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
        except ValueError:
            return None
        if f"{parts.scheme}://{parts.netloc}" == self.api_origin:
            return url
        ours = parts.scheme in {"http", "https"} and parts.netloc == host and HOSTS.fullmatch(host)
        return parts._replace(scheme="https").geturl() if ours else None

    def fetch(self, url: str) -> bytes | None:
        """The picture, or None when it is not WeChat's, too big, too slow or not there. Redirects are not followed."""
        address = self.address(url)
        if address is None:
            log.warning("picture-refused")
            return None
        end = monotonic() + DEADLINE
        received = bytearray()
        try:
            with requests.get(address, stream=True, timeout=TIMEOUT, allow_redirects=False) as answer:
                if answer.status_code != requests.codes.ok:
                    return None
                for chunk in answer.iter_content(65536):
                    received += chunk
                    if len(received) > BYTES or monotonic() > end:
                        return None
        except (requests.RequestException, ValueError) as error:
            log.warning("picture-unavailable", error=type(error).__name__)
            return None
        return bytes(received)


@dataclass(frozen=True)
class ChatPictures:
    """The pictures that people sent, as WeChat keeps them for three days; for whom nobody waits."""

    client: WeChatClient

    def fetch(self, media_id: str) -> bytes:
        """The picture. Raises TooLarge, WeChatError (NoSuchMedia when it is gone), WeChatUnavailable."""
        return self.client.download("media/get", BYTES, PATIENCE, media_id=media_id)
