"""Signing in through WeChat (OAuth, snsapi_base): silent inside WeChat, and back to the page that was asked for."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import structlog
from flask import Blueprint, redirect, request, session
from werkzeug.wrappers import Response

from config.clock import now
from config.database import transaction
from config.settings import Settings
from people.actions import ensure_account
from people.sessions import SignInKind
from wechat.client import WeChatClient, WeChatError, WeChatUnavailable
from wechat.errors import AddressRefused, BadCredentials, Busy, OverLimit
from wechat.refusals import SignInFailed, SnapshotUser, WeChatDown
from wechat.signin import own_path, public, sign_in

log = structlog.get_logger()

PENDING = "oauth"
PENDING_LIMIT = 4  # pages that one browser may be opening at once
DOWN = (Busy, OverLimit, BadCredentials, AddressRefused)  # not the visitor's fault, nor mended by opening again


def blueprint(settings: Settings, client: WeChatClient) -> Blueprint:
    """The two routes of the sign-in."""
    oauth = Blueprint("oauth", __name__, url_prefix="/oauth")

    @oauth.get("/start")
    @public
    def start() -> Response:
        state = secrets.token_hex(16)
        pending = [*session.get(PENDING, {}).items(), (state, own_path(request.args.get("next")))]
        session[PENDING] = dict(pending[-PENDING_LIMIT:])
        return _unkept(redirect(authorize_url(settings, state)))

    @oauth.get("/callback")
    @public
    def callback() -> Response:
        pending = session.pop(PENDING, {})
        target = pending.pop(request.args.get("state", ""), None)
        code = request.args.get("code", "")
        if target is None or not code:
            raise SignInFailed
        _enter(*_exchange(client, code))
        if pending:
            session[PENDING] = pending
        return _unkept(redirect(own_path(target)))

    return oauth


def authorize_url(settings: Settings, state: str) -> str:
    """WeChat's page that sends the visitor back with a code. WeChat wants the parameters in this order."""
    callback = quote(f"{settings.clinic_origin}/oauth/callback", safe="")
    return (
        f"{settings.wechat_open_origin}/connect/oauth2/authorize?appid={quote(settings.wechat_appid, safe='')}"
        f"&redirect_uri={callback}&response_type=code&scope=snsapi_base&state={quote(state, safe='')}#wechat_redirect"
    )


def _exchange(client: WeChatClient, code: str) -> tuple[str, str | None]:
    """The visitor's openid and perhaps unionid. Raises SignInFailed, SnapshotUser, WeChatDown."""
    try:
        grant = client.exchange(code)
    except WeChatUnavailable as error:
        log.warning("oauth-unavailable", error=str(error))
        raise WeChatDown from error
    except WeChatError as error:
        log.info("oauth-refused", code=error.code, rid=error.rid)
        raise (WeChatDown if isinstance(error, DOWN) else SignInFailed) from error
    if str(grant.get("is_snapshotuser", "0")) not in {"0", "False"}:
        raise SnapshotUser
    openid = str(grant.get("openid") or "")
    if not openid:
        raise WeChatDown
    return openid, str(grant["unionid"]) if grant.get("unionid") else None


def _enter(openid: str, unionid: str | None) -> None:
    """Sign the visitor in as the account of this openid, made when new."""
    with transaction() as database:
        account = ensure_account(database, openid, now(), unionid=unionid)
        sign_in(database, account, SignInKind.WECHAT)


def _unkept(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response
