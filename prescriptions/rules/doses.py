"""How much: each dose, a day of each ingredient over everything that runs, and the length of the course."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from prescriptions.formulary.amounts import Amount, number
from prescriptions.formulary.knowledge import Knowledge
from prescriptions.formulary.product import Both, DoseRule
from prescriptions.rules.dosing import day_limit, day_warning, dose_limit, ingredient_limit, least, rule_of, steps
from prescriptions.rules.finding import BLOCK, REASON, Finding
from prescriptions.rules.order import Context, Line, Order


def single(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:  # noqa: ARG001
    """Each line by its rule: dose, times, hours between, what can be measured, too little."""
    for line in order.lines:
        yield from _step(line)
        rule = rule_of(line, context.child, context.today)
        if rule is None or context.child.weight is None:
            continue
        yield from _dose(line, rule, context.child.weight.grams)
        yield from _times(line, rule)
        if rule.reason:
            params = {"medicine": line.product.name, "text": rule.reason}
            yield Finding("rule-reason", REASON, (line.code, rule.id), params, line.product.source)


def _step(line: Line) -> Iterator[Finding]:
    below, above = steps(line.product, Fraction(line.dose))
    if below != above:
        params = {"medicine": line.product.name, "given": _form(line, line.dose), "limit": _form(line, below or above)}
        yield Finding("dose-step", BLOCK, (line.code,), params, "device: 0.1 mL below 5 mL, 0.5 mL above")


def _dose(line: Line, rule: DoseRule, grams: int) -> Iterator[Finding]:
    product, about = line.product, {"medicine": line.product.name, "given": _both(line, line.dose)}
    most = dose_limit(product, rule, grams, line.times)
    if line.dose > most:
        limit = _both(line, steps(product, most)[0])
        yield Finding("per-dose", BLOCK, (line.code,), {**about, "limit": limit}, product.source)
    lowest = least(product, rule, grams, line.times)
    if line.dose < lowest:
        yield Finding("underdose", REASON, (line.code,), {**about, "limit": _both(line, lowest)}, product.source)


def _times(line: Line, rule: DoseRule) -> Iterator[Finding]:
    about = {"medicine": line.product.name}
    if line.times > rule.times_max:
        params = {**about, "given": line.times, "limit": rule.times_max}
        yield Finding("times", BLOCK, (line.code,), params, line.product.source)
    if line.interval < rule.interval or line.interval * (line.times - 1) >= 24:
        params = {**about, "given": line.interval, "limit": rule.interval}
        yield Finding("interval", BLOCK, (line.code,), params, line.product.source)


def whole_days(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """A day of each ingredient, over the order and all that is still running: so splitting a line evades nothing."""
    weight = context.child.weight
    if weight is None:
        return
    everything = [*order.lines, *(one.line for one in context.still_running())]
    for ingredient in dict.fromkeys(code for line in order.lines for code in line.ingredients()):
        total = sum((line.ingredients().get(ingredient, Fraction(0)) for line in everything), Fraction(0))
        own = [line for line in everything if line.product.main.ingredient == ingredient]
        limits = [_in_micrograms(line, context, weight.grams) for line in own]
        most = [day for day, _ in limits if day is not None]
        whole = ingredient_limit(known, ingredient, weight.grams)
        yield from _day(ingredient, total, min([*most, *([whole] if whole else [])], default=None), BLOCK, own, known)
        warnings = [warn for _, warn in limits if warn is not None]
        yield from _day(ingredient, total, min(warnings, default=None), REASON, own, known)


def _in_micrograms(line: Line, context: Context, grams: int) -> tuple[Fraction | None, Fraction | None]:
    """The most of a day, and from where on a reason is written, of the line's main ingredient by its rule."""
    rule = rule_of(line, context.child, context.today)
    if rule is None:
        return None, None
    warn, content = day_warning(line.product, rule, grams), line.product.main
    most = content.micrograms_in(day_limit(line.product, rule, grams))
    return most, None if warn is None else content.micrograms_in(warn)


def _day(
    ingredient: str, total: Fraction, limit: Fraction | None, severity: object, own: list[Line], known: Knowledge
) -> Iterator[Finding]:
    if limit is None or total <= limit:
        return
    found = known.find(ingredient)
    named: object = found.name if found else ingredient
    params = {"ingredient": named, "given": _mass(total), "limit": _mass(limit)}
    source = next((line.product.source for line in own), "") or (found.source if found else "")
    code, how = ("per-day", BLOCK) if severity is BLOCK else ("day-high", REASON)
    yield Finding(code, how, (ingredient,), params, source)


def courses(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:  # noqa: ARG001
    """No longer than the rule's longest course, the days that the ingredient has been running included."""
    for line in order.lines:
        rule = rule_of(line, context.child, context.today)
        if rule is None:
            continue
        main = line.product.main.ingredient
        began = [one.starts for one in context.still_running() if one.line.product.main.ingredient == main]
        days = line.days + max(0, (context.today - min(began, default=context.today)).days)
        if days > rule.days_max:
            params = {"medicine": line.product.name, "given": days, "limit": rule.days_max}
            yield Finding("course", BLOCK, (line.code,), params, line.product.source)


def _mass(micrograms: Fraction) -> str:
    return str(Amount(int(micrograms), "ug")) if micrograms < 1000 else f"{number(micrograms, 1000)} mg"


def _form(line: Line, thousandths: int) -> Both:
    count, unit = number(thousandths, 1000), line.product.unit
    return Both(zh_CN=f"{count}{unit.zh_CN}", en=f"{count} {unit.en}")


def _both(line: Line, thousandths: int) -> Both:
    """``2.5 mL (50 mg)``: what is measured, and what is in it."""
    form, mass = _form(line, thousandths), _mass(line.product.main.micrograms_in(thousandths))
    return Both(zh_CN=f"{form.zh_CN}（{mass}）", en=f"{form.en} ({mass})")
