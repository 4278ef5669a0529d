"""What the rules are asked about: an order, the child, and what the child takes already."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from prescriptions.formulary.product import Both, Product


@dataclass(frozen=True)
class Weighed:
    """A weight in grams and its day. ``plausible``: within the growth standard; ``confirmed``: written a second
    time."""

    grams: int
    measured_on: date
    plausible: bool = True
    confirmed: bool = False


@dataclass(frozen=True)
class Child:
    """The child for whom the order is. ``told`` is what was written of it in words, besides the diagnoses' ICD-10
    codes."""

    born: date
    weight: Weighed | None
    diagnoses: tuple[str, ...] = ()
    told: str = ""


@dataclass(frozen=True)
class Line:
    """One medicine: ``dose`` in thousandths of a unit of the form, at most ``times`` a day, at least ``interval``
    hours apart, for ``days``. ``rule`` names a dose rule of the product; empty: the first that fits. Raises
    ValueError below one."""

    product: Product
    dose: int
    times: int
    interval: int
    days: int
    rule: str = ""
    verified: bool = True

    def __post_init__(self) -> None:
        if min(self.dose, self.times, self.interval, self.days) < 1:
            raise ValueError("dose, times, interval and days are at least one")

    @property
    def code(self) -> str:
        """The product's."""
        return self.product.code

    @property
    def a_day(self) -> int:
        """Thousandths of a unit of the form a day, at the most."""
        return self.dose * self.times

    def ingredients(self) -> Mapping[str, Fraction]:
        """Micrograms a day of each ingredient, at the most."""
        return {content.ingredient: content.micrograms_in(self.a_day) for content in self.product.contents}


@dataclass(frozen=True)
class Running:
    """A line of another prescription, from its first day to its last."""

    line: Line
    starts: date
    until: date


@dataclass(frozen=True)
class Home:
    """A medicine that the family has, in its own words, and the ingredients that these name. ``given``: the child
    takes it now."""

    name: str
    given: bool = False
    ingredients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reacted:
    """A reaction that was reported before: to one of these ingredients (all of a prescription where nobody knows
    which), with which signs, on which day, and whether it was severe."""

    ingredients: frozenset[str]
    signs: Both
    day: date
    severe: bool


@dataclass(frozen=True)
class Limits:
    """What policy and law limit (处方管理办法, and Policy)."""

    drugs: int = 5
    days: int = 7
    emergency_days: int = 3
    weight_days: int = 30
    weight_infant_days: int = 14


@dataclass(frozen=True)
class Context:
    """Everything beside the order. ``allergies`` None: nobody knows; ``verified_only``: a line that no pharmacist
    verified is refused (production)."""

    today: date
    child: Child
    allergies: tuple[str, ...] | None = ()
    running: tuple[Running, ...] = ()
    home: tuple[Home, ...] = ()
    reacted: tuple[Reacted, ...] = ()
    verified_only: bool = True
    limits: Limits = field(default_factory=Limits)

    def still_running(self) -> tuple[Running, ...]:
        """What is not over yet."""
        return tuple(one for one in self.running if one.until >= self.today)


@dataclass(frozen=True)
class Order:
    """The lines of one prescription; ``reasons`` are written by the doctor, by the key of the finding that asks for
    one."""

    lines: tuple[Line, ...]
    emergency: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)


def packages(line: Line) -> int:
    """How many packages hold the whole course."""
    return -(-line.a_day * line.days // line.product.package.value)
