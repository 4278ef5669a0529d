"""The administration's page of money: balances, refunds that failed, the bills' differences."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from config.clock import today
from payments import actions, gateway, reconciling
from payments.gateway import RefundState, TradeState
from payments.models import Difference, Payment, Refund
from people.models import Practitioner, Role
from tests.desk.conftest import Browse, post
from tests.menus.conftest import words
from tests.payments.conftest import FEE, charged
from tests.payments.till import AWAY, Till
from tests.product import Hospital, account, member


@pytest.fixture
def auditor(session: Session, hospital: Hospital, now: datetime) -> Practitioner:
    made = member(session, "A002", account(session, "o-auditor", now), Role.AUDITOR)
    session.commit()
    return made


@pytest.fixture
def paid(session: Session, hospital: Hospital, now: datetime) -> Payment:
    """Paid the day before."""
    then = now - timedelta(days=1)
    made = charged(session, hospital.mother, then)
    actions.settle(session, gateway.Payment(made.number, TradeState.SUCCESS, "4200001", FEE, "o-mother", then), then)
    session.commit()
    return made


def ended(session: Session, payment: Payment, state: RefundState, now: datetime) -> Refund:
    made = actions.refund(session, payment.id, reason="suspended", now=now)
    assert made is not None
    actions.refund_result(session, gateway.Refund(made.number, payment.number, state, "503", FEE, FEE), now)
    session.commit()
    return made


def test_nothing_has_happened_yet(browse: Browse, admin: Practitioner) -> None:
    shown = words(browse(admin).get("/desk/money"))
    assert "With WeChat Pay ¥0.00" in shown
    assert "No day was compared yet" in shown


def test_balances_and_a_closed_refund_made_again(
    browse: Browse, session: Session, admin: Practitioner, auditor: Practitioner, paid: Payment, now: datetime
) -> None:
    refund = ended(session, paid, RefundState.CLOSED, now)
    office = browse(admin)
    shown = words(office.get("/desk/money"))
    assert "of it on its way back ¥50.00" in shown
    assert f"refund {refund.number}" in shown
    assert "Refund again" not in words(browse(auditor).get("/desk/money"))
    path = f"/desk/money/refunds/{refund.id}/again"
    assert post(browse(auditor), path).status_code == 403
    assert post(office, path).status_code == 303
    assert "Refund again" not in words(office.get("/desk/money"))
    again = post(office, path)
    assert again.status_code == 409
    assert "Only a refund that WeChat Pay has closed" in words(again)


def test_what_the_administrator_does_about_an_abnormal_one(
    browse: Browse, session: Session, admin: Practitioner, paid: Payment, now: datetime
) -> None:
    ended(session, paid, RefundState.ABNORMAL, now)
    shown = words(browse(admin).get("/desk/money"))
    assert "Settle it on pay.weixin.qq.com" in shown
    assert "A refund did not go through" in words(browse(admin).get("/desk/tasks"))


def test_a_difference_is_settled_with_a_note(
    browse: Browse, session: Session, admin: Practitioner, auditor: Practitioner, paid: Payment, now: datetime
) -> None:
    record = reconciling.reconcile(Till(), today(now) - timedelta(days=1), now)
    office, page = browse(admin), f"/desk/money/{record.id}"
    assert "open differences: 1" in words(office.get("/desk/money"))
    shown = words(office.get(page))
    assert "We have a payment that the bill does not name" in shown
    assert paid.number in shown
    row = session.scalars(select(Difference)).one()
    path = f"/desk/money/differences/{row.id}/settle"
    assert post(browse(auditor), path, note="x", day=str(record.id)).status_code == 403
    refused = post(office, path, note=" ", day=str(record.id))
    assert refused.status_code == 422
    assert "Please say in a few words what was done." in words(refused)
    assert post(office, path, note="Rang WeChat Pay", day=str(record.id)).location == page
    after = words(browse(auditor).get(page))
    assert "Rang WeChat Pay (Qian Ping)" in after
    assert "all differences settled" in after


def test_a_bill_that_is_not_there_says_so(browse: Browse, admin: Practitioner, paid: Payment, now: datetime) -> None:
    till = Till(before=AWAY)
    record = reconciling.reconcile(till, today(now) - timedelta(days=1), now)
    assert "the bill could not be fetched: unavailable" in words(browse(admin).get(f"/desk/money/{record.id}"))


def test_bad_addresses(browse: Browse, admin: Practitioner) -> None:
    office = browse(admin)
    assert office.get("/desk/money?before=nonsense").status_code == 200
    nowhere = "00000000-0000-7000-8000-000000000000"
    assert office.get(f"/desk/money?before={nowhere}").status_code == 404
    assert office.get(f"/desk/money/{nowhere}").status_code == 404
    assert post(office, f"/desk/money/differences/{nowhere}/settle", day="nonsense", note="x").status_code == 404
    assert post(office, f"/desk/money/refunds/{nowhere}/again").status_code == 404
