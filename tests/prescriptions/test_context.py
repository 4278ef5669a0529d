"""What the rules are asked about is read from what the family told."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from config.clock import today
from config.policy import Policy
from consultation.intake.models import WeightObservation
from prescriptions import queries
from prescriptions.rules import Context, Home, Weighed
from tests.consultation.answering import tell
from tests.prescriptions.orders import PRODUCTS
from tests.product import Hospital, visit_ahead


def weigh(
    session: Session, hospital: Hospital, now: datetime, grams: int, on: date, *, confirmed: bool = False
) -> None:
    visit = visit_ahead(session, hospital, hospital.child, now, ahead=(today(now) - on).days + 2)
    session.add(
        WeightObservation(
            patient_id=hospital.child.id,
            appointment_id=visit.appointment.id,
            account_id=hospital.mother.id,
            grams=str(grams),
            measured_on=on,
            confirmed=confirmed,
            at=now,
        )
    )
    session.flush()


def context(session: Session, hospital: Hospital, now: datetime, **typed: Any) -> Context:
    visit = visit_ahead(session, hospital, hospital.child, now)
    if typed:
        tell(session, visit, now, "medicines", **typed)
    return queries.context(session, visit, now, Policy(), diagnoses=["J00"], verified_only=False)


def test_the_weight_measured_last(session: Session, hospital: Hospital, now: datetime) -> None:
    day = today(now)
    assert queries.weighed(session, hospital.child) is None
    weigh(session, hospital, now, 14_000, day - timedelta(days=3))
    weigh(session, hospital, now, 45_000, day - timedelta(days=1), confirmed=True)
    assert queries.weighed(session, hospital.child) == Weighed(45_000, day - timedelta(days=1), False, True)
    weigh(session, hospital, now, 14_200, day)
    assert queries.weighed(session, hospital.child) == Weighed(14_200, day)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"allergic": "no"}, ()),
        ({"allergic": "yes", "allergies": "青霉素"}, ("青霉素",)),
        ({"allergic": "unsure"}, None),
        ({}, None),
    ],
)
def test_no_answer_is_never_a_no(
    session: Session, hospital: Hospital, now: datetime, typed: dict[str, str], said: tuple[str, ...] | None
) -> None:
    assert context(session, hospital, now, **typed).allergies == said


def test_medicines_given_and_at_home(session: Session, hospital: Hospital, now: datetime) -> None:
    typed = {
"given-any": "yes", "given-name.0": "好娃娃", "given-amount.0": "一包",
        "home-name.0": "美林", "home-name.1": "好娃娃", "chronic": "yes", "chronic-which": "苯丙酮尿症",
    }  # fmt: skip
    found = context(session, hospital, now, **typed)
    assert [(one.name, one.given) for one in found.home] == [("好娃娃", True), ("美林", False)]
    assert found.child.told == "苯丙酮尿症"
    assert (found.child.diagnoses, found.today) == (("J00",), today(now))


def test_a_brand_is_known_by_the_products_of_the_formulary() -> None:
    home = queries.at_home({"home": [{"home-name": "优卡丹"}]}, list(PRODUCTS.values()))
    assert home == [Home("优卡丹", False, frozenset(home[0].ingredients))]
    assert "amantadine" in home[0].ingredients
