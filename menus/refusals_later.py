"""What is owed for bookings refused in front of Flask: their audit record and their count as tries, twice a second."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime
from threading import Lock, Thread, main_thread
from time import sleep
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from booking.refusals import SoldOut
from config.database import looking
from config.ids import new_id
from menus import limits

log = structlog.get_logger()

PAUSE = 0.5  # seconds between two writings
MOST = 100_000  # records that wait while the database is away; the oldest go


class Refusal(NamedTuple):
    """Who asked (the id in their cookie), for which period and child, and when."""

    sign_in_id: UUID
    schedule_id: UUID
    patient_id: UUID
    at: datetime


class RefusalsLater:
    """Records that wait, and the thread that writes them while there are any."""

    def __init__(self, tries: limits.Counter) -> None:
        self._tries = tries
        self._waiting: deque[Refusal] = deque(maxlen=MOST)
        self._lock = Lock()
        self._writer: Thread | None = None

    def add(self, refusal: Refusal) -> None:
        """Somebody was told that a period is sold out."""
        with self._lock:
            self._waiting.append(refusal)
            if self._writer is None:  # not a daemon: what waits is written before the process ends
                self._writer = Thread(target=self._write_on, name="refusals-later")
                self._writer.start()

    def _write_on(self) -> None:
        while True:
            sleep(PAUSE)
            written = self.write()
            with self._lock:
                if not self._waiting or (not written and not main_thread().is_alive()):
                    self._writer = None
                    return

    def write(self) -> bool:
        """Write what waits; False: the database is away, and all waits on."""
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if not waiting:
            return True
        try:
            self._tries.add(_record(waiting))
        except SQLAlchemyError as error:
            log.warning("refusals-unwritten", error=type(error).__name__, count=len(waiting))
            self._waiting.extendleft(reversed(waiting))
            return False
        return True


def _record(refusals: list[Refusal]) -> Counter[UUID]:
    """Write the record of those whose sign-in is known; returns how often each account tried."""
    values = [list(column) for column in zip(*refusals, strict=True)]
    with looking() as session:
        given = dict(zip(Refusal._fields, values, strict=True), ids=[new_id() for _ in refusals])
        return Counter(account_id for (account_id,) in session.execute(RECORD, given))


RECORD = text(
    f"""
    insert into audit_events (id, at, account_id, action, outcome, entity, entity_id, detail)
    select one.id, one.at, sign_ins.account_id, 'book', '{SoldOut.code}', 'schedule', one.schedule,
           jsonb_build_object('patient', one.patient)
    from unnest(cast(:ids as uuid[]), cast(:sign_in_id as uuid[]), cast(:schedule_id as uuid[]),
                cast(:patient_id as uuid[]), cast(:at as timestamptz[])) as one (id, sign_in, schedule, patient, at)
    join sign_ins on sign_ins.id = one.sign_in
    returning account_id
    """  # noqa: S608 - a constant of ours
)
