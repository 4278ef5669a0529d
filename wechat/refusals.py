"""Why signing in through WeChat is refused, in words a parent understands."""

from __future__ import annotations

from config.errors import Refused
from config.text import N_


class NotSignedIn(Refused):
    """A form was sent, or a record asked for, without a signed-in account."""

    code = "not-signed-in"
    status = 401
    message = N_("You have been signed out. Nothing was changed. Please open the page again from the menu in WeChat.")


class SignInFailed(Refused):
    """The sign-in can't be finished: a used or old code, a reloaded page, another browser, or permission refused."""

    code = "sign-in-failed"
    status = 400
    message = N_("This link has been used or is too old. Please open the page again from the menu in WeChat.")


class SnapshotUser(Refused):
    """WeChat shows the page as a snapshot with a virtual openid, which never becomes an account."""

    code = "snapshot-user"
    status = 403
    message = N_(
        'WeChat is showing this page as a preview. Please tap "Use full service" at the bottom of the page, or open '
        "it again from the account's menu."
    )


class WeChatDown(Refused):
    """WeChat does not answer, so nobody can sign in for the moment."""

    code = "wechat-down"
    status = 503
    message = N_("WeChat is not answering just now. Please wait a minute and open the page again from the menu.")
