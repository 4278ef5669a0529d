"""What the worker does about parcels: gives them to the courier, asks where they are, and tells of those that are late.

The courier is asked with no transaction open: claim, close, call, write. Who dies in between leaves a claim that ends.
"""

from __future__ import annotations

import structlog
from procrastinate import App

from config.clock import now
from config.database import transaction
from prescriptions.delivery import actions
from prescriptions.delivery.couriers import CourierRefused, Couriers, CourierUnavailable, Parcel

log = structlog.get_logger()

EVERY_5_SECONDS, FIRST = "* * * * * */5", 10
AT_ONCE = 50  # parcels of one sweep


def join(app: App, courier: Couriers) -> None:
    """Make the sweep known to the queue."""

    @app.periodic(cron=EVERY_5_SECONDS)
    @app.task(name="prescriptions.deliveries", queueing_lock="prescriptions.deliveries", priority=FIRST)
    def deliveries(timestamp: int) -> None:  # noqa: ARG001 - periodic tasks are told the time
        see_to(courier)


def see_to(courier: Couriers) -> None:
    """Everything about parcels that is due."""
    for _ in range(AT_ONCE):
        if not _next(courier):
            break
    more = True
    while more:
        with transaction() as session:
            more = actions.warn_late(session, now())


def _next(courier: Couriers) -> bool:
    """See to one parcel. False: none is due, or the courier is away, and the rest waits for the next sweep."""
    with transaction() as session:
        found = actions.claim(session, now())
        if found is None:
            return False
        parcel, waybill, carrier = actions.as_parcel(session, found), found.waybill, found.courier
    if carrier not in {None, courier.code}:  # another courier carries since then: what is under way is seen to by hand
        return _write_nobody(parcel)
    try:
        if waybill is None:
            _order(courier, parcel)
        else:
            _ask(courier, parcel, waybill)
    except CourierRefused as refused:
        log.warning("courier-refused", id=str(parcel.id), code=refused.code)
        with transaction() as session:
            actions.not_taken(session, parcel.id, refused.code, now())
    except CourierUnavailable as away:
        log.warning("courier-unavailable", id=str(parcel.id), code=away.code)
        with transaction() as session:
            actions.unanswered(session, parcel.id, away.code, now())
        return False
    return True


def _order(courier: Couriers, parcel: Parcel) -> None:
    waybill = courier.create(parcel)
    with transaction() as session:
        actions.taken(session, parcel.id, courier.code, waybill, now(), traces=courier.traces)


def _ask(courier: Couriers, parcel: Parcel, waybill: str) -> None:
    steps = courier.trace(parcel.id, waybill)
    with transaction() as session:
        actions.traced(session, parcel.id, steps, now())


def _write_nobody(parcel: Parcel) -> bool:
    with transaction() as session:
        actions.not_taken(session, parcel.id, "another-courier", now())
    return True
