"""Pictures from the chat: fetched from WeChat, checked, kept, answered; and the deletion of what is to go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import structlog
from procrastinate import App, JobContext, RetryStrategy

from booking.queries import Visit, visit_of
from config.clock import now
from config.database import transaction
from config.errors import NotFound, Refused
from config.formats import masked, moment
from config.jobs import waiting
from config.policy import current
from config.text import N_, translate
from consultation import actions, pictures, queries
from consultation.models import MediaStatus
from consultation.pictures import Checked
from consultation.refusals import PictureTooLarge
from notifications.answers import Answers
from people.access import Viewer
from people.files import FileStore, FilesUnavailable
from people.models import Account
from wechat.errors import NoSuchMedia, TooLarge, WeChatError, WeChatUnavailable

log = structlog.get_logger()

TRIES = 7  # further ones, after 3 s, 9 s, 27 s, ...: for about an hour
AWAY = (FilesUnavailable, WeChatError, WeChatUnavailable)
RETRY = RetryStrategy(max_attempts=TRIES, exponential_wait=3, retry_exceptions=AWAY)
EVERY_MINUTE, HOURLY = "* * * * *", "37 * * * *"

SAVED = N_("Saved for %(child)s, %(time)s. Pictures for this visit: %(count)s. %(pictures)s")
ALREADY = N_("This picture was saved before for %(child)s, %(time)s. %(pictures)s")
NOT_SAVED = N_("This picture was not saved. %(reason)s %(pictures)s")
LOST = N_("We could not load it from WeChat. Please send it again, or add it on the visit's page.")
NOT_YOURS = N_("The visit is no longer among yours.")


class Source(Protocol):
    """Where pictures from the chat are."""

    def fetch(self, media_id: str) -> bytes:
        """The picture. Raises TooLarge, WeChatError, WeChatUnavailable."""


@dataclass(frozen=True)
class Incoming:
    """How pictures from the chat come in: from where, into what, and how their senders are answered."""

    source: Source
    files: FileStore
    answers: Answers
    origin: str


@dataclass(frozen=True)
class Fetch:
    """One picture to fetch, as consultation.actions.await_picture wrote it."""

    who: Viewer
    appointment_id: UUID
    media_id: str
    message: bytes


@dataclass(frozen=True)
class Kept:
    """What became of a picture: the visit, how many it has now, and whether this one was among them."""

    visit: Visit
    count: int
    double: bool


def join(app: App, incoming: Incoming) -> None:
    """Add the tasks to the queue's."""

    @app.task(name=actions.FETCH, retry=RETRY, pass_context=True)
    def fetch(
        context: JobContext, account_id: str, appointment_id: str, media_id: str, message: str, locale: str
    ) -> None:
        asked = Fetch(Viewer(UUID(account_id), locale), UUID(appointment_id), media_id, bytes.fromhex(message))
        handle(incoming, asked, last=context.job.attempts >= TRIES)

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="consultation.purge", queueing_lock="consultation.purge")
    def purge_files(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        purge(incoming.files)

    @app.periodic(cron=HOURLY)
    @app.task(name="consultation.outdate", queueing_lock="consultation.outdate")
    def outdate_pictures(timestamp: int) -> None:  # noqa: ARG001
        outdate()


def handle(incoming: Incoming, asked: Fetch, *, last: bool) -> None:
    """Keep a picture, and tell its sender or say why not. Raises what can be tried again, unless this is the last."""
    try:
        kept = _keep(incoming, asked)
    except AWAY as error:
        if not last and not isinstance(error, NoSuchMedia):
            raise
        log.warning("picture-lost", error=type(error).__name__)
        _refuse(incoming, asked, LOST)
    except NotFound:
        _refuse(incoming, asked, NOT_YOURS)
    except Refused as refusal:
        _refuse(incoming, asked, refusal.message, **refusal.params)
    else:
        if kept:
            _tell(incoming, asked, kept)


def _keep(incoming: Incoming, asked: Fetch) -> Kept | None:
    """None when this message's picture was seen to before. Raises Refused, WeChatError, WeChatUnavailable."""
    with transaction() as session:
        known = queries.of_message(session, asked.message)
        if known and known.status is not MediaStatus.PREPARATION:
            return None
        visit_of(session, asked.who, asked.appointment_id)
    picture = _checked(incoming.source, asked.media_id)
    with transaction() as session:
        at, visit = now(), visit_of(session, asked.who, asked.appointment_id)
        policy = current(session, at, visit.department.code)
        media = actions.begin(session, visit, asked.who.account_id, picture, at, policy, asked.message)
    if media.status is MediaStatus.PREPARATION:
        incoming.files.put(media.file_name, picture.data)
    with transaction() as session:
        actions.completed(session, media.id, now())
        session.flush()
        count = len(queries.pictures(session, visit))
    return Kept(visit, count, media.message != asked.message)


def _checked(source: Source, media_id: str) -> Checked:
    try:
        return pictures.checked(source.fetch(media_id))
    except TooLarge:
        raise PictureTooLarge(megabytes=pictures.MEGABYTES) from None


def _tell(incoming: Incoming, asked: Fetch, kept: Kept) -> None:
    """Tell that it is saved; of several sent at once, with the last."""
    with transaction() as session:
        if waiting(session, actions.queue_of(asked.who.account_id)):
            return
    visit = kept.visit
    facts = {
        "child": masked(visit.patient.name),
        "time": moment(visit.appointment.starts_at, asked.who.locale),
        "count": kept.count,
    }
    _say(incoming, asked, ALREADY if kept.double else SAVED, **facts)


def _refuse(incoming: Incoming, asked: Fetch, reason: str, **params: object) -> None:
    _say(incoming, asked, NOT_SAVED, reason=translate(asked.who.locale, reason, **params))


def _say(incoming: Incoming, asked: Fetch, text: str, **params: object) -> None:
    with transaction() as session:
        openid = session.get_one(Account, asked.who.account_id).openid
    locale = asked.who.locale
    page = f"{incoming.origin}/visits/{asked.appointment_id}#pictures"
    link = f'<a href="{page}">{translate(locale, N_("Its pictures"))}</a>'
    incoming.answers.say(openid, translate(locale, text, **params, pictures=link))


def outdate() -> None:
    """Mark the pictures that are to go."""
    with transaction() as session:
        actions.outdate(session, now(), current(session, now()))


def purge(files: FileStore) -> None:
    """Delete the files of the pictures that are to go, and then their rows; what can't be deleted now is left."""
    with transaction() as session:
        gone = [(media.id, media.file_name) for media in queries.to_delete(session)]
    for media_id, name in gone:
        try:
            files.delete(name)
        except FilesUnavailable:
            return
        with transaction() as session:
            actions.forget(session, media_id)
