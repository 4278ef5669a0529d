"""Weight for age as the WHO has it (config/data/weights.csv, whose source weights.toml names): pure functions.

Child Growth Standards (2006) until 5 years, Growth Reference (2007) until 10; the WHO has no weight for age above.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from config.settings import ROOT
from people.models import Sex

TABLE = ROOT / "config/data/weights.csv"


class Lms(NamedTuple):
    """Power, median (kg) and spread of one sex at one age (Cole's LMS method)."""

    power: float
    median: float
    spread: float

    def weight(self, z: float) -> float:
        """The weight (kg) so many standard deviations from the median."""
        return float(self.median * (1 + self.power * self.spread * z) ** (1 / self.power))

    def z(self, kilograms: float) -> float:
        """Standard deviations from the median; beyond three the distance from the second to the third counts on (WHO
        2006)."""
        z = float(((kilograms / self.median) ** self.power - 1) / (self.power * self.spread))
        if z > 3:
            return 3 + (kilograms - self.weight(3)) / (self.weight(3) - self.weight(2))
        if z < -3:
            return -3 + (kilograms - self.weight(-3)) / (self.weight(-2) - self.weight(-3))
        return z


@cache
def _table() -> Mapping[str, tuple[tuple[int, ...], tuple[Lms, ...]]]:
    """By sex: the days, and the figures of each."""
    days: dict[str, list[int]] = {}
    figures: dict[str, list[Lms]] = {}
    with TABLE.open(encoding="utf-8", newline="") as source:
        for row in csv.DictReader(source):
            days.setdefault(row["sex"], []).append(int(row["day"]))
            figures.setdefault(row["sex"], []).append(Lms(float(row["l"]), float(row["m"]), float(row["s"])))
    return {sex: (tuple(days[sex]), tuple(figures[sex])) for sex in days}


def lms(sex: Sex, days: int) -> Lms | None:
    """The figures at an age in days, between two of the table's ages in proportion. None from ten years on, and for a
    child whose sex is not known."""
    known, figures = _table().get(sex.value, ((), ()))
    if not known or not 0 <= days <= known[-1]:
        return None
    after = min(bisect_right(known, days), len(known) - 1)
    before = max(after - 1, 0)
    part = (days - known[before]) / (known[after] - known[before])
    return Lms(*(low + (high - low) * part for low, high in zip(figures[before], figures[after], strict=True)))


def z_score(sex: Sex, days: int, grams: int) -> float | None:
    """Standard deviations of a weight from the median of its age and sex; None where the WHO has no figures."""
    found = lms(sex, days)
    return found and found.z(grams / 1000)
