"""What the rules are asked about, read from what the family told: weight, allergies, medicines at home."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking.queries import Visit
from config.clock import today
from config.policy import Policy
from consultation.intake.models import WeightObservation
from consultation.intake.queries import told
from consultation.intake.weights import plausible
from people.models import Patient
from prescriptions.after.queries import reacted
from prescriptions.formulary.knowledge import mentions
from prescriptions.formulary.product import Product
from prescriptions.formulary.queries import all_entries
from prescriptions.rules import Child, Context, Home, Limits, Running, Weighed

CHRONIC = ("chronic-which", "history")  # answers in which an illness may stand


def context(
    session: Session,
    visit: Visit,
    now: datetime,
    policy: Policy,
    *,
    diagnoses: Sequence[str],
    running: Sequence[Running] = (),
    verified_only: bool,
) -> Context:
    """The child as of today, for the diagnoses (ICD-10) that the doctor has written. ``running`` are the lines of its
    other prescriptions; ``verified_only``: in production."""
    answers = told(session, visit, now, policy).reading.answers
    words = " ".join(str(answers[name]) for name in CHRONIC if name in answers)
    weight = weighed(session, visit.patient)
    return Context(
        today=today(now),
        child=Child(visit.patient.birth_date, weight, tuple(diagnoses), words),
        allergies=allergies(answers),
        running=tuple(running),
        home=tuple(at_home(answers, [entry.product for entry in all_entries(session)])),
        reacted=tuple(reacted(session, visit.patient.id)),
        verified_only=verified_only,
        limits=Limits(weight_days=policy.weight_days, weight_infant_days=policy.weight_infant_days),
    )


def weighed(session: Session, patient: Patient) -> Weighed | None:
    """The child's weight measured last, and whether it can be right for its age then."""
    row = session.scalar(
        select(WeightObservation)
        .where(WeightObservation.patient_id == patient.id)
        .order_by(WeightObservation.measured_on.desc(), WeightObservation.at.desc())
        .limit(1)
    )
    if row is None:
        return None
    grams, age = int(row.grams), (row.measured_on - patient.birth_date).days
    return Weighed(grams, row.measured_on, plausible(patient.sex, age, grams), row.confirmed)


def allergies(answers: Mapping[str, Any]) -> tuple[str, ...] | None:
    """What the family says the child is allergic to, in its words; None when nobody knows."""
    if answers.get("allergic") is False:
        return ()
    said = answers.get("allergies")
    return (str(said),) if answers.get("allergic") is True and said else None


def at_home(answers: Mapping[str, Any], products: Sequence[Product]) -> list[Home]:
    """The medicines that the child was given, and those in the house, each once."""
    names = [(str(row["given-name"]), True) for row in answers.get("given", ())]
    names += [(str(row["home-name"]), False) for row in answers.get("home", ())]
    found: dict[str, Home] = {}
    for name, given in names:
        found.setdefault(name, Home(name, given, named(name, products)))
    return list(found.values())


def named(text: str, products: Iterable[Product]) -> frozenset[str]:
    """The ingredients of the products of the formulary that a text names."""
    fit = (product for product in products if mentions(text, (product.name.zh_CN, *product.aliases)))
    return frozenset(content.ingredient for product in fit for content in product.contents)
