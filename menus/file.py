"""A child's whole file: asked for, prepared, fetched, here or in the phone's own browser; and the wish to erase."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, current_app, redirect, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer

from config.clock import now
from config.database import transaction
from config.errors import NotFound
from config.policy import current
from config.settings import Settings
from config.text import CHINESE
from menus.pages import lead_back, locale, page, say
from menus.ways import CHILDREN
from people import access
from people.access import Viewer
from people.files import FileStore
from people.keeping import copies, wishes
from people.keeping.models import WORDS, CopyStatus
from people.keeping.refusals import WishEmpty
from wechat.signin import in_wechat, public, signed_in, viewer

MINUTES = 10  # for which an address for the phone's own browser is good
LOOK_AGAIN = 4  # seconds, while a copy is being prepared


@dataclass(frozen=True)
class File:
    """The views of the file and what they need."""

    files: FileStore
    origin: str

    @staticmethod
    def show(child_id: UUID) -> ResponseReturnValue:
        """What is in a copy; how far it has come; where to fetch it."""
        lead_back("/children", "My children")
        with transaction() as session:
            at, who = now(), viewer()
            child, policy = access.patient_of(session, who, child_id), current(session, at)
            copy = copies.mine(session, who, child_id)
        state = _state(copy.status, copy.expires_at, at) if copy else "none"
        more: dict[str, Any] = {"state": state, "days": policy.file_copy_days, "again": LOOK_AGAIN}
        return page("file.html", tab=CHILDREN, child=child, copy=copy, **more)

    @staticmethod
    def ask(child_id: UUID) -> ResponseReturnValue:
        """POST: prepare a copy."""
        lead_back(f"/children/{child_id}/file", "The child's file")
        with transaction() as session:
            at = now()
            who = Viewer(viewer().account_id, locale())
            copies.ask(session, who, child_id, at, current(session, at))
        return redirect(url_for("file.show", child_id=child_id), 303)

    def fetch(self, child_id: UUID, copy_id: UUID) -> ResponseReturnValue:
        """The ZIP itself, in a browser that downloads."""
        lead_back(f"/children/{child_id}/file", "The child's file")
        return self._given(viewer(), copy_id)

    @staticmethod
    def elsewhere(child_id: UUID, copy_id: UUID) -> ResponseReturnValue:
        """WeChat opens no downloads: an address for the phone's own browser, good for ten minutes."""
        lead_back(f"/children/{child_id}/file", "The child's file")
        with transaction() as session:
            copy = copies.mine(session, viewer(), child_id)
            if copy is None or copy.id != copy_id or _state(copy.status, copy.expires_at, now()) != "ready":
                raise NotFound
        return redirect(url_for("file.opened", token=_signer().dumps([copy_id.hex, viewer().account_id.hex])))

    def opened(self, token: str) -> ResponseReturnValue:
        """In WeChat: how to get into the phone's own browser; there: the button. Nothing of the child stands here."""
        _read(token)
        address = self.origin + url_for("file.opened", token=token)
        more: dict[str, Any] = {"address": address, "minutes": MINUTES, "here_in_wechat": in_wechat()}
        return page("file_opened.html", tab=CHILDREN, token=token, **more)

    def given(self, token: str) -> ResponseReturnValue:
        """The ZIP, for an address that is still good and a guardian who still may."""
        who, copy_id = _read(token)
        return self._given(who, copy_id)

    def _given(self, who: Viewer, copy_id: UUID) -> ResponseReturnValue:
        with transaction() as session:
            copy = copies.fetch(session, who, copy_id, now())
            name, made = copy.file_name, copy.ready_at
        if name is None or made is None:
            raise NotFound
        headers = {
            "Cache-Control": "private, no-store",
            "Content-Disposition": f'attachment; filename="file-{made:%Y%m%d}.zip"',
        }
        return Response(self.files.get(name), content_type="application/zip", headers=headers)


def _state(status: CopyStatus, expires_at: datetime, at: datetime) -> str:
    return "over" if status is CopyStatus.READY and expires_at <= at else str(status)


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="file")


def _read(token: str) -> tuple[Viewer, UUID]:
    """Whose copy an address is for. Raises NotFound for one that was forged, or is too old."""
    try:
        copy_id, account_id = (UUID(part) for part in _signer().loads(token, max_age=MINUTES * 60))
    except (BadSignature, ValueError, AttributeError, TypeError):
        raise NotFound from None
    return Viewer(account_id, CHINESE), copy_id


def erase(child_id: UUID) -> ResponseReturnValue:
    """What can be erased, what the law keeps and until when, and one's own wishes with their answers."""
    return _erase(child_id)


def send_wish(child_id: UUID) -> ResponseReturnValue:
    """POST: record a wish."""
    lead_back(f"/children/{child_id}/erase", "Deleting data")
    typed = request.form.get("text", "")
    try:
        with transaction() as session:
            at = now()
            wishes.wish(session, viewer(), child_id, typed, at, current(session, at))
    except WishEmpty as empty:
        return _erase(child_id, say(empty.message), 422)
    return redirect(url_for("file.erase", child_id=child_id), 303)


def _erase(child_id: UUID, problem: str = "", status: int = 200) -> ResponseReturnValue:
    lead_back("/children", "My children")
    with transaction() as session:
        at = now()
        child = access.patient_of(session, viewer(), child_id)
        found, policy = wishes.of_mine(session, viewer(), child_id), current(session, at)
    waits = any(one.answer is None for one in found)
    more = {"wishes": found, "policy": policy, "waits": waits, "problem": problem, "most": WORDS}
    return page("erase.html", tab=CHILDREN, status=status, child=child, **more)


def blueprint(settings: Settings, files: FileStore) -> Blueprint:
    """The routes."""
    views = File(files, settings.clinic_origin)
    made = Blueprint("file", __name__)
    made.add_url_rule("/children/<uuid:child_id>/file", "show", signed_in(views.show))
    made.add_url_rule("/children/<uuid:child_id>/file", "ask", signed_in(views.ask), methods=["POST"])
    made.add_url_rule("/children/<uuid:child_id>/file/<uuid:copy_id>.zip", "fetch", signed_in(views.fetch))
    made.add_url_rule("/children/<uuid:child_id>/file/<uuid:copy_id>/address", "elsewhere", signed_in(views.elsewhere))
    made.add_url_rule("/file/<token>", "opened", public(views.opened))
    made.add_url_rule("/file/<token>.zip", "given", public(views.given))
    made.add_url_rule("/children/<uuid:child_id>/erase", "erase", signed_in(erase))
    made.add_url_rule("/children/<uuid:child_id>/erase", "send_wish", signed_in(send_wish), methods=["POST"])
    return made
