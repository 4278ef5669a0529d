"""Signing pages for WeChat's JS-SDK, which opens the phone's scanner."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import structlog
from wechatpy.utils import WeChatSigner

from config.clock import now
from wechat.client import WeChatError, WeChatUnavailable
from wechat.tokens import Shared

log = structlog.get_logger()


@dataclass(frozen=True)
class JsSdk:
    """What a page needs to call ``wx.config``."""

    appid: str
    tickets: Shared

    def config(self, url: str) -> dict[str, str] | None:
        """appId, timestamp, nonceStr and signature for the page at ``url``; None when WeChat can't be asked."""
        try:
            ticket = self.tickets.current()
        except (WeChatError, WeChatUnavailable) as error:
            log.warning("jssdk-unavailable", error=str(error))
            return None
        nonce, timestamp = secrets.token_hex(8), str(int(now().timestamp()))
        signature = sign(ticket, nonce, timestamp, url)
        return {"appId": self.appid, "timestamp": timestamp, "nonceStr": nonce, "signature": signature}


def sign(ticket: str, nonce: str, timestamp: str, url: str) -> str:
    """WeChat's signature of a page: SHA-1 over the four, the address without its fragment."""
    signer = WeChatSigner(delimiter=b"&")
    signer.add_data(
        f"jsapi_ticket={ticket}", f"noncestr={nonce}", f"timestamp={timestamp}", f"url={url.partition('#')[0]}"
    )
    return str(signer.signature)
