"""Calls in rooms that somebody else keeps: who has no seat any more is put out, and rooms go with their visit."""

from __future__ import annotations

from functools import partial

import structlog
from procrastinate import App

from config.database import transaction
from consultation.talk.queries import astray
from consultation.talk.video import HostedRooms, VideoUnavailable

log = structlog.get_logger()

EVERY_5_SECONDS = "* * * * * */5"


def join(app: App, video: HostedRooms) -> None:
    """Add the task that looks after the rooms."""

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="consultation.calls", queueing_lock="consultation.calls")
    def look(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        see_to(video)


def see_to(video: HostedRooms) -> None:
    """Make the rooms as the visits are. Who is inside is asked first, so that nobody is put out who came in rightly
    since the seats were read; what does not answer is asked again the next time."""
    try:
        present = video.present()
    except VideoUnavailable as error:
        log.warning("calls-unavailable", why=str(error))
        return
    if not present:
        return
    with transaction() as session:
        over, out = astray(session, present)
    for deed in [partial(video.close, one) for one in over] + [partial(video.remove, *both) for both in out]:
        try:
            deed()
        except VideoUnavailable as error:
            log.warning("call-not-ended", why=str(error))
