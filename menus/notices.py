"""Where parents agree to one-time notices (订阅通知): the messages for which the account has no template."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask, current_app, g, request
from sqlalchemy.orm import Session

from config.settings import Settings
from notifications import agreements
from notifications.catalogue import Message, messages
from wechat.jssdk import JsSdk

AT_ONCE = 3  # templates that one question of WeChat may name


@dataclass(frozen=True)
class Asked:
    """A message that needs an agreement each time, the template of its notice, and how many are left."""

    message: Message
    template: str
    left: int


@dataclass(frozen=True)
class Notices:
    """What asking needs: which messages go as notices, and the signature that opens WeChat's tag on a page."""

    settings: Settings
    jssdk: JsSdk

    def asked(self, session: Session, account_id: UUID, names: Iterable[str]) -> list[Asked]:
        """Those of the named messages that go as notices, with what the person agreed to."""
        by_notice = self.settings.notices
        left = agreements.left(session, account_id) if by_notice else {}
        return [
            Asked(messages()[name], template, left.get(template, 0))
            for name in names
            if (template := by_notice.get(name))
        ]

    def shown(self, asked: list[Asked]) -> dict[str, Any]:
        """What the template needs to ask. WeChat may be asked for a ticket: call it with no transaction open."""
        if not asked:
            return {"asked": []}
        g.open_tags = True
        here = self.settings.clinic_origin + request.full_path.removesuffix("?")
        groups = [asked[n : n + AT_ONCE] for n in range(0, len(asked), AT_ONCE)]
        return {
            "asked": asked,
            "groups": groups,
            "tag_config": self.jssdk.config(here),
            "jssdk_url": self.settings.wechat_jssdk_url,
        }


def join(app: Flask, settings: Settings, jssdk: JsSdk) -> None:
    """Make the notices known to the pages."""
    app.extensions["notices"] = Notices(settings, jssdk)


def notices() -> Notices:
    """This application's notices."""
    found: Notices = current_app.extensions["notices"]
    return found
