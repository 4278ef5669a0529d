"""A copy of a child's whole file: asked for by a guardian, prepared by the worker, to be fetched for some days."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.jobs import defer, emit
from config.policy import Policy
from config.states import advance
from people import access
from people.access import Viewer
from people.audit import record as audit
from people.files import new_name
from people.keeping.events import CopyFinished
from people.keeping.holds import child_of_number
from people.keeping.models import CopyStatus, FileCopy
from people.keeping.refusals import ReasonMissing, TooManyCopies
from people.models import Patient

PREPARE = "keeping.copy"  # the job that prepares one (worker)
DAY = timedelta(days=1)
STALE = timedelta(hours=6)  # longer than a preparation is tried
ENDED = (CopyStatus.FAILED, CopyStatus.OVER)


def ask(session: Session, viewer: Viewer, patient_id: UUID, now: datetime, policy: Policy) -> FileCopy:
    """Prepare a copy for an active guardian; asked twice, it is one. The one before can no longer be fetched.

    Raises NotFound for anybody else, TooManyCopies.
    """
    access.binding_of(session, viewer, patient_id)
    session.execute(select(Patient.id).where(Patient.id == patient_id).with_for_update(key_share=True))
    before = mine(session, viewer, patient_id)
    if before and before.status is CopyStatus.REQUESTED:
        return before
    theirs = FileCopy.patient_id == patient_id, FileCopy.account_id == viewer.account_id
    lately = session.scalar(select(func.count()).where(*theirs, FileCopy.asked_at > now - DAY)) or 0
    if lately >= policy.file_copies_per_day:
        raise TooManyCopies(most=policy.file_copies_per_day)
    if before and before.status is CopyStatus.READY:
        advance(before, CopyStatus.OVER, by=f"account:{viewer.account_id}", why="asked again", now=now)
    made = FileCopy(
        patient_id=patient_id,
        account_id=viewer.account_id,
        by=f"account:{viewer.account_id}",
        locale=viewer.locale,
        status=CopyStatus.REQUESTED,
        file_name=new_name(),
        asked_at=now,
        expires_at=now + timedelta(days=policy.file_copy_days),
    )
    session.add(made)
    session.flush()
    defer(session, PREPARE, lock=f"copy:{made.id}", copy_id=str(made.id))
    _note(session, "file-ask", made, now)
    return made


def mine(session: Session, viewer: Viewer, patient_id: UUID) -> FileCopy | None:
    """The last copy that an active guardian asked for. Raises NotFound for anybody else."""
    access.binding_of(session, viewer, patient_id)
    asked = select(FileCopy).where(FileCopy.patient_id == patient_id, FileCopy.account_id == viewer.account_id)
    return session.scalar(asked.order_by(FileCopy.id.desc()).limit(1))


def fetch(session: Session, viewer: Viewer, copy_id: UUID, now: datetime) -> FileCopy:
    """The copy, to be given out now: it is counted and recorded.

    Raises NotFound for another's, for one that is not ready or over, and when the right to the child is gone.
    """
    found = session.scalar(select(FileCopy).where(FileCopy.id == copy_id).with_for_update())
    if found is None or found.account_id != viewer.account_id:
        raise NotFound
    access.binding_of(session, viewer, found.patient_id)
    if found.status is not CopyStatus.READY or found.expires_at <= now:
        raise NotFound
    found.downloads += 1
    _note(session, "file-download", found, now)
    return found


def to_prepare(session: Session, copy_id: UUID, now: datetime) -> FileCopy | None:
    """The copy, if it is still wanted and its guardian may still have it; else it has failed."""
    found = session.scalar(select(FileCopy).where(FileCopy.id == copy_id).with_for_update())
    if found is None or found.account_id is None or found.status is not CopyStatus.REQUESTED:
        return None
    try:
        access.binding_of(session, Viewer(found.account_id, found.locale), found.patient_id)
    except NotFound:
        advance(found, CopyStatus.FAILED, by="job:copy", why="no-right", now=now)
        return None
    return found


def progress(session: Session, copy_id: UUID, done: int, total: int) -> None:
    """How far the preparation has come."""
    found = session.get_one(FileCopy, copy_id)
    found.done, found.total = done, total


def ready(session: Session, copy_id: UUID, size: int, now: datetime, policy: Policy) -> None:
    """The file is kept (``size`` bytes): its guardian is told and can fetch it from now on."""
    found = session.get_one(FileCopy, copy_id, with_for_update=True)
    if found.status is CopyStatus.REQUESTED:
        advance(found, CopyStatus.READY, by="job:copy", why="prepared", now=now)
        found.size, found.ready_at, found.done = size, now, found.total
        found.expires_at = now + timedelta(days=policy.file_copy_days)
        _finished(session, found)


def failed(session: Session, copy_id: UUID, now: datetime) -> None:
    """It could not be prepared: its guardian is told and can ask again."""
    found = session.get_one(FileCopy, copy_id, with_for_update=True)
    if found.status is CopyStatus.REQUESTED:
        advance(found, CopyStatus.FAILED, by="job:copy", why="error", now=now)
        _finished(session, found)


def _finished(session: Session, found: FileCopy) -> None:
    if found.account_id:
        emit(session, CopyFinished(found.id, found.account_id))


def outdate(session: Session, now: datetime, limit: int = 100) -> Sequence[tuple[UUID, str]]:
    """Copies whose files are to be deleted, with the names; those past their days can't be fetched from now on, and
    those of which nothing was heard for hours have failed."""
    stale = (FileCopy.status == CopyStatus.REQUESTED) & (FileCopy.asked_at < now - STALE)
    for copy_id in session.scalars(select(FileCopy.id).where(stale).limit(limit)).all():
        failed(session, copy_id, now)
    session.flush()
    kept = FileCopy.file_name.is_not(None)
    past = (FileCopy.status == CopyStatus.READY) & (FileCopy.expires_at <= now)
    found = session.scalars(
        select(FileCopy).where(kept, or_(past, FileCopy.status.in_(ENDED))).limit(limit).with_for_update()
    ).all()
    for one in found:
        if one.status is CopyStatus.READY:
            advance(one, CopyStatus.OVER, by="job:copy", why="days over", now=now)
    return [(one.id, one.file_name) for one in found if one.file_name]


def forget_file(session: Session, copy_id: UUID) -> None:
    """The file was deleted."""
    session.get_one(FileCopy, copy_id).file_name = None


def for_hospital(session: Session, number: str, reason: str, locale: str, now: datetime, *, by: str) -> FileCopy:
    """Note that the hospital takes a copy of the file of the child with this patient number, and why.

    Raises NoSuchChild, ReasonMissing.
    """
    child = child_of_number(session, number)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    made = FileCopy(
        patient_id=child.id,
        by=by,
        reason=reason.strip(),
        locale=locale,
        status=CopyStatus.OVER,
        asked_at=now,
        expires_at=now,
    )
    session.add(made)
    session.flush()
    _note(session, "file-export", made, now)
    return made


def _note(session: Session, action: str, found: FileCopy, now: datetime) -> None:
    audit(
        session,
        action,
        at=now,
        entity="patient",
        entity_id=found.patient_id,
        account_id=found.account_id,
        copy=str(found.id),
        by=found.by,
    )
