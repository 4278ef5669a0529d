"""The staff's pages: signing in, the doctor's own list, the day in figures, appointments and families, tasks, rosters,
clinics stopped, late or taken over, money, and who works here with which roles."""

from __future__ import annotations

from flask import Flask
from redis import Redis

from config import templates
from consultation.line.realname import RealNameCheck
from consultation.talk.video import VideoRooms
from desk import (
    after,
    appointments,
    assets,
    call,
    clinics,
    deliveries,
    devices,
    dispensing,
    feedback,
    figures,
    finding,
    followups,
    formulary,
    formulary_files,
    guests,
    intake,
    keeping,
    late,
    line,
    marks,
    medicine_orders,
    members,
    money,
    own_check,
    pages,
    pickup,
    pictures,
    prescribing,
    reactions,
    recalls,
    record,
    recordings,
    records,
    refusals,
    reviews,
    roster,
    roster_days,
    roster_exceptions,
    roster_files,
    rosters,
    schedule,
    signin,
    stock,
    stock_files,
    stops,
    suspensions,
    tasks,
    unreached,
    visit,
)
from desk.limits import CodeLimit
from people.files import FileStore
from people.scenes import SceneCodes
from prescriptions.delivery.couriers import Couriers
from prescriptions.signing.keys import Signer
from wechat.signin import visitor_locale


def join(
    app: Flask,
    scenes: SceneCodes,
    store: Redis,
    files: FileStore,
    check: RealNameCheck,
    video: VideoRooms,
    signer: Signer,
    *,
    verified_only: bool,
    courier: Couriers,
) -> None:
    """Register the pages, their style sheet and script; ``scenes`` makes the codes that phones scan, ``store`` counts
    the codes that a computer asks for, ``files`` keeps the families' pictures, ``check`` is the doctors' own
    check before each session, ``video`` carries the calls, ``signer`` signs prescriptions; ``verified_only``: only
    what a pharmacist has verified can be prescribed; ``courier`` carries parcels."""
    app.extensions[deliveries.COURIER] = courier
    app.extensions[prescribing.SIGNER] = signer
    app.extensions[prescribing.VERIFIED_ONLY] = verified_only
    app.extensions[own_check.CHECK] = check
    app.extensions[visit.PARTS] = (
        line.PART,
        call.CALL,
        call.CHAT,
        guests.PART,
        recordings.PART,
        after.PART,
        reactions.PART,
        intake.PART,
        record.PART,
        prescribing.PART,
    )
    templates.install(app.jinja_env, visitor_locale)
    assets.join(app)
    app.register_blueprint(pages.bp)
    app.register_blueprint(signin.blueprint(scenes, CodeLimit(store)))
    app.register_blueprint(members.blueprint(scenes))
    app.register_blueprint(pictures.blueprint(files))
    app.register_blueprint(call.blueprint(files, video))
    app.register_blueprint(recordings.blueprint(files))


__all__ = [
    "appointments",
    "clinics",
    "deliveries",
    "devices",
    "dispensing",
    "feedback",
    "figures",
    "finding",
    "followups",
    "formulary",
    "formulary_files",
    "intake",
    "join",
    "keeping",
    "late",
    "line",
    "marks",
    "medicine_orders",
    "money",
    "own_check",
    "pickup",
    "prescribing",
    "reactions",
    "recalls",
    "record",
    "records",
    "refusals",
    "reviews",
    "roster",
    "roster_days",
    "roster_exceptions",
    "roster_files",
    "rosters",
    "schedule",
    "stock",
    "stock_files",
    "stops",
    "suspensions",
    "tasks",
    "unreached",
    "visit",
]
