"""What changes in money. Each verb takes the payment's lock first, so that what comes late or twice finds what is true.

None of them calls the gateway: payments/collecting.py does, with no transaction open.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Insert, Text, cast, func, insert, literal, select
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.formats import yuan
from config.ids import new_id
from config.jobs import emit
from config.states import advance
from config.text import N_
from payments import gateway, rules
from payments.events import PaymentClosed, PaymentSettled, RefundFailed, RefundFinished
from payments.gateway import RefundState, TradeState
from payments.ledger import post
from payments.models import OPEN, PAID, LedgerAccount, Payment, Refund
from payments.refusals import MoreThanLeft
from people import tasks
from people.audit import record as audit
from people.models import Account, Role

OTHER_AMOUNT = tasks.kind(
    "payment-other-amount", title=N_("WeChat Pay reports another amount for payment %(about)s"), path="/desk/money"
)
REFUND_FAILED = tasks.kind(
    "refund-failed", title=N_("A refund did not go through: %(about)s"), path="/desk/money"
)  # fmt: skip
UNKNOWN_TO_GATEWAY = "unknown-number"


def charge(
    session: Session,
    *,
    account_id: UUID,
    purpose: str,
    reference_id: UUID,
    description: str,
    amount_fen: int,
    expires_at: datetime,
    now: datetime,
) -> Payment:
    """Ask an account for money: at least 1 fen, until ``expires_at``. The gateway hears of it at checkout."""
    payment_id = new_id()
    payment = Payment(
        id=payment_id,
        number=payment_id.hex,
        account_id=account_id,
        purpose=purpose,
        reference_id=reference_id,
        description=described(description),
        amount_fen=amount_fen,
        refunded_fen=0,
        expires_at=expires_at,
        status=TradeState.NOTPAY,
        created_at=now,
        ask_at=expires_at,
    )
    session.add(payment)
    session.flush()
    return payment


def charging(
    rows: FromClause,
    *,
    payment_id: ColumnElement[UUID],
    account_id: ColumnElement[UUID],
    purpose: str,
    reference_id: ColumnElement[UUID],
    description: ColumnElement[str],
    amount_fen: ColumnElement[int],
    expires_at: ColumnElement[datetime],
    now: ColumnElement[datetime],
) -> Insert:
    """``charge`` for each of these rows as part of a statement. What is given are their columns."""
    values: dict[str, ColumnElement[Any]] = {
        "id": payment_id,
        "number": func.replace(cast(payment_id, Text), "-", ""),
        "account_id": account_id,
        "purpose": literal(purpose),
        "reference_id": reference_id,
        "description": description,
        "amount_fen": amount_fen,
        "refunded_fen": literal(0),
        "expires_at": expires_at,
        "status": literal(TradeState.NOTPAY.value),
        "created_at": now,
        "ask_at": expires_at,
    }
    chosen = select(*values.values()).select_from(rows)
    return insert(Payment).from_select(list(values), chosen, include_defaults=False)


def described(text: str) -> str:
    """As much of a bill's text as WeChat Pay takes: 127 bytes."""
    return _bytes(text, 127)


def locked(session: Session, payment_id: UUID) -> Payment:
    """The payment as it is now, ours until the transaction ends. Raises NotFound."""
    found = session.scalar(
        select(Payment)
        .where(Payment.id == payment_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )  # fmt: skip
    if found is None:
        raise NotFound
    return found


def found(session: Session, payment_id: UUID) -> Payment:
    """The payment, to look at. Raises NotFound."""
    payment = session.get(Payment, payment_id)
    if payment is None:
        raise NotFound
    return payment


def settle(session: Session, found: gateway.Payment, now: datetime) -> Payment | None:
    """The gateway says that an order was paid: book it, once. Returns the payment; None for a number that is not ours.

    Another amount is never booked: it becomes a task, and the payment stays as it is. What was closed before is paid
    all the same, and PaymentSettled tells whoever has given away what it was for.
    """
    known = session.scalar(select(Payment.id).where(Payment.number == found.number))
    if known is None:
        audit(session, "settle", at=now, entity="payment", outcome=UNKNOWN_TO_GATEWAY, number=found.number)
        return None
    payment = locked(session, known)
    if payment.paid or found.state not in PAID:
        return payment
    if found.amount_fen != payment.amount_fen:
        _other_amount(session, payment, found, now)
        return payment
    advance(payment, TradeState.SUCCESS, by="gateway", why=found.transaction or "", now=now)
    payment.transaction, payment.paid_at, payment.ask_at = found.transaction, found.paid_at or now, None
    session.flush()
    lines = {LedgerAccount.GATEWAY: payment.amount_fen, LedgerAccount.HELD: -payment.amount_fen}
    post(session, lines, payment_id=payment.id, why="paid", now=now)
    tasks.settle(session, OTHER_AMOUNT, payment.id, why="paid", now=now)
    _note_payer(session, payment, found.payer, now)
    emit(session, PaymentSettled(payment_id=payment.id))
    return payment


def _other_amount(session: Session, payment: Payment, found: gateway.Payment, now: datetime) -> None:
    sums: dict[str, Any] = {"ours": payment.amount_fen, "theirs": found.amount_fen}
    audit(session, "settle", at=now, entity="payment", entity_id=payment.id, outcome="other-amount", **sums)
    _ask_somebody(session, OTHER_AMOUNT, payment, now)


def _note_payer(session: Session, payment: Payment, payer: str | None, now: datetime) -> None:
    """Whoever pays is the one who was asked; anybody else is worth a line in the audit."""
    other = payer is not None and payer != session.get_one(Account, payment.account_id).openid
    outcome = "other-payer" if other else "done"
    audit(session, "settle", at=now, entity="payment", entity_id=payment.id, outcome=outcome)


def note_state(session: Session, payment_id: UUID, state: TradeState, now: datetime) -> Payment:
    """An order that is neither paid nor over is in this state now; it is asked about again."""
    payment = locked(session, payment_id)
    if payment.open and state is not payment.status and state in OPEN:
        advance(payment, state, by="gateway", why="asked", now=now)
    return ask_later(session, payment_id, now)


def ask_later(session: Session, payment_id: UUID, now: datetime) -> Payment:
    """The gateway is asked about an open payment again, and about one that is over no more."""
    payment = locked(session, payment_id)
    again = rules.ask_payment_at(payment.created_at, payment.expires_at, now)
    payment.ask_at = again if payment.open else None
    return payment


def closed(session: Session, payment_id: UUID, now: datetime) -> bool:
    """The order is closed at the gateway, or never got there. Returns False when it was paid meanwhile: paid wins."""
    payment = locked(session, payment_id)
    if payment.open:
        advance(payment, TradeState.CLOSED, by="gateway", why="unpaid", now=now)
        payment.ask_at = None
        emit(session, PaymentClosed(payment_id=payment.id))
    return not payment.paid


def refund(
    session: Session, payment_id: UUID, *, reason: str, now: datetime, amount_fen: int | None = None
) -> Refund | None:
    """Give back what is left of a payment, or a part of it. Returns None when nothing is left, or nothing was paid.

    ``reason`` is a code of payments/reasons.py. The money is returning from now on; the worker sends it. Asking twice
    for all of it refunds once. Raises MoreThanLeft, NotFound.
    """
    payment = locked(session, payment_id)
    left = payment.amount_fen - payment.refunded_fen if payment.paid else 0
    if not left:
        return None
    wanted = left if amount_fen is None else amount_fen
    if not 0 < wanted <= left:
        raise MoreThanLeft
    made = new_refund(session, payment, wanted, reason, now)
    payment.refunded_fen += wanted
    if payment.status is not TradeState.REFUND:
        advance(payment, TradeState.REFUND, by="clinic", why=reason, now=now)
    session.flush()
    source = LedgerAccount.EARNED if payment.earned_at else LedgerAccount.HELD
    lines = {source: wanted, LedgerAccount.RETURNING: -wanted}
    post(session, lines, payment_id=payment.id, refund_id=made.id, why="refund", now=now)
    audit(session, "refund", at=now, entity="payment", entity_id=payment.id, why=reason, fen=wanted)
    return made


def new_refund(session: Session, payment: Payment, amount_fen: int, reason: str, now: datetime) -> Refund:
    """The row of a refund, to be sent at once."""
    refund_id = new_id()
    made = Refund(
        id=refund_id,
        number=refund_id.hex,
        payment_id=payment.id,
        amount_fen=amount_fen,
        reason=reason,
        status=RefundState.PROCESSING,
        created_at=now,
        ask_at=now,
    )
    session.add(made)
    session.flush()
    return made


def earn(session: Session, payment_id: UUID, now: datetime) -> bool:
    """What was paid for has taken place: what is left of it is the hospital's. Returns whether that is new."""
    payment = locked(session, payment_id)
    left = payment.amount_fen - payment.refunded_fen
    if not payment.paid or payment.earned_at or not left:
        return False
    payment.earned_at = now
    lines = {LedgerAccount.HELD: left, LedgerAccount.EARNED: -left}
    post(session, lines, payment_id=payment.id, why="earned", now=now)
    return True


def refund_result(session: Session, found: gateway.Refund, now: datetime) -> Refund | None:
    """The gateway says what became of a refund. Returns it; None for a number that is not ours.

    Only SUCCESS moves money. CLOSED and ABNORMAL become a task; a SUCCESS that somebody brought about by hand ends it.
    """
    known = session.scalar(select(Refund).where(Refund.number == found.number))
    if known is None:
        audit(session, "refund-result", at=now, entity="refund", outcome=UNKNOWN_TO_GATEWAY, number=found.number)
        return None
    locked(session, known.payment_id)
    session.refresh(known)
    if found.refund_fen != known.amount_fen:
        sums: dict[str, Any] = {"ours": known.amount_fen, "theirs": found.refund_fen}
        audit(session, "refund-result", at=now, entity="refund", entity_id=known.id, outcome="other-amount", **sums)
        _ask_somebody(session, REFUND_FAILED, known, now)
        known.ask_at = rules.ask_refund_at(known.created_at, now, by_hand=True)
        return known
    known.gateway_id, known.sent_at = found.refund, known.sent_at or now
    if found.state is RefundState.SUCCESS:
        _returned(session, known, found.refunded_at or now, now)
    elif known.status not in {RefundState.SUCCESS, RefundState.CLOSED}:
        _not_returned(session, known, found.state, now)
    return known


def _returned(session: Session, refund: Refund, refunded_at: datetime, now: datetime) -> None:
    if refund.status is RefundState.SUCCESS or refund.again_id is not None:
        return  # one that was made anew and came all the same shows as a difference of the bill
    advance(refund, RefundState.SUCCESS, by="gateway", why=refund.reason, now=now)
    refund.refunded_at, refund.ask_at, refund.error = refunded_at, None, None
    lines = {LedgerAccount.RETURNING: refund.amount_fen, LedgerAccount.GATEWAY: -refund.amount_fen}
    post(session, lines, payment_id=refund.payment_id, refund_id=refund.id, why="refunded", now=now)
    tasks.settle(session, REFUND_FAILED, refund.id, why="refunded", now=now)
    emit(session, RefundFinished(payment_id=refund.payment_id, refund_id=refund.id))


def _not_returned(session: Session, refund: Refund, state: RefundState, now: datetime) -> None:
    """PROCESSING: asked about again. ABNORMAL, CLOSED: somebody must see to it."""
    waiting = state is RefundState.PROCESSING
    if state is not refund.status:
        advance(refund, state, by="gateway", why=refund.reason, now=now)
        if not waiting:
            failed(session, refund, now)
    elif waiting and refund.error:
        refund.error = None
        tasks.settle(session, REFUND_FAILED, refund.id, why="taken", now=now)
    refund.ask_at = None if state is RefundState.CLOSED else rules.ask_refund_at(
        refund.created_at, now, by_hand=not waiting
    )  # fmt: skip


def failed(session: Session, refund: Refund, now: datetime) -> None:
    """Somebody must see to a refund."""
    _ask_somebody(session, REFUND_FAILED, refund, now)
    emit(session, RefundFailed(payment_id=refund.payment_id, refund_id=refund.id))


def _ask_somebody(session: Session, kind: str, subject: Payment | Refund, now: datetime) -> None:
    about = f"{yuan(subject.amount_fen)} …{subject.number[-8:]}"
    tasks.open(
        session,
        kind=kind,
        subject_id=subject.id,
        about={"zh_CN": about, "en": about},
        deadline=now + rules.SEEN_TO_WITHIN,
        now=now,
        role=Role.ADMINISTRATOR,
    )


def _bytes(text: str, most: int) -> str:
    """The text cut to so many bytes of UTF-8, as WeChat Pay counts."""
    return text.encode()[:most].decode(errors="ignore")
