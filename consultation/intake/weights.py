"""Whether a weight can be right for a child: pure functions over the growth standard and the hospital's bounds."""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from config.settings import ROOT
from consultation.growth import z_score
from people.models import Sex

RULES = ROOT / "config/data/weights.toml"
LEAST_G, MOST_G = 400, 250_000  # beyond this it is no child's weight at all
BIRTHDAY = 365.25


@dataclass(frozen=True)
class Weight:
    """A child's weight in grams and the day on which it was measured."""

    grams: int
    measured_on: date


@cache
def _rules() -> dict[str, Any]:
    return tomllib.loads(RULES.read_text(encoding="utf-8"))


def plausible(sex: Sex, days: int, grams: int) -> bool:
    """Whether a weight is believed at once, or asked for a second time. An unknown sex: when it could be either's."""
    if sex is Sex.UNKNOWN:
        return plausible(Sex.MALE, days, grams) or plausible(Sex.FEMALE, days, grams)
    z = z_score(sex, days, grams)
    if z is not None:
        return abs(z) <= float(_rules()["band"])
    above = _rules()["above"]
    medians = above[sex.value]
    years = min(max(math.floor(days / BIRTHDAY) - int(above["from_years"]), 0), len(medians) - 1)
    return bool(above["least"] * medians[years] <= grams / 1000 <= above["most"] * medians[years])


def kilograms(grams: int) -> str:
    """``12.3``: how a weight is shown, always in kilograms, with grams for the smallest."""
    return f"{grams / 1000:.2f}".rstrip("0").rstrip(".")


def stale(measured_on: date, on: date, age_months: int, days: int, infant_days: int) -> bool:
    """Whether a weight is too old for a visit on that day: infants grow faster."""
    return (on - measured_on).days > (infant_days if age_months < 12 else days)
