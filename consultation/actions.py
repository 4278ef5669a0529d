"""What changes in the visit: pictures are added, moved and removed."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking.models import Appointment
from booking.queries import Visit
from config.jobs import defer
from config.policy import Policy
from config.states import advance
from consultation import queries, rules
from consultation.models import Media, MediaKind, MediaStatus
from consultation.pictures import CONTENT_TYPE, Checked
from consultation.queries import Picture
from consultation.refusals import PartOfRecord, TooManyPictures, VisitOver
from people.audit import record as audit
from people.files import new_name

FETCH = "consultation.fetch"  # the job that fetches a picture from the chat (worker)
STALE = timedelta(hours=6)  # longer than a fetch is tried; after it a picture without a file is given up
BY = "job:purge"


def await_picture(
    session: Session, visit: Visit, account_id: UUID, media_id: str, message: bytes, *, telling: str
) -> None:
    """Let the worker fetch a picture from the chat: ``media_id`` is WeChat's, ``message`` the digest of its message.

    One account's pictures are fetched one after the other. ``telling`` is the locale of the answer.
    """
    defer(
        session,
        FETCH,
        lock=queue_of(account_id),
        account_id=str(account_id),
        appointment_id=str(visit.appointment.id),
        media_id=media_id,
        message=message.hex(),
        locale=telling,
    )


def queue_of(account_id: UUID) -> str:
    """The lock under which an account's pictures are fetched in order."""
    return f"pictures:{account_id}"


def begin(
    session: Session,
    visit: Visit,
    account_id: UUID,
    picture: Checked,
    now: datetime,
    policy: Policy,
    message: bytes | None = None,
    kind: MediaKind | None = None,
) -> Media:
    """Note a picture for a visit (from booking.queries, which asked access), before its file is put.

    Raises VisitOver, TooManyPictures. A picture that the visit has already is returned as it is.
    """
    found = _room_for(session, visit, picture.sha256, now, policy)
    if found:
        return found
    media = Media(
        appointment_id=visit.appointment.id,
        patient_id=visit.patient.id,
        account_id=account_id,
        status=MediaStatus.PREPARATION,
        file_name=new_name(),
        content_type=CONTENT_TYPE,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
        sha256=picture.sha256,
        message=message,
        kind=kind,
        received_at=now,
    )
    session.add(media)
    session.flush()
    return media


def _room_for(session: Session, visit: Visit, sha256: bytes, now: datetime, policy: Policy) -> Media | None:
    """The same picture if the visit has it. The visit is locked, so that two at once can't both be the last.

    Raises VisitOver, TooManyPictures.
    """
    session.scalars(
        select(Appointment).where(Appointment.id == visit.appointment.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()
    if not rules.may_add(visit, now):
        raise VisitOver
    kept = (Media.appointment_id == visit.appointment.id) & (Media.status != MediaStatus.ENTERED_IN_ERROR)
    if found := session.scalar(select(Media).where(kept, Media.sha256 == sha256)):
        return found
    if (session.scalar(select(func.count()).where(kept)) or 0) >= policy.pictures_per_visit:
        raise TooManyPictures(limit=policy.pictures_per_visit)
    return None


def completed(session: Session, media_id: UUID, now: datetime) -> None:
    """The file is kept: the picture is shown from now on."""
    media = session.scalars(select(Media).where(Media.id == media_id).with_for_update()).one_or_none()
    if media is None or media.status is not MediaStatus.PREPARATION:  # removed meanwhile, or done by another
        return
    advance(media, MediaStatus.COMPLETED, by=f"account:{media.account_id}", why="kept", now=now)
    _noted(session, "picture-add", media, media.account_id, now)


def remove(session: Session, picture: Picture, account_id: UUID, now: datetime) -> None:
    """A guardian takes a picture away (from consultation.queries, which asked access). Raises PartOfRecord."""
    media = _changeable(session, picture, now)
    if media.status is MediaStatus.COMPLETED:
        advance(media, MediaStatus.ENTERED_IN_ERROR, by=f"account:{account_id}", why="guardian", now=now)
        _noted(session, "picture-remove", media, account_id, now)


def move(session: Session, picture: Picture, to: Visit, account_id: UUID, now: datetime, policy: Policy) -> None:
    """The picture was for another visit, perhaps of a sibling (both from queries that asked access).

    Raises PartOfRecord, VisitOver, TooManyPictures. When the other visit has the same picture, this one goes.
    """
    media = _changeable(session, picture, now)
    if media.status is not MediaStatus.COMPLETED or media.appointment_id == to.appointment.id:
        return
    if _room_for(session, to, media.sha256, now, policy):
        advance(media, MediaStatus.ENTERED_IN_ERROR, by=f"account:{account_id}", why="double", now=now)
        return
    media.appointment_id, media.patient_id = to.appointment.id, to.patient.id
    _noted(session, "picture-move", media, account_id, now)


def _changeable(session: Session, picture: Picture, now: datetime) -> Media:
    if not rules.may_change(picture.visit, now):
        raise PartOfRecord
    return session.scalars(
        select(Media).where(Media.id == picture.media.id).with_for_update(),
        execution_options={"populate_existing": True},
    ).one()


def seen(session: Session, visit: Visit, account_id: UUID, now: datetime) -> None:
    """A doctor looked at the pictures of a visit."""
    audit(session, "pictures-view", at=now, entity="appointment", entity_id=visit.appointment.id, account_id=account_id)


def outdate(session: Session, now: datetime, policy: Policy) -> None:
    """Mark for deletion what was never kept to the end, and what a visit that did not take place leaves behind."""
    for media in queries.left_behind(session, now - STALE):
        advance(media, MediaStatus.ENTERED_IN_ERROR, by=BY, why="unfinished", now=now)
    for media in queries.outlived(session, now - timedelta(days=policy.pictures_kept_days)):
        advance(media, MediaStatus.ENTERED_IN_ERROR, by=BY, why="no-visit", now=now)


def forget(session: Session, media_id: UUID) -> None:
    """The file was deleted: the row goes, too."""
    media = session.get(Media, media_id)
    if media is not None and media.status is MediaStatus.ENTERED_IN_ERROR:
        session.delete(media)


def _noted(session: Session, action: str, media: Media, account_id: UUID, now: datetime) -> None:
    audit(
        session,
        action,
        at=now,
        entity="media",
        entity_id=media.id,
        account_id=account_id,
        appointment=str(media.appointment_id),
    )
