"""The real client against the simulator: paid, closed, refunded, abnormal, and a day's bill without a difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.x509 import load_pem_x509_certificate
from sqlalchemy import select
from sqlalchemy.orm import Session

import wechat.pay.client
from config.clock import today
from payments import actions, collecting, mending, reconciling
from payments.gateway import Gateway, RefundState, TradeState
from payments.models import Difference, LedgerAccount, Payment, ReconciliationStatus, Refund
from payments.queries import balances
from people.models import Account
from tests.payments.conftest import FEE, books, charged, open_tasks
from tests.product import account, make_settings
from tests.wechat.simulator.conftest import Sim, config, made_keys, sim
from tests.wechat.simulator.merchant import OPENID
from tests.wechat.simulator.toy import APPID
from wechat.simulator.pay import refunds

__all__ = ["config", "made_keys", "sim"]  # fixtures
NOON = 12 * 3600.0


def moment(sim: Sim) -> datetime:
    return datetime.fromtimestamp(sim.clock.time, UTC)


@pytest.fixture
def gateway(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The product's client of the simulator's merchant, on the simulator's clock."""
    sim.clock.time += NOON
    sim.post("/settings", {"pay_keys": "public-key", "pay_refund_delay": 3600.0, "pay_refund_pause": 0.0})
    monkeypatch.setattr(wechat.pay.client, "real_now", lambda: moment(sim))
    folder = sim.config.keys
    certificate = load_pem_x509_certificate((folder / "apiclient_cert.pem").read_bytes())
    made = wechat.pay.client.connect(
        make_settings(
            "postgresql://localhost/x",
            "redis://localhost",
            wechat_appid=APPID,
            wechat_pay_mchid=sim.config.mchid,
            wechat_pay_serial=f"{certificate.serial_number:X}",
            wechat_pay_private_key=str(folder / "apiclient_key.pem"),
            wechat_pay_apiv3_key=(folder / "apiv3_key.txt").read_text().strip(),
            wechat_pay_public_key=str(folder / "pub_key.pem"),
            wechat_pay_public_key_id=sim.config.public_key_id,
            wechat_pay_origin=sim.origin,
        )
    )
    assert made is not None
    return made


@pytest.fixture
def parent(session: Session, sim: Sim) -> Account:
    made = account(session, OPENID, moment(sim))
    session.commit()
    return made


def placed(session: Session, sim: Sim, gateway: Gateway, parent: Account, *, paid: bool = True) -> Payment:
    """A payment that was paid at the cashier, its notice lost, and found by asking."""
    payment = charged(session, parent, moment(sim))
    session.commit()
    checkout = collecting.checkout(gateway, payment.id, moment(sim))
    if paid:
        pressed = sim.post("/phones/li-na/pay", {"params": checkout.parameters, "act": "pay"})
        assert pressed["result"] == "ok", pressed
        assert collecting.ask(gateway, payment.id, moment(sim)) is TradeState.SUCCESS
    return payment


def returned(session: Session, sim: Sim, gateway: Gateway, payment: Payment, end: RefundState) -> Refund:
    """A refund that was sent, and ended so at WeChat Pay."""
    sim.post("/settings", {"pay_refund_outcome": end.value})
    made = actions.refund(session, payment.id, reason="late", now=moment(sim))
    assert made is not None
    session.commit()
    assert collecting.send_refund(gateway, made.id, moment(sim)) is RefundState.PROCESSING
    refunds.end(sim.world, sim.world.state.refunds[made.number])
    assert collecting.ask_refund(gateway, made.id, moment(sim)) is end
    session.expire_all()
    return made


def day_after(sim: Sim) -> datetime:
    sim.clock.time += 86400
    return moment(sim)


def test_paid_closed_refunded_and_billed(session: Session, sim: Sim, gateway: Gateway, parent: Account) -> None:
    kept, back, stuck = (placed(session, sim, gateway, parent) for _ in range(3))
    unpaid = placed(session, sim, gateway, parent, paid=False)
    never = charged(session, parent, moment(sim))
    session.commit()
    assert collecting.ask(gateway, unpaid.id, moment(sim)) is TradeState.NOTPAY
    for over in (unpaid, never):
        assert collecting.close(gateway, over.id, moment(sim) + timedelta(minutes=10)) is TradeState.CLOSED
    assert collecting.close(gateway, kept.id, moment(sim)) is TradeState.SUCCESS
    returned(session, sim, gateway, back, RefundState.SUCCESS)
    abnormal = returned(session, sim, gateway, stuck, RefundState.ABNORMAL)
    books(session, gateway=2 * FEE, held=-FEE, returning=-FEE)
    assert open_tasks(session) == ["refund-failed"]

    now = day_after(sim)
    record = reconciling.reconcile(gateway, today(now) - timedelta(days=1), now)
    session.expire_all()
    assert session.scalars(select(Difference)).all() == []
    assert (record.status, record.lines) == (ReconciliationStatus.MATCHED, 5)
    assert (record.ours_paid_fen, record.ours_refunded_fen) == (3 * FEE, 2 * FEE)

    sim.world.state.refunds[abnormal.number].status = "SUCCESS"  # seen to by hand on WeChat Pay's own pages
    assert collecting.ask_refund(gateway, abnormal.id, now) is RefundState.SUCCESS
    assert open_tasks(session) == []
    assert balances(session)[LedgerAccount.GATEWAY] == FEE


def test_a_closed_refund_can_be_made_anew(session: Session, sim: Sim, gateway: Gateway, parent: Account) -> None:
    payment = placed(session, sim, gateway, parent)
    gone = returned(session, sim, gateway, payment, RefundState.CLOSED)
    anew = mending.refund_again(session, gone.id, by=parent.id, now=moment(sim))
    session.commit()
    sim.post("/settings", {"pay_refund_outcome": "SUCCESS"})
    assert collecting.send_refund(gateway, anew.id, moment(sim)) is RefundState.PROCESSING
    refunds.end(sim.world, sim.world.state.refunds[anew.number])
    assert collecting.ask_refund(gateway, anew.id, moment(sim)) is RefundState.SUCCESS
    books(session)
    now = day_after(sim)
    assert reconciling.reconcile(gateway, today(now) - timedelta(days=1), now).status is ReconciliationStatus.MATCHED


def forget_order(sim: Sim, payment: Payment, refund: Refund) -> None:
    order = sim.world.state.orders[payment.number]
    order.paid = 0.0


def other_amount(sim: Sim, payment: Payment, refund: Refund) -> None:
    sim.world.state.orders[payment.number].total -= 1


def stranger(sim: Sim, payment: Payment, refund: Refund) -> None:
    orders = sim.world.state.orders
    known = orders[payment.number]
    orders["T-of-somebody-else"] = type(known)(**{**known.__dict__, "out_trade_no": "T-of-somebody-else"})


def forget_refund(sim: Sim, payment: Payment, refund: Refund) -> None:
    del sim.world.state.refunds[refund.number]


def other_end(sim: Sim, payment: Payment, refund: Refund) -> None:
    sim.world.state.refunds[refund.number].status = "ABNORMAL"


def strange_refund(sim: Sim, payment: Payment, refund: Refund) -> None:
    known = sim.world.state.refunds[refund.number]
    copy = type(known)(**{**known.__dict__, "out_refund_no": "R-of-somebody-else"})
    sim.world.state.refunds["R-of-somebody-else"] = copy


@pytest.mark.parametrize(
    ("inject", "kind"),
    [
        (forget_order, "missing-there"),
        (other_amount, "amount"),
        (stranger, "missing-here"),
        (forget_refund, "refund-missing-there"),
        (other_end, "refund-status"),
        (strange_refund, "refund-missing-here"),
    ],
)
def test_one_difference_is_found(
    session: Session,
    sim: Sim,
    gateway: Gateway,
    parent: Account,
    inject: Callable[[Sim, Payment, Refund], None],
    kind: str,
) -> None:
    payment = placed(session, sim, gateway, parent)
    refund = returned(session, sim, gateway, payment, RefundState.SUCCESS)
    inject(sim, payment, refund)
    now = day_after(sim)
    record = reconciling.reconcile(gateway, today(now) - timedelta(days=1), now)
    assert record.status is ReconciliationStatus.DIFFERENT
    assert [row.kind.value for row in session.scalars(select(Difference))] == [kind]
