"""The parents' pages, laid out as the account's menu: Medical Services > Internet Diagnosis > department."""

from __future__ import annotations

from flask import Flask
from redis import Redis

from booking.admission import Admission
from config import templates
from config.settings import Settings
from consultation.talk.video import VideoRooms
from menus import (
    addresses,
    after,
    assets,
    binding,
    calendar,
    call,
    changing,
    children,
    complaints,
    consents,
    courier_push,
    departments,
    devices,
    errors,
    favourites,
    file,
    guests,
    guide,
    health,
    intake,
    kept_door,
    lane,
    limits,
    line,
    medicines,
    medicines_out,
    message_settings,
    metrics,
    notices,
    ordering,
    pages,
    paying,
    payments,
    pictures,
    prescription,
    reactions,
    rebooking,
    reserved,
    room,
    screening,
    security,
    soldout,
    summary,
    suspensions,
    together,
    visits,
    waiting,
    worse,
    written,
)
from payments.gateway import Gateway
from people.files import FileStore
from people.index import PatientIndex
from prescriptions.delivery.couriers import Couriers
from prescriptions.signing.keys import Signer
from wechat.jssdk import JsSdk
from wechat.tickets import Tickets


def join(
    app: Flask,
    settings: Settings,
    store: Redis,
    index: PatientIndex,
    jssdk: JsSdk,
    tickets: Tickets,
    files: FileStore,
    gateway: Gateway | None,
    admission: Admission,
    video: VideoRooms,
    signer: Signer,
    courier: Couriers,
) -> None:
    """Register the pages, their files and error pages, and the headers of every answer."""
    templates.install(app.jinja_env, pages.locale)
    app.jinja_env.globals["texts"] = settings.sms_provider != "off"  # whether text messages are sent at all
    kept_door.join(app)
    app.extensions["csrf"].exempt(guide.language)  # it looks for itself
    security.join(app, settings)
    errors.join(app)
    assets.join(app, settings)
    health.join(app, settings)
    notices.join(app, settings, jssdk)
    app.extensions[visits.INDEX] = index
    app.extensions[prescription.SIGNER] = signer
    app.extensions[medicines_out.COURIER] = courier
    app.extensions[room.PARTS] = (  # read first what matters now: most of them are there at one time only
        intake.WARNING, summary.PART, prescription.PART, line.PART, after.PART, call.CALL, intake.PART, call.CHAT,
        guests.PART,
    )  # fmt: skip
    limits.join(app, store)
    soldout.join(app)
    app.register_blueprint(pages.bp)
    app.register_blueprint(binding.blueprint(settings, index, jssdk, tickets))
    app.register_blueprint(pictures.blueprint(files))
    app.register_blueprint(paying.blueprint(settings, gateway))
    app.register_blueprint(ordering.blueprint(settings, gateway))
    app.register_blueprint(changing.blueprint(gateway))
    app.register_blueprint(screening.blueprint(admission))
    app.register_blueprint(worse.blueprint(admission))
    app.register_blueprint(guests.bp)
    app.register_blueprint(file.blueprint(settings, files))
    app.register_blueprint(call.blueprint(settings, files, video))
    told = courier_push.blueprint(courier)
    app.register_blueprint(told)
    app.extensions["csrf"].exempt(told)  # the courier's digest stands for it


__all__ = [
    "addresses",
    "calendar",
    "children",
    "complaints",
    "consents",
    "departments",
    "devices",
    "favourites",
    "guide",
    "intake",
    "join",
    "lane",
    "line",
    "medicines",
    "medicines_out",
    "message_settings",
    "metrics",
    "payments",
    "reactions",
    "rebooking",
    "reserved",
    "room",
    "summary",
    "suspensions",
    "together",
    "visits",
    "waiting",
    "written",
]
