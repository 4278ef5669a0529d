"""Prescriptions by the clock: reviews that are late, validity that ends, keys that need a certificate."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from procrastinate import App

from config.clock import now
from config.database import transaction
from prescriptions.review.watching import watch
from prescriptions.signing import keys
from prescriptions.signing.authority import AuthorityUnavailable, CertificateAuthority

log = structlog.get_logger()

EVERY_MINUTE = "* * * * *"


def join(app: App, authority: CertificateAuthority | None, wake: Callable[[], None]) -> None:
    """Add the tasks to the queue's."""

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name="prescriptions.watch", queueing_lock="prescriptions.watch")
    def see_to(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        with transaction() as session:
            watch(session, now())
        wake()

    if authority:
        vouched = authority

        @app.periodic(cron=EVERY_MINUTE)
        @app.task(name="prescriptions.certificates", queueing_lock="prescriptions.certificates")
        def certificates(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
            enrol(vouched)


def enrol(authority: CertificateAuthority) -> None:
    """Ask for the certificates that are missing or run out soon, each with no transaction open. What is not answered is
    asked again the next time, with another key."""
    with transaction() as session:
        wanted = keys.missing(session, authority, now())
    for one in wanted:
        try:
            chain = authority.issue(one.request, now())
            with transaction() as session:
                keys.keep(session, one, chain, authority, now())
        except AuthorityUnavailable as error:
            log.warning("no-certificate", practitioner=str(one.practitioner_id), why=str(error))
            return
