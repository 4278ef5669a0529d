"""What does not go together: over the order, all that is still running, and the medicines at home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prescriptions.formulary.knowledge import ORAL, Knowledge, Pair, Severity
from prescriptions.formulary.product import Both
from prescriptions.rules.finding import BLOCK, REASON, TELL, Finding
from prescriptions.rules.formulary import applies
from prescriptions.rules.order import Context, Order

REVIEW = "处方点评规范 3-4, 2-7"


@dataclass(frozen=True)
class Taken:
    """Something that is taken, or could be: its key, its name, its ingredients, all groups it is in, and what it must
    not be beside. ``worst``: how much a finding about it can ask."""

    key: str
    name: Both
    ingredients: frozenset[str]
    groups: frozenset[str]
    avoids: frozenset[str] = frozenset()
    worst: Severity = BLOCK
    ordered: bool = False

    def at_most(self, severity: Severity) -> Severity:
        """The severity, but no more than this allows."""
        order = list(Severity)
        return order[max(order.index(severity), order.index(self.worst))]


def taken(order: Order, context: Context, known: Knowledge) -> list[Taken]:
    """The order's lines first, then what runs, then what is at home."""
    lines = [(line, BLOCK, True) for line in order.lines]
    lines += [(one.line, BLOCK, False) for one in context.still_running()]
    found = []
    for line, worst, ordered in lines:
        groups = known.groups(line.product)
        avoids = frozenset(line.product.avoid_with)
        found.append(Taken(line.code, line.product.name, frozenset(line.ingredients()), groups, avoids, worst, ordered))
    for one in context.home:
        ingredients = one.ingredients | known.written(one.name)
        groups = ingredients | known.classes(ingredients)
        worst = BLOCK if one.given else REASON
        found.append(Taken(one.name, Both(zh_CN=one.name, en=one.name), ingredients, groups, worst=worst))
    return found


def couples(order: Order, context: Context, known: Knowledge) -> Iterator[tuple[Taken, Taken]]:
    """Each line of the order with everything after it."""
    everything = taken(order, context, known)
    for place, one in enumerate(everything):
        if one.ordered:
            yield from ((one, other) for other in everything[place + 1 :])


def twice(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """An ingredient twice, or two of one class. In one order an ingredient twice blocks; what runs or is at home may be
    stopped or put away, so there it asks for a reason."""
    for one, other in couples(order, context, known):
        params = {"medicine": one.name, "other": other.name}
        shared = sorted(one.ingredients & other.ingredients)
        for code in shared:
            found = known.find(code)
            severity = BLOCK if other.ordered else REASON
            named = {**params, "ingredient": found.name if found else code}
            yield Finding("duplicate-ingredient", severity, (one.key, other.key, code), named, REVIEW)
        if shared:
            continue
        for group in known.class_:
            if group.twice and group.code in one.groups & other.groups:
                severity = other.at_most(group.twice if other.ordered else REASON)
                named = {**params, "ingredient": group.name}
                yield Finding("duplicate-class", severity, (one.key, other.key, group.code), named, REVIEW)


def interactions(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """The pairs of the hospital's file, and what a product itself must not be beside. What is only told is told
    once."""
    told: dict[str, list[tuple[Taken, Taken]]] = {}
    for one, other in couples(order, context, known):
        for pair in known.pair:
            if not _pair(pair, one, other):
                continue
            if pair.severity is TELL:
                told.setdefault(pair.code, []).append((one, other))
                continue
            params = {"medicine": one.name, "other": other.name, "text": pair.text}
            about = (one.key, other.key, pair.code)
            yield Finding("interaction", other.at_most(pair.severity), about, params, pair.source)
        if one.avoids & other.groups or other.avoids & one.groups:
            params = {"medicine": one.name, "other": other.name, "text": Both(zh_CN="不能合用", en="not together")}
            yield Finding("interaction", other.at_most(BLOCK), (one.key, other.key), params, "formulary")
    for pair in known.pair:
        if pair.code in told:
            yield _told(pair, told[pair.code])


def _pair(pair: Pair, one: Taken, other: Taken) -> bool:
    def is_(a: Taken, b: Taken) -> bool:
        return (
            pair.of in a.groups
            and bool(b.groups & set(pair.with_))
            and not (ORAL in pair.with_ and pair.of in b.groups)
        )

    return is_(one, other) or is_(other, one)


def _told(pair: Pair, found: Sequence[tuple[Taken, Taken]]) -> Finding:
    def names(these: Sequence[Taken]) -> Both:
        unique = list(dict.fromkeys(one.name for one in these))
        return Both(zh_CN="、".join(one.zh_CN for one in unique), en=", ".join(one.en for one in unique))

    params = {"medicine": names([one for one, _ in found]), "other": names([other for _, other in found])}
    return Finding("interaction", TELL, (pair.code,), {**params, "text": pair.text}, pair.source)


def at_home(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:  # noqa: ARG001
    """What of the medicines at home could not be compared, and what of them is not for this child at all."""
    unknown = []
    for one in context.home:
        ingredients = one.ingredients | known.written(one.name)
        if not ingredients:
            unknown.append(one.name)
        groups = ingredients | known.classes(ingredients)
        for stop in known.stop:
            if applies(stop, groups, context.child, context):
                yield Finding("home-stop", TELL, (one.name,), {"told": one.name, "text": stop.text}, stop.source)
    if unknown:
        yield Finding("home-unknown", TELL, params={"told": ", ".join(unknown)}, source=REVIEW)
