"""The picture of a dose: how full the oral syringe is, which part of a tablet. Pure: the page draws it as SVG, the
printed label in typst, both from the same numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

# Microlitres: what a syringe holds, from line to line, from number to number.
SCALES = {1000: (100, 200), 2500: (100, 500), 5000: (100, 1000), 10_000: (500, 1000)}
LARGEST = max(SCALES)
MOST = 2 * LARGEST  # above that it is drunk from a cup


@dataclass(frozen=True)
class Fill:
    """A syringe of ``size`` filled to ``amount``, both in microlitres: ``amount`` lies on one of its lines."""

    size: int
    amount: int

    def __post_init__(self) -> None:
        line, _ = SCALES[self.size]
        if not 0 < self.amount <= self.size or self.amount % line:
            raise ValueError(f"no line at {self.amount} on a syringe of {self.size}")

    @property
    def fraction(self) -> Fraction:
        """How far the plunger is drawn, of the whole scale."""
        return Fraction(self.amount, self.size)

    @property
    def amount_text(self) -> str:
        """The amount in millilitres."""
        return millilitres(self.amount)

    @property
    def lines(self) -> list[tuple[Fraction, str]]:
        """Where the lines are, from the tip, each with its number or none."""
        line, number = SCALES[self.size]
        return [
            (Fraction(at, self.size), millilitres(at) if at % number == 0 else "")
            for at in range(0, self.size + 1, line)
        ]


@dataclass(frozen=True)
class Part:
    """Whole ones of a tablet or sachet, and ``part`` of ``of`` equal parts of a further one."""

    whole: int
    part: int = 0
    of: int = 1

    def slice(self, x: float, y: float, r: float) -> str:
        """The given parts of the one that is divided, from the top clockwise, as a path of SVG."""
        (ax, ay), (bx, by) = _around(x, y, r, 0), _around(x, y, r, Fraction(self.part, self.of))
        large = 1 if 2 * self.part > self.of else 0
        return f"M{x:.2f} {y:.2f}L{ax:.2f} {ay:.2f}A{r} {r} 0 {large} 1 {bx:.2f} {by:.2f}Z"

    def cuts(self, x: float, y: float, r: float) -> list[str]:
        """Where it is cut, as paths of SVG."""
        ends = [_around(x, y, r, Fraction(n, self.of)) for n in range(self.of)]
        return [f"M{x:.2f} {y:.2f}L{ex:.2f} {ey:.2f}" for ex, ey in ends]


def fills(dose: int) -> tuple[Fill, ...]:
    """The syringes of a dose in microlitres: the smallest that holds it at once, else the largest twice. None when no
    line is exactly there, since a picture must not say more or less than the text."""
    if not 0 < dose <= MOST:
        return ()
    amounts = [dose] if dose <= LARGEST else [LARGEST, dose - LARGEST]
    size = next((size for size in SCALES if amounts[0] <= size and not amounts[0] % SCALES[size][0]), None)
    if size is None or any(amount % SCALES[size][0] for amount in amounts):
        return ()
    return tuple(Fill(size, amount) for amount in amounts)


def part_of(dose: int, divides: int) -> Part | None:
    """A dose in thousandths of a tablet or sachet that is divided into so many parts; None when it is no such part."""
    whole, rest = divmod(dose, 1000)
    if not rest:
        return Part(whole)
    part, left = divmod(rest, 1000 // divides)
    if left or not part < divides:
        return None
    common = Fraction(part, divides)
    return Part(whole, common.numerator, common.denominator)


def _around(x: float, y: float, r: float, turn: Fraction | int) -> tuple[float, float]:
    """The point on a circle after a part of a turn, from the top clockwise."""
    angle = 2 * math.pi * float(turn)
    return x + r * math.sin(angle), y - r * math.cos(angle)


def millilitres(microlitres: int) -> str:
    """``2.5``."""
    return f"{microlitres // 1000}.{microlitres % 1000:03d}".rstrip("0").rstrip(".")
