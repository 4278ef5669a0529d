"""The pictures that parents sent for a visit, for the doctor of that visit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from config.clock import now
from config.database import transaction
from consultation import actions, queries
from consultation.pictures import CONTENT_TYPE
from desk.pages import blueprint as pages
from desk.pages import page
from people.files import FileStore
from people.models import Role
from wechat.signin import staff, viewer

# Staff share computers: nothing of a child stays in the browser.
HEADERS = {"Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox"}


@dataclass(frozen=True)
class Album:
    """The views and what they need."""

    files: FileStore

    def show(self, visit_id: UUID) -> ResponseReturnValue:
        """GET: all pictures of one visit; that they were looked at is recorded."""
        who = viewer()
        with transaction() as session:
            visit = queries.practitioner_visit(session, who, visit_id)
            found = queries.pictures(session, visit)
            if found:
                actions.seen(session, visit, who.account_id, now())
        return page("pictures.html", visit=visit, pictures=found)

    def image(self, picture_id: UUID) -> ResponseReturnValue:
        """GET: one picture itself."""
        with transaction() as session:
            name = queries.practitioner_picture(session, viewer(), picture_id).media.file_name
        return Response(self.files.get(name), content_type=CONTENT_TYPE, headers=HEADERS)


def blueprint(files: FileStore) -> Blueprint:
    """The routes."""
    album, made = Album(files), pages("desk_pictures")
    guard = staff(Role.DOCTOR)
    made.add_url_rule("/visits/<uuid:visit_id>/pictures", "show", guard(album.show))
    made.add_url_rule("/pictures/<uuid:picture_id>", "image", guard(album.image))
    return made
