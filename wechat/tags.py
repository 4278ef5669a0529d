"""The staff's tag in WeChat: who has it sees the staff's menu."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from wechat.client import WeChatClient
from wechat.errors import BadTag, NotReachable

log = structlog.get_logger()

STAFF = "医护人员"  # the name of the tag, as config/data/menu.toml has it too


@dataclass(frozen=True)
class Tags:
    """The account's tags. Every method raises WeChatError and WeChatUnavailable."""

    client: WeChatClient

    def ids(self) -> dict[str, int]:
        """The tags by name."""
        answer = self.client.call("get", "tags/get")
        return {str(tag["name"]): int(tag["id"]) for tag in answer.get("tags") or []}

    def ensure(self, name: str) -> int:
        """The id of the tag, which is made when missing."""
        known = self.ids()
        if name in known:
            return known[name]
        try:
            return int(self.client.call("post", "tags/create", {"tag": {"name": name}})["tag"]["id"])
        except BadTag:  # made by somebody else meanwhile (45157)
            known = self.ids()
            if name not in known:
                raise
            return known[name]

    def tag(self, openid: str, name: str = STAFF) -> None:
        """Give a follower the tag; who does not follow the account gets it when they do."""
        self._members("tags/members/batchtagging", openid, self.ensure(name))

    def untag(self, openid: str, name: str = STAFF) -> None:
        """Take the tag from a follower."""
        tag = self.ids().get(name)
        if tag is not None:
            self._members("tags/members/batchuntagging", openid, tag)

    def _members(self, path: str, openid: str, tag: int) -> None:
        try:
            self.client.call("post", path, {"openid_list": [openid], "tagid": tag})
        except NotReachable as error:
            log.info("tag-not-a-follower", code=error.code, rid=error.rid)
