"""Reads about the visit. What belongs to a child takes the viewer and asks people.access."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import queries as bookings
from booking.models import Appointment, Schedule
from booking.queries import Visit
from config.errors import NotFound
from consultation.models import Media, MediaStatus
from consultation.rules import NEVER, may_add
from people import access
from people.access import Viewer


@dataclass(frozen=True)
class Picture:
    """A picture with the visit that it was sent for."""

    media: Media
    visit: Visit


def pictures(session: Session, visit: Visit) -> Sequence[Media]:
    """The pictures of a visit that the caller was let to, oldest first."""
    return session.scalars(
        select(Media)
        .where(Media.appointment_id == visit.appointment.id, Media.status == MediaStatus.COMPLETED)
        .order_by(Media.received_at, Media.id)
    ).all()


def picture_of(session: Session, viewer: Viewer, picture_id: UUID) -> Picture:
    """A picture of one of the viewer's children. Raises NotFound for anybody else's, and for a frozen guardian."""
    media = _completed(session, picture_id)
    access.binding_of(session, viewer, media.patient_id)
    return Picture(media, bookings.visit_of(session, viewer, media.appointment_id))


def practitioner_picture(session: Session, viewer: Viewer, picture_id: UUID) -> Picture:
    """A picture sent for a visit with the viewer, a practitioner. Raises NotFound, NotStaff."""
    media = _completed(session, picture_id)
    return Picture(media, practitioner_visit(session, viewer, media.appointment_id))


def practitioner_visit(session: Session, viewer: Viewer, appointment_id: UUID) -> Visit:
    """A visit with the viewer, who must be a practitioner. Raises NotFound for another doctor's, NotStaff."""
    practitioner = access.practitioner_of(session, viewer)
    if session.get(Appointment, appointment_id) is None:
        raise NotFound
    visit = bookings.visit(session, appointment_id)
    if visit.practitioner.id != practitioner.id:
        raise NotFound
    return visit


def _completed(session: Session, picture_id: UUID) -> Media:
    media = session.get(Media, picture_id)
    if media is None or media.status is not MediaStatus.COMPLETED:
        raise NotFound
    return media


def counts(session: Session, appointment_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many pictures these visits have; those without any are left out."""
    rows = session.execute(
        select(Media.appointment_id, func.count())
        .where(Media.appointment_id.in_(appointment_ids), Media.status == MediaStatus.COMPLETED)
        .group_by(Media.appointment_id)
    )
    return {appointment_id: count for appointment_id, count in rows}


def next_visit(session: Session, viewer: Viewer, now: datetime) -> Visit | None:
    """The visit of the viewer's children that a picture from the chat is for: the nearest; None when none is coming."""
    return next((visit for visit in bookings.coming_visits(session, viewer, now) if may_add(visit, now)), None)


def of_message(session: Session, message: bytes) -> Media | None:
    """The picture that came with a chat message, as its digest says, whatever became of it."""
    return session.scalar(select(Media).where(Media.message == message))


def to_delete(session: Session, limit: int = 100) -> Sequence[Media]:
    """The pictures whose files are to be deleted."""
    return session.scalars(
        select(Media).where(Media.status == MediaStatus.ENTERED_IN_ERROR).order_by(Media.received_at).limit(limit)
    ).all()


def outlived(session: Session, before: datetime, limit: int = 500) -> Sequence[Media]:
    """The pictures of visits that did not take place and were to be before that moment."""
    return session.scalars(
        select(Media)
        .join(Appointment, Appointment.id == Media.appointment_id)
        .join(Schedule, Schedule.id == Appointment.schedule_id)
        .where(Appointment.status.in_(NEVER), Schedule.ends_at < before, Media.status == MediaStatus.COMPLETED)
        .limit(limit)
        .with_for_update(of=Media, skip_locked=True)
    ).all()


def left_behind(session: Session, before: datetime, limit: int = 500) -> Sequence[Media]:
    """The pictures whose files were never known to be kept, begun before that moment."""
    return session.scalars(
        select(Media)
        .where(Media.status == MediaStatus.PREPARATION, Media.received_at < before)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
