"""Properties of the rules: every product of the shipped formulary, any age to 18 years, any weight from 2 to 90 kg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from prescriptions.formulary.product import DoseRule, Per, Product
from prescriptions.rules import (
    Child,
    Context,
    Finding,
    Line,
    Order,
    Running,
    Weighed,
    accepted,
    check,
    packages,
    propose,
    steps,
)
from tests.prescriptions.orders import KNOWN, PRODUCTS, TODAY

CODES = st.sampled_from(sorted(PRODUCTS))
GRAMS = st.integers(2_000, 90_000)
DAYS = st.integers(0, 18 * 365 + 4)
DIAGNOSES = st.sampled_from([(), ("J00",), ("H66.9",), ("J02.0",), ("J10.1",), ("B01.9",), ("A09.0", "E86")])
DOSE_CODES = {"per-dose", "per-day", "day-high", "underdose", "times", "interval", "course", "dose-step", "no-rule"}


@st.composite
def children(draw: st.DrawFn) -> Child:
    born = TODAY - timedelta(days=draw(DAYS))
    return Child(born, Weighed(draw(GRAMS), TODAY), draw(DIAGNOSES))


@st.composite
def lines(draw: st.DrawFn, child: Child) -> Line:
    """Mostly near what is proposed, as only such orders come to the limits; else anything."""
    fit = [code for code, product in sorted(PRODUCTS.items()) if propose(product, child, TODAY, KNOWN)]
    mostly = fit if fit and draw(st.integers(0, 4)) > 0 else sorted(PRODUCTS)
    product = PRODUCTS[draw(st.sampled_from(mostly))]
    rule = draw(st.sampled_from(["", *(rule.id for rule in product.dose)]))
    near = propose(product, child, TODAY, KNOWN, next((one for one in product.dose if one.id == rule), None))
    if near is None or draw(st.integers(0, 4)) == 0:
        dose, times, days = draw(st.integers(1, 40_000)), draw(st.integers(1, 6)), draw(st.integers(1, 20))
        return Line(product, dose, times, draw(st.integers(1, 24)), days, rule)
    dose = near.dose * draw(st.integers(70, 180)) // 100
    dose = draw(st.sampled_from(steps(product, Fraction(max(dose, 1))))) or near.dose
    times = max(1, near.times + draw(st.integers(-1, 1)))
    return Line(product, dose, times, draw(st.sampled_from([near.interval, 4, 6, 8])), near.days, rule)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Order, Context]:
    child = draw(children())
    ordered = draw(st.lists(lines(child), min_size=1, max_size=3))
    before = draw(st.lists(lines(child), max_size=1))
    left = timedelta(days=draw(st.integers(-1, 3)))
    running = tuple(Running(line, TODAY - timedelta(days=2), TODAY + left) for line in before)
    return Order(tuple(ordered)), Context(TODAY, child, running=running)


def found(order: Order, context: Context) -> list[Finding]:
    return check(order, context, KNOWN)


def blocks(order: Order, context: Context) -> set[str]:
    return {one.key for one in found(order, context) if one.severity == "block"}


def all_reasons(order: Order, findings: Sequence[Finding]) -> Order:
    return replace(order, reasons={one.key: "written" for one in findings})


def applicable(product: Product, child: Child, name: str) -> list[DoseRule]:
    """Written anew from the formulary's words, so that a fault in the rules' own selection is found."""
    assert child.weight
    age, grams = (TODAY - child.born).days, child.weight.grams
    months = (TODAY.year - child.born.year) * 12 + TODAY.month - child.born.month - (TODAY.day < child.born.day)
    fit = []
    for rule in product.dose:
        old = [(limit.count if limit.unit == "d" else limit.months, limit.unit == "d") for limit in
               (rule.age_from or product.age_from, rule.age_until) if limit]  # fmt: skip
        of = [age if in_days else months for _, in_days in old]
        low = not (rule.age_from or product.age_from) or of[0] >= old[0][0]
        high = not rule.age_until or of[-1] < old[-1][0]
        weight = (not rule.weight_from or grams >= rule.weight_from.grams) and (
            not rule.weight_until or grams < rule.weight_until.grams
        )
        diagnosed = not rule.diagnoses or any(
            code.startswith(begins) for code in child.diagnoses for begins in rule.diagnoses
        )
        if low and high and weight and diagnosed and name in ("", rule.id):
            fit.append(rule)
    return fit


def within(line: Line, rule: DoseRule, grams: int) -> bool:
    """Whether a line keeps to every hard limit of a rule."""
    kg, main = Fraction(grams, 1000), line.product.main
    unit = Fraction(main.micrograms, main.per.value) if rule.high.mass else Fraction(1)
    dose, a_day = line.dose * unit, line.dose * line.times * unit
    most = {Per.DOSE: dose, Per.KG_DOSE: dose / kg, Per.KG_DAY: a_day / kg}[rule.per]
    return (
        most <= rule.high.value
        and (not rule.dose_max or dose <= rule.dose_max.value)
        and (not rule.day_max or a_day <= rule.day_max.value)
        and (not rule.day_max_kg or a_day / kg <= rule.day_max_kg.value)
        and line.times <= rule.times_max
        and (line.times == 1 or (line.interval >= rule.interval and line.interval * (line.times - 1) < 24))
        and line.days <= rule.days_max
    )


@settings(max_examples=200)
@given(cases())
def test_no_accepted_order_exceeds_a_limit(case: tuple[Order, Context]) -> None:
    order, context = case
    findings = found(order, context)
    assert context.child.weight
    grams = context.child.weight.grams
    if not accepted(all_reasons(order, findings), findings):
        return
    for line in order.lines:
        rules = applicable(line.product, context.child, line.rule)
        assert any(within(line, rule, grams) for rule in rules), (line.code, line.dose)
    running = [one.line for one in context.running if one.until >= TODAY]
    for ingredient in KNOWN.ingredient:
        given_now = sum((line.ingredients().get(ingredient.code, Fraction(0)) for line in order.lines), Fraction(0))
        total = sum((line.ingredients().get(ingredient.code, Fraction(0)) for line in running), given_now)
        if given_now:
            assert not ingredient.day_max or total <= ingredient.day_max.value
            assert not ingredient.day_max_kg or total <= Fraction(ingredient.day_max_kg.value * grams, 1000)


@settings(max_examples=200)
@given(children(), CODES)
def test_what_is_proposed_is_never_wrong_in_its_dose(child: Child, code: str) -> None:
    product = PRODUCTS[code]
    proposal = propose(product, child, TODAY, KNOWN)
    if proposal is None:
        return
    line = proposal.line(product)
    wrong = {one.code for one in found(Order((line,)), Context(TODAY, child))} & DOSE_CODES
    assert wrong <= {"underdose"}, wrong
    assert steps(product, Fraction(line.dose)) == (line.dose, line.dose)
    assert packages(line) * product.package.value >= line.dose * line.times * line.days
    assert (packages(line) - 1) * product.package.value < line.dose * line.times * line.days


@given(children(), CODES)
def test_a_usual_child_is_proposed_enough(child: Child, code: str) -> None:
    """Too little is proposed only where a limit says so: never in a child for whom a step of the device is small."""
    product = PRODUCTS[code]
    proposal = propose(product, child, TODAY, KNOWN)
    assume(proposal is not None and product.liquid)
    assert proposal
    findings = found(Order((proposal.line(product),)), Context(TODAY, child))
    assert "underdose" not in {one.code for one in findings}


@settings(max_examples=200)
@given(children(), CODES, GRAMS)
def test_a_heavier_child_never_gets_less(child: Child, code: str, grams: int) -> None:
    product = PRODUCTS[code]
    assert child.weight
    assume(grams > child.weight.grams)
    heavier = replace(child, weight=Weighed(grams, TODAY))
    one, other = (propose(product, of, TODAY, KNOWN) for of in (child, heavier))
    if one is None:
        return
    assert other is not None
    assert other.dose * other.times >= one.dose * one.times
    assert other.dose >= one.dose


@given(st.data(), cases())
def test_splitting_a_line_evades_nothing(data: st.DataObject, case: tuple[Order, Context]) -> None:
    order, context = case
    assume(blocks(order, context))
    place = data.draw(st.integers(0, len(order.lines) - 1))
    line = order.lines[place]
    name = data.draw(st.sampled_from(["dose", "times", "days"]))
    whole = getattr(line, name)
    assume(whole > 1)
    part = data.draw(st.integers(1, whole - 1))
    parts: list[dict[str, Any]] = [{name: part}, {name: whole - part}]
    two = tuple(replace(line, **one) for one in parts)
    split = replace(order, lines=(*order.lines[:place], *two, *order.lines[place + 1 :]))
    assert blocks(split, context)


@given(st.data(), cases())
def test_splitting_over_two_prescriptions_keeps_the_days_limit(
    data: st.DataObject, case: tuple[Order, Context]
) -> None:
    """Half of each line's doses on another prescription that is running: a day's total that was too high still is."""
    order, context = case
    too_high = {key for key in blocks(order, context) if key.startswith("per-day")}
    line = data.draw(st.sampled_from(order.lines))
    assume(too_high and line.times > 1)
    part = data.draw(st.integers(1, line.times - 1))
    kept = tuple(replace(one, times=one.times - part) if one is line else one for one in order.lines)
    running = Running(replace(line, times=part), TODAY, TODAY + timedelta(days=2))
    assert too_high <= blocks(replace(order, lines=kept), replace(context, running=(*context.running, running)))


@given(st.data(), cases())
def test_adding_a_medicine_never_removes_a_block(data: st.DataObject, case: tuple[Order, Context]) -> None:
    order, context = case
    more = replace(order, lines=(*order.lines, data.draw(lines(context.child))))
    assert blocks(order, context) <= blocks(more, context)
    running = Running(more.lines[-1], TODAY, TODAY + timedelta(days=2))
    assert blocks(order, context) <= blocks(order, replace(context, running=(*context.running, running)))


@given(CODES, st.integers(1, 60_000_000), st.integers(1, 7))
def test_steps_are_the_devices(code: str, numerator: int, denominator: int) -> None:
    product, amount = PRODUCTS[code], Fraction(numerator, 1000 * denominator)
    below, above = steps(product, amount)
    assert below <= amount <= above
    if product.liquid:
        assert all(value % (100 if value <= 5000 else 500) == 0 for value in (below, above))
        assert above - below in (0, 100 if amount < 5000 else 500)
    else:
        assert below * product.divides % 1000 == above * product.divides % 1000 == 0
