"""What the worker does about money: asks the gateway about what is due, in a few lanes, and compares its bills."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import structlog

from config.clock import now, real_now
from config.database import transaction
from payments import collecting, reconciling
from payments.due import Due, claim
from payments.gateway import Gateway, GatewayError
from payments.models import ReconciliationStatus

log = structlog.get_logger()

LANES = 4
BATCH = 32  # at once: what a gateway that is away delays must be over before the lease of those who ask is


def sweep(gateway: Gateway, lanes: int = LANES) -> None:
    """Ask about every payment and refund that is due, until none is."""
    with ThreadPoolExecutor(lanes, thread_name_prefix="money") as pool:
        while due := _claim():
            reached = list(pool.map(lambda one: _see_to(gateway, one), due))
            if not any(reached):
                return  # it is away: the next sweep tries again


def _claim() -> list[Due]:
    with transaction() as session:
        return claim(session, now(), BATCH)


def _see_to(gateway: Gateway, due: Due) -> bool:
    """Whether the gateway answered."""
    try:
        collecting.see_to(gateway, due, now())
    except GatewayError as error:
        log.warning("gateway-failed", id=str(due.id), refund=due.refund, code=error.code)
        return False
    except Exception:  # one that is broken must not keep the others waiting; its lease ends
        log.exception("money-stuck", id=str(due.id), refund=due.refund)
        return False
    return True


def reconcile(gateway: Gateway) -> None:
    """Compare the bills that are there now and were not compared yet."""
    with transaction() as session:
        days = reconciling.due(session, real_now())
    for day in days:
        found = reconciling.reconcile(gateway, day, real_now())
        log.info("reconciled", day=day.isoformat(), status=found.status.value, error=found.error)
        if found.status is ReconciliationStatus.WAITING:
            return
