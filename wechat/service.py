"""Joins the WeChat room to the application: the webhook, the sign-in, and what other rooms use of WeChat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from redis import Redis

from config.settings import Settings
from people.index import PatientIndex
from wechat import domain_file, oauth, tokens, webhook
from wechat.client import WeChatClient
from wechat.handlers import FrontDesk
from wechat.jssdk import JsSdk
from wechat.limits import Limits
from wechat.menu import MenuPublisher
from wechat.pictures import Pictures
from wechat.scenes import Scenes
from wechat.tags import Tags
from wechat.templates import TemplateChannel
from wechat.tickets import Tickets
from wechat.webhook import Envelope

COOKIE_FOR = timedelta(days=31)  # the sign-in's row decides, and ends earlier


@dataclass(frozen=True)
class WeChatService:
    """What the other rooms use of WeChat."""

    client: WeChatClient
    jssdk: JsSdk
    channel: TemplateChannel
    menu: MenuPublisher
    tickets: Tickets
    tags: Tags
    scenes: Scenes


def connect(settings: Settings, store: Redis) -> WeChatService:
    """The service without routes, as the worker and the commands use it."""
    client = WeChatClient(
        settings.wechat_appid,
        settings.wechat_secret.get_secret_value(),
        settings.wechat_api_origin,
        Limits(store, settings.wechat_appid),
    )
    client.tokens = tokens.access_tokens(store, client)
    return WeChatService(
        client=client,
        jssdk=JsSdk(settings.wechat_appid, tokens.jsapi_tickets(store, client)),
        channel=TemplateChannel(client, settings.wechat_templates, settings.wechat_subscriptions),
        menu=MenuPublisher(client, settings.clinic_origin),
        tickets=Tickets(store),
        tags=Tags(client),
        scenes=Scenes(client),
    )


def join(app: Flask, settings: Settings, store: Redis, index: PatientIndex) -> WeChatService:
    """Register the webhook and the sign-in, and return what other rooms use.

    The application's CSRFProtect must stand already: WeChat's pushes carry a signature instead of a form's token.
    """
    service = connect(settings, store)
    app.permanent_session_lifetime = COOKIE_FOR
    desk = FrontDesk(settings.clinic_origin, index, service.tickets, Pictures(settings.wechat_api_origin))
    inbox = webhook.blueprint(Envelope.from_settings(settings), store, desk)
    app.extensions["csrf"].exempt(inbox)
    app.register_blueprint(inbox)
    app.register_blueprint(oauth.blueprint(settings, service.client))
    app.register_blueprint(domain_file.blueprint(settings.wechat_domain_file))
    return service
