"""The clinic's commands: ``flask release``, ``flask worker``, ``flask index import`` and the rest."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine

from booking.pool import NumberPool
from commands import (
    demo,
    export,
    index,
    limits,
    menu,
    messages,
    policy,
    release,
    retention,
    roster,
    staff,
    triage,
    worker,
)
from config.settings import Settings
from consultation.talk.video import HostedRooms
from notifications.sms import Sms
from people.files import FileStore
from people.index import PatientIndex
from prescriptions.delivery.couriers import Couriers
from prescriptions.signing.authority import CertificateAuthority
from wechat.pictures import ChatPictures
from wechat.service import WeChatService
from worker.pictures import Incoming
from worker.sender import Ways


def join(
    app: Flask,
    settings: Settings,
    engine: Engine,
    service: WeChatService,
    patients: PatientIndex,
    sms: Sms | None,
    files: FileStore,
    pool: NumberPool,
    video: HostedRooms | None,
    authority: CertificateAuthority | None,
    courier: Couriers,
) -> None:
    """Register every command with the application."""
    incoming = Incoming(ChatPictures(service.client), files, service.answers, settings.clinic_origin)
    for command in (
        release.command(settings, engine, patients),
        worker.command(
            settings,
            Ways(service.channel, sms, settings.notices),
            patients,
            service.tags,
            incoming,
            service.gateway,
            pool,
            video,
            authority,
            courier,
        ),
        index.group,
        menu.group(service.menu),
        messages.group(settings, service.client),
        limits.group(service.client.limits),
        roster.group(pool),
        policy.group,
        staff.group(service.scenes),
        triage.group,
        retention.group(files),
        export.command(files),
        demo.group(settings, pool, authority, courier.code),
    ):
        app.cli.add_command(command)
