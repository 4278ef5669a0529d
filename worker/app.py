"""The queue's tasks and clockwork, and the worker that runs them until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from config.jobs import HANDLE_FACT
from config.settings import Settings
from notifications.results import LATER as NOTE_RESULT
from notifications.sending import TEXT_INSTEAD
from people.index import PatientIndex
from people.staff import TAG
from wechat.errors import WeChatError, WeChatUnavailable
from wechat.tags import Tags
from worker import jobs
from worker.sender import Sender, Ways

log = structlog.get_logger()

CONCURRENCY = 4  # tasks at once; with the sender's lanes as many connections as config.database.connect allows
HEARTBEAT, STALLED_AFTER = 5, 20  # seconds
STALLED_TRIES = 10  # a job that takes its worker down every time is given up
KEEP_FAILED_HOURS = 30 * 24
FIRST = 10  # the clockwork goes before a rush of facts
EVERY_5_SECONDS, EVERY_10_SECONDS = "* * * * * */5", "* * * * * */10"
EVERY_MINUTE, HOURLY = "* * * * *", "7 * * * *"

FACT_RETRY = RetryStrategy(max_attempts=8, exponential_wait=3)  # 3 s, 9 s, ... about 3 hours in all
RESULT_RETRY = RetryStrategy(max_attempts=3, exponential_wait=5, retry_exceptions=[jobs.ResultOfUnknown])

TAG_RETRY = RetryStrategy(max_attempts=8, exponential_wait=3, retry_exceptions=[WeChatError, WeChatUnavailable])


def build(settings: Settings, wake: Callable[[], None], tags: Tags, index: PatientIndex | None = None) -> App:
    """The queue with its tasks; ``wake`` is called when there may be something to send. ``index`` knows the phones of
    families; None: there is no provider of text messages."""
    app = App(connector=PsycopgConnector(conninfo=settings.libpq_url, min_size=2, max_size=CONCURRENCY + 2))

    @app.task(name=HANDLE_FACT, retry=FACT_RETRY)
    def handle_fact(kind: str, data: dict[str, str | None]) -> None:
        jobs.handle_fact(kind, data)
        wake()

    @app.task(name=TAG, retry=TAG_RETRY)
    def tag(account_id: str) -> None:
        jobs.tag(tags, account_id)

    app.task(name=NOTE_RESULT, retry=RESULT_RETRY)(jobs.note_result)

    @app.task(name=TEXT_INSTEAD, retry=FACT_RETRY)
    def text_instead(notification_id: str) -> None:
        if index is None:
            log.error("must-arrive-failed", notification=notification_id, why="no-sms-provider")
        else:
            jobs.text_instead(notification_id, index)
            wake()

    _clockwork(app, wake)
    return app


def _clockwork(app: App, wake: Callable[[], None]) -> None:
    """What happens at its time. The queueing lock keeps a busy worker from piling up the same sweep."""

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="booking.remind", queueing_lock="booking.remind", priority=FIRST)
    def remind(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        jobs.remind()

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="notifications.sweep", queueing_lock="notifications.sweep", priority=FIRST)
    def sweep(timestamp: int) -> None:  # noqa: ARG001
        jobs.free_stuck()
        wake()

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="notifications.lists", queueing_lock="notifications.lists")
    def lists(timestamp: int) -> None:  # noqa: ARG001
        jobs.tell_lists()
        wake()

    @app.periodic(cron=HOURLY)
    @app.task(name="booking.cut", queueing_lock="booking.cut")
    def cut(timestamp: int) -> None:  # noqa: ARG001
        jobs.cut()

    @app.periodic(cron=HOURLY)
    @app.task(name="people.staff", queueing_lock="people.staff")
    def see_to_staff(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_staff()

    _housekeeping(app)


def _housekeeping(app: App) -> None:
    """What the queue itself needs: the jobs of dead workers taken over, old ones deleted."""

    @app.periodic(cron=EVERY_10_SECONDS)
    @app.task(name="jobs.stalled", queueing_lock="jobs.stalled", priority=FIRST)
    async def stalled(timestamp: int) -> None:  # noqa: ARG001
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER):
            if job.attempts >= STALLED_TRIES:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
            else:
                await app.job_manager.retry_job(job)

    @app.periodic(cron=HOURLY)
    @app.task(name="jobs.tidy", queueing_lock="jobs.tidy")
    async def tidy(timestamp: int) -> None:  # noqa: ARG001
        await app.job_manager.delete_old_jobs(
            KEEP_FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
        )


def run(settings: Settings, ways: Ways, index: PatientIndex, tags: Tags) -> None:
    """Work until SIGTERM or SIGINT; what is being done then is finished first."""
    sender = Sender(ways, settings.clinic_origin)
    app = build(settings, sender.wake, tags, index if ways.sms else None)
    jobs.cut()
    sender.start()
    try:
        app.run_worker(
            concurrency=CONCURRENCY,
            fetch_job_polling_interval=0.5,
            delete_jobs="successful",
            listen_notify=True,
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED_AFTER,
            shutdown_graceful_timeout=20,
        )
    except ConnectorException:
        log.error("database-away")  # whoever runs us starts us again
        raise SystemExit(1) from None
    finally:
        sender.stop()
