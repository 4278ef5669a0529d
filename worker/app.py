"""The queue's tasks and clockwork, and the worker that runs them until it is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import structlog
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Status

from booking.actions.stopping import SUSPEND
from booking.pool import GIVE_BACK, NumberPool, PoolUnavailable
from booking.rosters.cutting import CUT
from config.jobs import HANDLE_FACT
from config.settings import Settings
from consultation.talk.video import HostedRooms
from notifications.results import LATER as NOTE_RESULT
from notifications.sending import TEXT_INSTEAD
from payments.gateway import Gateway
from people.index import PatientIndex
from people.staff import TAG
from prescriptions.delivery.couriers import Couriers
from prescriptions.signing.authority import CertificateAuthority
from wechat.errors import WeChatError, WeChatUnavailable
from wechat.tags import Tags
from worker import calls, copies, deliveries, jobs, keeping, money, pictures, prescriptions, recordings
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
POOL_RETRY = RetryStrategy(max_attempts=10, exponential_wait=3, retry_exceptions=[PoolUnavailable])


def build(
    settings: Settings,
    wake: Callable[[], None],
    tags: Tags,
    index: PatientIndex | None = None,
    gateway: Gateway | None = None,
    pool: NumberPool | None = None,
) -> App:
    """The queue with its tasks; ``wake`` is called when there may be something to send. ``index`` knows the phones of
    families; None: there is no provider of text messages. ``gateway`` None: nothing can be paid. ``pool``: who gives
    out numbers beside us; None: nobody."""
    app = App(connector=PsycopgConnector(conninfo=settings.libpq_url, min_size=2, max_size=CONCURRENCY + 2))

    @app.task(name=HANDLE_FACT, retry=FACT_RETRY)
    def handle_fact(kind: str, data: dict[str, str | None]) -> None:
        jobs.handle_fact(kind, data)
        wake()

    @app.task(name=TAG, retry=TAG_RETRY)
    def tag(account_id: str) -> None:
        jobs.tag(tags, account_id)

    app.task(name=SUSPEND, retry=FACT_RETRY)(jobs.suspend_schedule)
    app.task(name=NOTE_RESULT, retry=RESULT_RETRY)(jobs.note_result)

    @app.task(name=TEXT_INSTEAD, retry=FACT_RETRY)
    def text_instead(notification_id: str) -> None:
        if index is None:
            jobs.call_instead(notification_id)
        else:
            jobs.text_instead(notification_id, index)
            wake()

    _rosters(app, pool)
    _clockwork(app, wake)
    keeping.join(app)
    if gateway:
        _money(app, gateway)
    return app


def _rosters(app: App, pool: NumberPool | None) -> None:
    """Cutting, one at a time: by the hour, when a roster changed, and what goes back to the hospital's own system."""

    @app.periodic(cron=HOURLY)
    @app.task(name="booking.cut", queueing_lock="booking.cut", lock=CUT)
    def cut(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        jobs.cut(pool)

    @app.task(name=CUT)
    def cut_day(day: str) -> None:
        jobs.cut_day(date.fromisoformat(day), pool)

    @app.task(name=GIVE_BACK, retry=POOL_RETRY)
    def give_back(department: str, practitioner: str, day: str, period: str, numbers: list[int]) -> None:
        if pool:
            jobs.give_back(pool, jobs.clinic(department, practitioner, day, period), numbers)


def _clockwork(app: App, wake: Callable[[], None]) -> None:
    """What happens at its time. The queueing lock keeps a busy worker from piling up the same sweep."""

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="booking.remind", queueing_lock="booking.remind", priority=FIRST)
    def remind(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        jobs.remind()

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="booking.open", queueing_lock="booking.open", priority=FIRST)
    def open_numbers(timestamp: int) -> None:  # noqa: ARG001
        jobs.open_numbers()

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

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="booking.marks", queueing_lock="booking.marks")
    def marks(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_marks()

    @app.periodic(cron=HOURLY)
    @app.task(name="booking.missed", queueing_lock="booking.missed")
    def missed(timestamp: int) -> None:  # noqa: ARG001
        jobs.mark_missed()

    @app.periodic(cron=HOURLY)
    @app.task(name="consultation.records", queueing_lock="consultation.records")
    def see_to_records(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_records()
        wake()

    @app.periodic(cron=HOURLY)
    @app.task(name="people.staff", queueing_lock="people.staff")
    def see_to_staff(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_staff()

    @app.periodic(cron=HOURLY)
    @app.task(name="consultation.rooms", queueing_lock="consultation.rooms")
    def see_to_rooms(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_rooms()

    _waiting_lists(app)
    _medicines(app, wake)
    _housekeeping(app)


def _money(app: App, gateway: Gateway) -> None:
    """The gateway is asked about what is due, and its bill is compared once it is there."""

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="payments.sweep", queueing_lock="payments.sweep", priority=FIRST)
    def sweep_money(timestamp: int) -> None:  # noqa: ARG001
        money.sweep(gateway)

    @app.periodic(cron=HOURLY)
    @app.task(name="payments.reconcile", queueing_lock="payments.reconcile")
    def reconcile(timestamp: int) -> None:  # noqa: ARG001
        money.reconcile(gateway)


def _waiting_lists(app: App) -> None:
    """Offers lapse, which makes the next ones; lists close. Unanswered calls end; who waits long is looked after."""

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="consultation.lines", queueing_lock="consultation.lines", priority=FIRST)
    def see_to_lines(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_lines()

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="consultation.written", queueing_lock="consultation.written")
    def see_to_written(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_written()

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="consultation.recordings", queueing_lock="consultation.recordings", priority=FIRST)
    def see_to_recordings(timestamp: int) -> None:  # noqa: ARG001
        recordings.see_to()

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="booking.waiting", queueing_lock="booking.waiting", priority=FIRST)
    def see_to_waiting(timestamp: int) -> None:  # noqa: ARG001
        jobs.see_to_waiting()


def _medicines(app: App, wake: Callable[[], None]) -> None:
    """Families are reminded of medicines, and asked at the end of a course."""

    @app.periodic(cron=EVERY_10_SECONDS)
    @app.task(name="prescriptions.courses", queueing_lock="prescriptions.courses")
    def see_to_courses(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        jobs.see_to_courses()
        wake()


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


def run(
    settings: Settings,
    ways: Ways,
    index: PatientIndex,
    tags: Tags,
    incoming: pictures.Incoming,
    gateway: Gateway | None = None,
    pool: NumberPool | None = None,
    video: HostedRooms | None = None,
    authority: CertificateAuthority | None = None,
    courier: Couriers | None = None,
) -> None:
    """Work until SIGTERM or SIGINT; what is being done then is finished first."""
    sender = Sender(ways, settings.clinic_origin)
    app = build(settings, sender.wake, tags, index if ways.sms else None, gateway, pool)
    pictures.join(app, incoming)
    copies.join(app, incoming.files)
    recordings.join(app, incoming.files)
    prescriptions.join(app, authority, sender.wake)
    if video:
        calls.join(app, video)
    if courier:
        deliveries.join(app, courier)
    jobs.cut(pool)
    sender.start()
    try:
        app.run_worker(
            concurrency=CONCURRENCY,
            fetch_job_polling_interval=0.5,
            delete_jobs="successful",
            listen_notify=False,  # a NOTIFY would make commits wait for each other (migrations/versions/0014)
            update_heartbeat_interval=HEARTBEAT,
            stalled_worker_timeout=STALLED_AFTER,
            shutdown_graceful_timeout=20,
        )
    except ConnectorException:
        log.error("database-away")  # whoever runs us starts us again
        raise SystemExit(1) from None
    finally:
        sender.stop()
