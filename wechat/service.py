"""Joins the WeChat room to the application: the webhook, the sign-in, and what other rooms use of WeChat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from redis import Redis

from config.settings import Settings
from people.index import PatientIndex
from wechat import domain_file, oauth, tokens, webhook
from wechat.answers import CustomerService
from wechat.client import WeChatClient
from wechat.handlers import FrontDesk
from wechat.jssdk import JsSdk
from wechat.limits import Limits
from wechat.menu import MenuPublisher
from wechat.pay import client as pay
from wechat.pay import inbox, notify
from wechat.pay.client import PayClient
from wechat.pictures import Pictures
from wechat.scenes import Scenes
from wechat.tags import Tags
from wechat.templates import TemplateChannel
from wechat.tickets import Tickets
from wechat.webhook import Envelope, Inbox, Memory
from wechat.windows import Windows

COOKIE_FOR = timedelta(days=31)  # the sign-in's row decides, and ends earlier


@dataclass(frozen=True)
class WeChatService:
    """What the other rooms use of WeChat. ``gateway`` is None where nothing can be paid."""

    client: WeChatClient
    jssdk: JsSdk
    channel: TemplateChannel
    menu: MenuPublisher
    tickets: Tickets
    tags: Tags
    scenes: Scenes
    answers: CustomerService
    gateway: PayClient | None


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
        answers=CustomerService(client, Windows(store)),
        gateway=pay.connect(settings),
    )


def join(app: Flask, settings: Settings, store: Redis, index: PatientIndex) -> WeChatService:
    """Register the webhook and the sign-in, and return what other rooms use."""
    service = connect(settings, store)
    app.permanent_session_lifetime = COOKIE_FOR
    desk = FrontDesk(settings.clinic_origin, index, service.tickets, Pictures(settings.wechat_api_origin))
    envelope = Envelope.from_settings(settings)
    app.wsgi_app = Inbox(app.wsgi_app, envelope, Memory(store), desk)  # type: ignore[method-assign]
    app.register_blueprint(webhook.blueprint(envelope))
    told = inbox.blueprint(service.gateway.notices(notify.once(store)) if service.gateway else None)
    app.extensions["csrf"].exempt(told)
    app.register_blueprint(told)
    app.register_blueprint(oauth.blueprint(settings, service.client))
    app.register_blueprint(domain_file.blueprint(settings.wechat_domain_file))
    return service
