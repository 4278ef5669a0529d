"""What has been kept for long enough: removed by an administrator's command, told of every night, never by itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from procrastinate import App

from config.clock import now
from config.database import transaction
from config.policy import current
from config.text import N_
from people import tasks
from people.files import FileMissing, FileStore
from people.keeping import purging
from people.keeping.models import PurgeLine
from people.keeping.purging import Due
from people.models import Role
from worker.holdings import KEEPING

DUE_TASK = tasks.kind(
    "retention-due",
    title=N_("%(about)s records have been kept for long enough: look, and remove them with flask retention purge."),
    path="/desk/keeping",
)
WITHIN = timedelta(days=30)
NIGHTLY = "23 19 * * *"  # UTC: 3:23 in Beijing
SUBJECT = UUID(int=0)  # of the one task


class FileStays(Exception):
    """The store still has a file that it was told to delete."""


@dataclass(frozen=True)
class Removed:
    """A purge that has ended: its id, its protocol, and how many rows and files were still there (nought: proved)."""

    id: UUID
    as_of: datetime
    lines: Sequence[PurgeLine]
    left_over: int


def due() -> list[Due]:
    """What is due now, and what would be but is held; every kind."""
    with transaction() as session:
        at = now()
        return purging.due(session, KEEPING, at, current(session, at))


def purge(files: FileStore, by: str, told: Callable[[int], None] = lambda _: None) -> Removed:
    """Remove all that is due, in batches, each with its protocol in one transaction; then the files; then prove it.

    ``told`` hears of the rows of each batch. Stopped anywhere, the next call goes on with the same purge.
    Raises FilesUnavailable, FileStays.
    """
    with transaction() as session:
        policy = current(session, now())
        started = purging.begin(session, by, now())
        purge_id, as_of = started.id, started.as_of
    removed, place = -1, 0
    while removed:
        with transaction() as session:
            removed, place = purging.step(session, purge_id, KEEPING, policy, place)
        told(removed)
    while names := _waiting(purge_id):
        for name in names:
            _delete(files, name)
        with transaction() as session:
            purging.files_gone(session, purge_id, names)
    with transaction() as session:
        lines = purging.finish(session, purge_id, KEEPING, now(), policy)
        left_over = purging.left_over(session, purge_id)
        tasks.settle(session, DUE_TASK, SUBJECT, why="purged", now=now())
    return Removed(purge_id, as_of, lines, left_over)


def _waiting(purge_id: UUID) -> Sequence[str]:
    with transaction() as session:
        return purging.files(session, purge_id)


def _delete(files: FileStore, name: str) -> None:
    """Delete a file and ask the store for it again."""
    files.delete(name)
    try:
        files.get(name)
    except FileMissing:
        return
    raise FileStays(name)


def remind() -> None:
    """Open a task for the administrators when something is due; one task, however many nights pass."""
    rows = sum(one.rows for one in due())
    if not rows:
        return
    with transaction() as session:
        at = now()
        tasks.open(
            session,
            kind=DUE_TASK,
            subject_id=SUBJECT,
            about={"zh_CN": str(rows), "en": str(rows)},
            role=Role.ADMINISTRATOR,
            deadline=at + WITHIN,
            now=at,
        )


def join(app: App) -> None:
    """Add the nightly question to the queue's tasks."""

    @app.periodic(cron=NIGHTLY)
    @app.task(name="keeping.due", queueing_lock="keeping.due")
    def tell_due(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        remind()
