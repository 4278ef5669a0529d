"""Doses: which rule is a child's, what it allows, what is proposed, in amounts that the device can measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from prescriptions.formulary.amounts import Amount
from prescriptions.formulary.knowledge import Knowledge
from prescriptions.formulary.product import DoseRule, Per, Product
from prescriptions.rules.order import Child, Line

FINE, COARSE, FINE_BELOW = (
    100,
    500,
    5000,
)  # microlitres: steps of 0.1 mL under 5 mL, of 0.5 mL above (clinical sources, GK)
KG = 1000


@dataclass(frozen=True)
class Proposal:
    """What a rule proposes; amounts as in a Line."""

    rule: str
    dose: int
    times: int
    interval: int
    days: int

    def line(self, product: Product, *, verified: bool = True) -> Line:
        """As a line of an order."""
        return Line(product, self.dose, self.times, self.interval, self.days, self.rule, verified)


def steps(product: Product, amount: Fraction) -> tuple[int, int]:
    """The measurable amounts at and around one: the nearest not above it (0: none), and the next above it or equal.

    In thousandths of a unit.
    """
    if not product.liquid:
        below = _grid(amount, 1000 // product.divides)
        return below, below if below == amount else below + 1000 // product.divides
    step = FINE if amount < FINE_BELOW else COARSE
    below = _grid(amount, step)
    return below, below if below == amount else below + step


def nearest(product: Product, amount: Fraction) -> int:
    """The measurable amount nearest to one, the lower of two."""
    below, above = steps(product, amount)
    return below if amount - below <= above - amount else above


def _grid(amount: Fraction, step: int) -> int:
    return int(amount // step) * step


def fits(rule: DoseRule, child: Child, on: date) -> bool:
    """Whether a child is within a rule's band of age and weight, with one of its diagnoses if it names any."""
    if rule.age_from and not rule.age_from.reached(child.born, on):
        return False
    if rule.age_until and rule.age_until.reached(child.born, on):
        return False
    if (rule.weight_from or rule.weight_until) and child.weight is None:
        return False
    grams = child.weight.grams if child.weight else 0
    if rule.weight_from and grams < rule.weight_from.grams:
        return False
    if rule.weight_until and grams >= rule.weight_until.grams:
        return False
    return not rule.diagnoses or any(code.startswith(rule.diagnoses) for code in child.diagnoses)


def within(product: Product, child: Child, on: date) -> tuple[bool, bool]:
    """Whether the child's age, and its weight as far as it is known, are within the product's own limits."""
    low, high = product.age_from, product.age_until
    age = (low is None or low.reached(child.born, on)) and not (high and high.reached(child.born, on))
    if child.weight is None:
        return age, True
    grams, least_, most = child.weight.grams, product.weight_from, product.weight_until
    return age, (least_ is None or grams >= least_.grams) and (most is None or grams < most.grams)


def rules_for(product: Product, child: Child, on: date) -> Sequence[DoseRule]:
    """A product's rules that fit a child, those for its diagnosis first."""
    return sorted((rule for rule in product.dose if fits(rule, child, on)), key=lambda rule: not rule.diagnoses)


def rule_of(line: Line, child: Child, on: date) -> DoseRule | None:
    """The rule by which a line is judged: the named one if it fits, else the first."""
    found = rules_for(line.product, child, on)
    if line.rule:
        return next((rule for rule in found if rule.id == line.rule), None)
    return found[0] if found else None


def in_form(product: Product, amount: Amount, factor: Fraction = Fraction(1)) -> Fraction:
    """An amount of the main ingredient or of the form, times a factor, in thousandths of a unit."""
    value = amount.value * factor
    return product.main.holding(value) if amount.mass else value


def bound(product: Product, rule: DoseRule, amount: Amount, grams: int, times: int) -> Fraction:
    """``low``, ``usual`` or ``high`` of a rule as one dose, in thousandths of a unit."""
    factor = {Per.DOSE: Fraction(1), Per.KG_DOSE: Fraction(grams, KG), Per.KG_DAY: Fraction(grams, KG * times)}
    return in_form(product, amount, factor[rule.per])


def dose_limit(product: Product, rule: DoseRule, grams: int, times: int) -> Fraction:
    """The most of one dose, in thousandths of a unit, whatever the day's limit."""
    limits = [bound(product, rule, rule.high, grams, times)]
    if rule.dose_max:
        limits.append(in_form(product, rule.dose_max))
    return min(limits)


def day_limit(product: Product, rule: DoseRule, grams: int) -> Fraction:
    """The most of a day by the rule, in thousandths of a unit."""
    limits = [dose_limit(product, rule, grams, rule.times_max) * rule.times_max]
    if rule.day_max:
        limits.append(in_form(product, rule.day_max))
    if rule.day_max_kg:
        limits.append(in_form(product, rule.day_max_kg, Fraction(grams, KG)))
    return min(limits)


def day_warning(product: Product, rule: DoseRule, grams: int) -> Fraction | None:
    """Above so much a day a reason is written, in thousandths of a unit."""
    return in_form(product, rule.day_warn_kg, Fraction(grams, KG)) if rule.day_warn_kg else None


def ingredient_limit(known: Knowledge, ingredient: str, grams: int) -> Fraction | None:
    """The most of an ingredient a day, in micrograms, whatever the products; None when there is no figure."""
    found = known.find(ingredient)
    limits = [Fraction(found.day_max.value)] if found and found.day_max else []
    if found and found.day_max_kg:
        limits.append(Fraction(found.day_max_kg.value * grams, KG))
    return min(limits, default=None)


def least(product: Product, rule: DoseRule, grams: int, times: int) -> int:
    """A dose below this is too little: the rule's lowest, or its limit if that is less, as far as it can be
    measured."""
    day = day_limit(product, rule, grams) / times
    low = bound(product, rule, rule.low, grams, times)
    return steps(product, min(low, dose_limit(product, rule, grams, times), day))[0]


def propose(
    product: Product, child: Child, on: date, known: Knowledge, rule: DoseRule | None = None
) -> Proposal | None:
    """The usual dose, measurable and within every limit; None without a weight, a rule, or a measurable dose, and for a
    child outside of the product's ages and weights."""
    if not all(within(product, child, on)):
        return None
    if rule is None:
        rule = next(iter(rules_for(product, child, on)), None)
    if rule is None or child.weight is None:
        return None
    grams, times = child.weight.grams, rule.times
    limits = [dose_limit(product, rule, grams, times), day_limit(product, rule, grams) / times]
    warning = day_warning(product, rule, grams)
    if warning is not None:
        limits.append(warning / times)
    for content in product.contents:
        most = ingredient_limit(known, content.ingredient, grams)
        if most is not None:
            limits.append(content.holding(most) / times)
    usual = nearest(product, bound(product, rule, rule.usual, grams, times))
    dose = min(usual, steps(product, min(limits))[0])
    interval = max(rule.interval, 24 // times)
    return Proposal(rule.id, dose, times, interval, rule.days) if dose else None
