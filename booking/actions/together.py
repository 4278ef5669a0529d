"""Siblings back to back: numbers next to each other for several children, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import eligibility, rules
from booking.actions.taking import open_schedule, take, taken
from booking.models import Appointment, Pool, Schedule, Slot, SlotStatus
from booking.refusals import SoldOut, TooFewTogether
from config.policy import Policy
from people.audit import refusals
from people.models import Patient

TRIES = 5  # in a rush the chosen numbers go to others while they are being taken


def book_together(
    session: Session, schedule_id: UUID, patients: Sequence[Patient], account_id: UUID, now: datetime, policy: Policy
) -> list[Appointment]:
    """Take one number for each child (from people.access): consecutive ones, else the nearest of the period.

    With a fee each number is held and paid by itself, so that each can be cancelled and refunded by itself. Raises
    NotFound, NotOpen, what booking.eligibility raises, AlreadyHolding, TooFewTogether; nothing is taken then.
    """
    with refusals("book", at=now, entity="schedule", entity_id=schedule_id, account_id=account_id):
        schedule = open_schedule(session, schedule_id, now, policy)
        admitted = [eligibility.check(session, patient, account_id, schedule, now, policy) for patient in patients]
        for _ in range(TRIES):
            chosen = rules.nearest(_free(session, schedule_id), len(patients))
            if not chosen:
                break
            try:
                with session.begin_nested():
                    found = _take(session, schedule, chosen, patients, account_id, now, policy)
            except SoldOut:
                continue
            for appointment, may in zip(found, admitted, strict=True):
                appointment.evidence, appointment.screen_id = may.evidence, may.screen_id
                taken(session, appointment, now, policy)
            return found
        raise TooFewTogether(count=len(patients))


def _free(session: Session, schedule_id: UUID) -> dict[int, UUID]:
    """The open free numbers of a schedule: number to slot."""
    rows = session.execute(
        select(Slot.number, Slot.id).where(
            Slot.schedule_id == schedule_id, Slot.status == SlotStatus.FREE, Slot.pool == Pool.OPEN
        )
    )
    return {number: slot_id for number, slot_id in rows}


def _take(
    session: Session,
    schedule: Schedule,
    chosen: Sequence[UUID],
    patients: Sequence[Patient],
    account_id: UUID,
    now: datetime,
    policy: Policy,
) -> list[Appointment]:
    """One number for each, in the order of the children's ids: two who book the same ones don't wait in a circle."""
    pairs = sorted(zip(patients, chosen, strict=True), key=lambda pair: pair[0].id)
    made = {
        patient.id: take(session, schedule, patient.id, account_id, now, policy, slot_id=slot_id)
        for patient, slot_id in pairs
    }
    return [made[patient.id] for patient in patients]
