"""A lot is recalled: given out no more, taken out of every order that waits for it, and who got it is found."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.ids import new_id
from config.jobs import emit
from config.policy import current
from config.text import N_
from people import tasks
from people.audit import record as audit
from people.models import Practitioner, Role
from prescriptions.stock.actions import Need, let_go, locked, reserve_rest
from prescriptions.stock.events import LotRecalled
from prescriptions.stock.models import Lot, RecalledChild, Reservation
from prescriptions.stock.queries import given_of
from prescriptions.stock.refusals import Recalled

FAMILY = tasks.kind(
    "recalled-lot-family",
    title=N_("Reach the family about the recalled lot %(about)s"),
    path="/desk/recalls/{id}",
    there=True,
)
NOTE = "recalled"


def recall(session: Session, lot_id: UUID, reason: str, *, by: Practitioner, now: datetime) -> Lot:
    """Stop a lot at once. What was kept back of it is kept back of other lots as far as there are any; who got it is
    listed, and each family is a task until it has been reached. Raises NotFound, Recalled.

    ``LotRecalled`` tells the families, and sees to the orders that lack something now.
    """
    lot = locked(session, lot_id)
    if lot.recalled_at is not None:
        raise Recalled
    lot.recalled_at, lot.recall_reason = now, reason[:300]
    session.flush()
    _take_out(session, lot, now)
    _find_children(session, lot, now)
    audit(session, "recall-lot", at=now, entity="lot", entity_id=lot.id, account_id=by.account_id)
    emit(session, LotRecalled(lot_id=lot.id))
    return lot


def _take_out(session: Session, lot: Lot, now: datetime) -> None:
    """Every reservation of the lot becomes one of other lots, as far as there are any."""
    kept = select(Reservation).where(Reservation.lot_id == lot.id).order_by(Reservation.id)
    for one in session.scalars(kept.execution_options(populate_existing=True)).all():
        need = Need(one.order_line_id, lot.medication_id, one.quantity, one.good_until)
        let_go(session, one, one.quantity, now, note=NOTE)
        reserve_rest(session, [need], now)


def _find_children(session: Session, lot: Lot, now: datetime) -> None:
    within = timedelta(hours=current(session, now).recall_hours)
    for patient_id, order_id in given_of(session, lot.id).items():
        row = {"id": new_id(), "lot_id": lot.id, "patient_id": patient_id, "order_id": order_id, "created_at": now}
        made = insert(RecalledChild).values(row).on_conflict_do_nothing().returning(RecalledChild.id)
        found = session.scalar(made)
        if found:
            tasks.open(
                session,
                kind=FAMILY,
                subject_id=found,
                about={"zh_CN": lot.number, "en": lot.number},
                role=Role.PHARMACIST,
                deadline=now + within,
                now=now,
            )


def reached(
    session: Session, recalled_id: UUID, now: datetime, *, by: Practitioner | None = None, account: UUID | None = None,
    note: str = "",
) -> RecalledChild:  # fmt: skip
    """The family knows: it says so itself (``account``), or somebody has spoken with it. Raises NotFound."""
    found = session.scalar(select(RecalledChild).where(RecalledChild.id == recalled_id).with_for_update())
    if found is None:
        raise NotFound
    if found.reached_at is None:
        found.reached_at, found.note = now, note or None
        found.practitioner_id, found.account_id = (by.id, None) if by else (None, account)
        tasks.settle(session, FAMILY, found.id, why="reached", now=now)
        who = by.account_id if by else account
        audit(session, "recall-reached", at=now, entity="recalled_child", entity_id=found.id, account_id=who)
    return found
