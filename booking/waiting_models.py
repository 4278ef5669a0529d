"""The waiting list (候补) of a full period: one row per child that waits for a number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Id, stored_enum
from config.states import Stateful


class WaitingStatus(StrEnum):
    """In line; a number is held for the child until somebody answers; how it ended. Accepted: an appointment like any
    other from then on. Closed: the list ended, or the child has a number of that department and day."""

    WAITING = "waiting"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"
    LEFT = "left"
    CLOSED = "closed"


OPEN = (WaitingStatus.WAITING, WaitingStatus.OFFERED)
_OPEN = "status in ('waiting', 'offered')"
_WAITS = "status = 'waiting'"


class WaitingEntry(Stateful):
    """A child in line for a schedule, in the order of the ids, which are made under the schedule's lock.

    ``account_id``: the guardian who joined, and who is told. ``closes_at``: from when on nothing is offered any more.
    ``appointment_id``: the number that was offered.
    """

    __tablename__ = "waiting_entries"
    __table_args__ = (
        Index("ix_waiting_entries_next", "schedule_id", "id", postgresql_where=text(_WAITS)),
        Index("ix_waiting_entries_over", "closes_at", postgresql_where=text(_WAITS)),
        Index("uq_waiting_entries_child", "patient_id", "schedule_id", unique=True, postgresql_where=text(_OPEN)),
        Index(None, "account_id"),
        CheckConstraint("status not in ('offered', 'accepted') or appointment_id is not null", name="offered"),
    )
    MOVES: ClassVar[Mapping[WaitingStatus, frozenset[WaitingStatus]]] = {
        WaitingStatus.WAITING: frozenset({WaitingStatus.OFFERED, WaitingStatus.LEFT, WaitingStatus.CLOSED}),
        WaitingStatus.OFFERED: frozenset(
            {WaitingStatus.ACCEPTED, WaitingStatus.DECLINED, WaitingStatus.LAPSED, WaitingStatus.CLOSED}
        ),
    }

    id: Mapped[Id]
    schedule_id: Mapped[UUID] = mapped_column(ForeignKey("schedules.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patients.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[WaitingStatus] = mapped_column(stored_enum(WaitingStatus, "status"), default=WaitingStatus.WAITING)
    joined_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"), unique=True)
