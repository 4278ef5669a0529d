"""QR codes with a scene: made by WeChat for the staff's pages, and what happens when somebody scans one."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from config.errors import Refused
from config.formats import clock
from config.text import N_, known, translate
from people import computers, invitations, staff
from people.actions import ensure_account, follow
from people.invitations import InvitationWorthless
from people.models import Account
from people.scenes import NoSceneCode
from people.staff import AccountTaken
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable
from wechat.messages import Followed, SceneScanned
from wechat.replies import Reply, TextReply
from wechat.router import Turn

log = structlog.get_logger()

LONGEST = 2_592_000  # seconds: WeChat keeps a temporary code for 30 days

INVITED = N_("Welcome, %(name)s. This WeChat account is now yours as a member of staff: %(open)s")
INVITATION_WORTHLESS = N_(
    "This invitation was used before or is too old. Please ask an administrator of the clinic for a new one."
)
TAKEN = N_(
    "This WeChat account belongs to another member of staff. Please use your own, or ask an administrator of the "
    "clinic."
)
CONFIRM = N_(
    "Sign in to the staff's pages on a computer (%(device)s, %(time)s)?\n"
    "Only if you are in front of it yourself: %(confirm)s\n"
    "If somebody sent you this code, do nothing. The link works for two minutes."
)


@dataclass(frozen=True)
class Scenes:
    """Makes temporary codes (people.scenes.SceneCodes)."""

    client: WeChatClient

    def create(self, scene: str, seconds: int) -> str:
        """What to draw as a QR code that tells ``scene`` for so many seconds. Raises NoSceneCode."""
        request = {
            "expire_seconds": min(seconds, LONGEST),
            "action_name": "QR_STR_SCENE",
            "action_info": {"scene": {"scene_str": scene}},
        }
        try:
            answer = self.client.call("post", "qrcode/create", request)
        except (WeChatError, WeChatUnavailable) as error:
            log.warning("no-scene-code", error=str(error))
            raise NoSceneCode from error
        url = str(answer.get("url") or "")
        if not url:
            raise NoSceneCode
        return url


def scene_scanned(turn: Turn) -> Reply | None:
    """Somebody scanned one of the staff's codes, perhaps following the account by it; other scenes are not ours."""
    message = turn.message
    scene = message.scene if isinstance(message, Followed | SceneScanned) else ""
    answer = next((known for prefix, known in ANSWERS.items() if scene.startswith(prefix)), None)
    if answer is None:
        return None
    make = follow if isinstance(message, Followed) else ensure_account
    account = make(turn.session, message.openid, turn.now)
    if make is follow:
        staff.refollowed(turn.session, account.id)
    return answer(turn, account, scene)


def _invited(turn: Turn, account: Account, scene: str) -> Reply:
    locale = known(account.locale)
    try:
        practitioner = invitations.accept(turn.session, scene, account, turn.now)
    except InvitationWorthless:
        return TextReply(translate(locale, INVITATION_WORTHLESS))
    except AccountTaken:
        return TextReply(translate(locale, TAKEN))
    page = turn.link("/desk", N_("open the staff's pages"), locale)
    return TextReply(translate(locale, INVITED, name=practitioner.name[locale], open=page))


def _at_computer(turn: Turn, account: Account, scene: str) -> Reply:
    locale = known(account.locale)
    try:
        code = computers.scan(turn.session, scene, account, turn.now)
    except Refused as refusal:
        if refusal.afterwards:
            refusal.afterwards(turn.session)  # the answer is a message here, so this transaction commits
        return TextReply(translate(locale, refusal.message, **refusal.params))
    confirm = turn.link(f"/desk/confirm/{code.id}", N_("confirm the sign-in"), locale)
    device = code.device or translate(locale, N_("unknown browser"))
    return TextReply(translate(locale, CONFIRM, device=device, time=clock(code.created_at), confirm=confirm))


ANSWERS = {invitations.PREFIX: _invited, computers.PREFIX: _at_computer}
