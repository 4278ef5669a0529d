"""Recordings of visits: what stopped coming is noted; pieces whose files were never known to be kept are given up."""

from __future__ import annotations

from procrastinate import App

from config.clock import now
from config.database import transaction
from consultation.talk.recordings import actions, queries
from people.files import FileStore, FilesUnavailable

HOURLY = "47 * * * *"


def join(app: App, files: FileStore) -> None:
    """Add the tasks that need the files."""

    @app.periodic(cron=HOURLY)
    @app.task(name="consultation.pieces", queueing_lock="consultation.pieces")
    def give_up(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        give_up_pieces(files)


def see_to() -> None:
    """Note the recordings that should go on and do not."""
    with transaction() as session:
        actions.watch(session, now())


def give_up_pieces(files: FileStore) -> None:
    """Delete what there may be of the files, and then their rows; what can't be deleted now is left."""
    with transaction() as session:
        left = queries.left_behind(session, now())
    for chunk_id, name in left:
        try:
            files.delete(name)
        except FilesUnavailable:
            return
        with transaction() as session:
            actions.forget(session, chunk_id)
