"""A child's weight over time against the bands of its age and sex: numbers for a picture, nothing drawn.

The bands are the WHO's (consultation/growth.py), which end at ten years: above there are points alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from consultation.growth import lms
from people.models import Sex

BANDS = (-3, -2, 0, 2, 3)  # z-scores
DAYS_PER_MONTH = 30.4375
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 260, 34, 34, 10, 24  # of the picture


@dataclass(frozen=True)
class Point:
    """A weighing in the picture, with the words for it."""

    x: float
    y: float
    day: date
    grams: int


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where, and what it says."""

    at: float
    label: int


@dataclass(frozen=True)
class Chart:
    """The picture's parts in its own units. ``bands`` are lines by z-score; empty where no standard reaches."""

    points: tuple[Point, ...]
    bands: tuple[tuple[int, str, float], ...]
    months: tuple[Tick, ...]
    kilos: tuple[Tick, ...]
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def line(self) -> str:
        """The weighings joined, as an SVG path."""
        return _path((point.x, point.y) for point in self.points)


def chart(weights: Sequence[tuple[date, int]], born: date, sex: Sex) -> Chart | None:
    """The picture of weighings (day, grams), in any order; None without any. Bands need a known sex."""
    if not weights:
        return None
    ages = [(_months(born, day), day, grams) for day, grams in sorted(weights)]
    first, last = max(0, int(ages[0][0]) - 2), int(ages[-1][0]) + 3
    found = ((month, lms(sex, int(month * DAYS_PER_MONTH))) for month in range(first, last + 1))
    rows = {month: figures for month, figures in found if figures}
    kilos = [grams / 1000 for *_, grams in ages] + [row.weight(z) for row in rows.values() for z in (-3, 3)]
    low, high = max(0, int(min(kilos)) - 1), int(max(kilos)) + 2

    def x(month: float) -> float:
        return round(LEFT + (month - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    def y(kilo: float) -> float:
        return round(HEIGHT - BOTTOM - (kilo - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    bands = []
    for z in BANDS if len(rows) > 1 else ():
        drawn = [(x(month), y(row.weight(z))) for month, row in rows.items()]
        bands.append((z, _path(drawn), drawn[-1][1]))
    return Chart(
        tuple(Point(x(months), y(grams / 1000), day, grams) for months, day, grams in ages),
        tuple(bands),
        tuple(Tick(x(month), month) for month in range(first, last + 1) if month % _step(last - first) == 0),
        tuple(Tick(y(kilo), kilo) for kilo in range(low, high + 1) if kilo % _step(high - low) == 0),
    )


def _months(born: date, day: date) -> float:
    return (day - born).days / DAYS_PER_MONTH


def _step(span: int) -> int:
    return next((step for step in (1, 2, 3, 6, 12, 24) if span / step <= 10), 48)


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + " L".join(f"{x} {y}" for x, y in points)
