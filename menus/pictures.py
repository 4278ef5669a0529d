"""Pictures for the doctor: those of a visit, adding one, looking at one, moving it to another visit, removing it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.queries import Visit
from config.clock import now
from config.database import transaction
from config.ids import parse_id
from config.policy import Policy, current
from config.text import N_
from consultation import actions, pictures, queries, rules
from consultation.models import MediaKind, MediaStatus
from consultation.refusals import NoPicture, VisitOver
from menus.pages import lead_back, page
from menus.ways import VISITS
from people.files import FileStore
from wechat.signin import signed_in, viewer

HEADERS = {"Cache-Control": "private, max-age=300", "Content-Security-Policy": "default-src 'none'; sandbox"}


def shown(session: Session, visit: Visit, at: datetime, policy: Policy) -> dict[str, Any]:
    """What the visit's page says of its pictures."""
    found = queries.pictures(session, visit)
    left = max(policy.pictures_per_visit - len(found), 0) if rules.may_add(visit, at) else None
    return {"pictures": found, "pictures_left": left}


@dataclass(frozen=True)
class Album:
    """The views of pictures and what they need."""

    files: FileStore

    def add(self, visit_id: UUID) -> ResponseReturnValue:
        """POST of a picture from the visit's page."""
        who = viewer()
        self._lead_to(visit_id)
        with transaction() as session:
            if not rules.may_add(bookings.visit_of(session, who, visit_id), now()):
                raise VisitOver
        sent = request.files.get("picture")
        if sent is None or not sent.filename:
            raise NoPicture
        picture = pictures.checked(sent.read())
        with transaction() as session:
            at, visit = now(), bookings.visit_of(session, who, visit_id)
            policy = current(session, at, visit.department.code)
            kind = next((kind for kind in MediaKind if kind == request.form.get("kind")), None)
            media = actions.begin(session, visit, who.account_id, picture, at, policy, kind=kind)
        if media.status is MediaStatus.PREPARATION:
            self.files.put(media.file_name, picture.data)
        with transaction() as session:
            actions.completed(session, media.id, now())
        intake = request.form.get("back") == "intake"
        to = (
            url_for("menus.intake_step", visit_id=visit_id, step="pictures")
            if intake
            else url_for("menus.visit", visit_id=visit_id)
        )
        return redirect(f"{to}#pictures", 303)

    def show(self, picture_id: UUID) -> ResponseReturnValue:
        """GET: one picture, and what can be done with it."""
        who = viewer()
        with transaction() as session:
            at, found = now(), queries.picture_of(session, who, picture_id)
            coming = bookings.coming_visits(session, who, at)
        others = [
            visit for visit in coming if rules.may_add(visit, at) and visit.appointment.id != found.visit.appointment.id
        ]
        changeable = rules.may_change(found.visit, at)
        return page("picture.html", tab=VISITS, picture=found, changeable=changeable, others=others)

    def image(self, picture_id: UUID) -> ResponseReturnValue:
        """GET: the picture itself, or a small one for the visit's page."""
        with transaction() as session:
            name = queries.picture_of(session, viewer(), picture_id).media.file_name
        data = self.files.get(name)
        if request.args.get("small"):
            data = pictures.small(data)
        return Response(data, content_type=pictures.CONTENT_TYPE, headers=HEADERS)

    def remove(self, picture_id: UUID) -> ResponseReturnValue:
        """POST: the picture goes."""
        who = viewer()
        with transaction() as session:
            found = queries.picture_of(session, who, picture_id)
            self._lead_to(found.visit.appointment.id)
            actions.remove(session, found, who.account_id, now())
        return redirect(f"{url_for('menus.visit', visit_id=found.visit.appointment.id)}#pictures", 303)

    def move(self, picture_id: UUID) -> ResponseReturnValue:
        """POST: the picture was for another visit."""
        who = viewer()
        with transaction() as session:
            at, found = now(), queries.picture_of(session, who, picture_id)
            self._lead_to(found.visit.appointment.id)
            to = bookings.visit_of(session, who, parse_id(request.form.get("visit")) or UUID(int=0))
            actions.move(session, found, to, who.account_id, at, current(session, at, to.department.code))
        return redirect(f"{url_for('menus.visit', visit_id=to.appointment.id)}#pictures", 303)

    @staticmethod
    def _lead_to(visit_id: UUID) -> None:
        lead_back(f"/visits/{visit_id}#pictures", N_("Back to the visit"))


def blueprint(files: FileStore) -> Blueprint:
    """The routes of pictures."""
    album = Album(files)
    made = Blueprint("pictures", __name__)
    made.add_url_rule("/visits/<uuid:visit_id>/pictures", "add", signed_in(album.add), methods=["POST"])
    made.add_url_rule("/pictures/<uuid:picture_id>", "show", signed_in(album.show))
    made.add_url_rule("/pictures/<uuid:picture_id>/image", "image", signed_in(album.image))
    made.add_url_rule("/pictures/<uuid:picture_id>/remove", "remove", signed_in(album.remove), methods=["POST"])
    made.add_url_rule("/pictures/<uuid:picture_id>/move", "move", signed_in(album.move), methods=["POST"])
    return made
