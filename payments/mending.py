"""Refunds that did not go through: tried again, or made anew by a member of staff."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from config.errors import NotFound
from payments import rules
from payments.actions import REFUND_FAILED, failed, locked, new_refund
from payments.gateway import RefundState
from payments.models import Refund
from payments.refusals import NotRepeatable
from people import tasks
from people.audit import record as audit


def refund_again(session: Session, refund_id: UUID, *, by: UUID, now: datetime) -> Refund:
    """A refund that the gateway has closed is made anew under a number of its own, by a member of staff.

    The money stays what it is: on its way back. Raises NotFound, NotRepeatable.
    """
    old = session.get(Refund, refund_id)
    if old is None:
        raise NotFound
    payment = locked(session, old.payment_id)
    session.refresh(old)
    if old.status is not RefundState.CLOSED or old.again_id is not None:
        raise NotRepeatable
    made = new_refund(session, payment, old.amount_fen, old.reason, now)
    old.again_id, old.ask_at = made.id, None
    tasks.settle(session, REFUND_FAILED, old.id, why="again", now=now)
    audit(session, "refund-again", at=now, entity="refund", entity_id=old.id, account_id=by, anew=str(made.id))
    return made


def refund_refused(session: Session, refund_id: UUID, code: str, now: datetime) -> None:
    """The gateway does not take a refund (no money there, say): somebody is asked, and it is tried again later."""
    refund = session.get_one(Refund, refund_id)
    locked(session, refund.payment_id)
    session.refresh(refund)
    if refund.status is RefundState.PROCESSING:
        if refund.error is None:
            failed(session, refund, now)
        refund.error = code[:40]
        refund.ask_at = rules.ask_refund_at(refund.created_at, now)


def refund_later(session: Session, refund_id: UUID, now: datetime) -> None:
    """The gateway could not be reached: the same refund is tried again."""
    refund = session.get_one(Refund, refund_id, with_for_update=True)
    if refund.ask_at is not None:
        refund.ask_at = rules.ask_refund_at(refund.created_at, now, by_hand=refund.status is RefundState.ABNORMAL)
