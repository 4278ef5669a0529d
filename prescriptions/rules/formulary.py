"""What the formulary itself forbids: lines nobody verified, what is not for the internet, ages, weights, conditions."""

from __future__ import annotations

from collections.abc import Iterator

from config.text import CHINESE, ENGLISH, N_, translate
from prescriptions.formulary.amounts import Kilograms, Years
from prescriptions.formulary.knowledge import Knowledge, Stop
from prescriptions.formulary.product import Both, Product, Route, Storage
from prescriptions.rules.dosing import rule_of, within
from prescriptions.rules.finding import BLOCK, REASON, TELL, Finding
from prescriptions.rules.order import Child, Context, Line, Order

CONTROLLED = N_("specially controlled, never prescribed online")
INJECTED = N_("injections are not prescribed online")
ONLINE_RULES = "互联网诊疗管理办法(试行) art. 19"


def both(message: str, **params: object) -> Both:
    """A text of ours in both languages."""
    return Both(zh_CN=translate(CHINESE, message, **params), en=translate(ENGLISH, message, **params))


def lines(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:  # noqa: ARG001
    """Each line by itself, but for its dose."""
    for line in order.lines:
        product, about = line.product, {"medicine": line.product.name}
        if not line.verified:
            yield Finding("not-verified", BLOCK if context.verified_only else TELL, (line.code,), about)
        yield from _not_online(product)
        yield from _limits(product, context)
        if context.child.weight and product.online and rule_of(line, context.child, context.today) is None:
            yield Finding("no-rule", BLOCK, (line.code,), about, product.source)
        if product.warning:
            yield Finding("warning", TELL, (line.code,), {**about, "text": product.warning}, product.source)
        if product.storage is Storage.COLD_CHAIN:
            yield Finding("cold-chain", TELL, (line.code,), about)


def _not_online(product: Product) -> Iterator[Finding]:
    texts = [(product.offline_reason, product.source)] if not product.online else []
    if product.control:
        texts.append((both(CONTROLLED), ONLINE_RULES))
    if product.route is Route.INJECTED:
        texts.append((both(INJECTED), ONLINE_RULES))
    for text, source in texts:
        yield Finding("not-online", BLOCK, (product.code,), {"medicine": product.name, "text": text}, source)


def _limits(product: Product, context: Context) -> Iterator[Finding]:
    age, weight = within(product, context.child, context.today)
    if not age:
        params = {"medicine": product.name, "limit": _range(product.age_from, product.age_until)}
        yield Finding("age-limit", BLOCK, (product.code,), params, product.source)
    if not weight:
        params = {"medicine": product.name, "limit": _range(product.weight_from, product.weight_until)}
        yield Finding("weight-limit", BLOCK, (product.code,), params, product.source)


def _range(low: Years | Kilograms | None, high: Years | Kilograms | None) -> Both:
    """``from 6 mo until 6 y``, ``6个月至6岁``."""
    zh = "".join(
        [f"{low.zh}起" if low else "", f"，未满{high.zh}" if high and low else f"未满{high.zh}" if high else ""]
    )
    en = " ".join([f"from {low}" if low else "", f"until {high}" if high else ""]).strip()
    return Both(zh_CN=zh, en=en)


def stops(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """The hard stops by age and weight, for whatever has the ingredient or the class."""
    for line in order.lines:
        groups = known.groups(line.product)
        for stop in known.stop:
            if applies(stop, groups, context.child, context):
                params = {"medicine": line.product.name, "text": stop.text}
                yield Finding("stop", stop.severity, (line.code, stop.code), params, stop.source)


def applies(stop: Stop, groups: frozenset[str], child: Child, context: Context) -> bool:
    """Whether a stop is about what has these ingredients and classes, for this child."""
    named = groups.intersection(stop.any_of) or (stop.all_of and groups.issuperset(stop.all_of))
    young = stop.age_until and not stop.age_until.reached(child.born, context.today)
    light = stop.weight_until and child.weight and child.weight.grams < stop.weight_until.grams
    return bool(named and (young or light))


def conditions(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """Contraindications and cautions. A diagnosis counts in full; what only words say asks for a reason, as they may
    deny it."""
    for line in order.lines:
        yield from _of_line(line, context.child, known)


def _of_line(line: Line, child: Child, known: Knowledge) -> Iterator[Finding]:
    product = line.product
    for found in known.conditions(product.contraindications):
        if found.holds(child.diagnoses, child.told):
            severity = BLOCK if found.holds(child.diagnoses, "") else REASON
            params = {"medicine": product.name, "condition": found.name}
            yield Finding("contraindication", severity, (line.code, found.code), params, product.source)
    for found in known.conditions(product.cautions):
        if found.holds(child.diagnoses, child.told):
            params = {"medicine": product.name, "condition": found.name}
            yield Finding("caution", REASON, (line.code, found.code), params, product.source)


def number_of_lines(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:  # noqa: ARG001
    """At most five medicines on a prescription (处方管理办法), and a supply of seven days, three in an emergency."""
    limits = context.limits
    if len(order.lines) > limits.drugs:
        yield Finding("too-many", BLOCK, params={"given": len(order.lines), "limit": limits.drugs})
    most = limits.emergency_days if order.emergency else limits.days
    for line in order.lines:
        if line.days > most:
            params = {"medicine": line.product.name, "given": line.days, "limit": most}
            yield Finding("supply", REASON, (line.code,), params)
