"""All checks of an order, and whether it can be signed as it stands."""

from __future__ import annotations

from collections.abc import Collection

from prescriptions.formulary.knowledge import Knowledge
from prescriptions.rules import allergies, child, doses, formulary, together
from prescriptions.rules.finding import BLOCK, REASON, Finding, ranked
from prescriptions.rules.order import Context, Order

CHECKS = (
    child.weight,
    formulary.lines,
    formulary.stops,
    formulary.conditions,
    formulary.number_of_lines,
    allergies.allergies,
    allergies.reactions,
    doses.single,
    doses.whole_days,
    doses.courses,
    together.twice,
    together.interactions,
    together.at_home,
)


def check(order: Order, context: Context, known: Knowledge) -> list[Finding]:
    """Everything found, the most important first; nothing is found twice."""
    return ranked(finding for one in CHECKS for finding in one(order, context, known))


def accepted(order: Order, findings: Collection[Finding]) -> bool:
    """Whether nothing blocks, and every finding that asks for a reason has one."""
    blocked = any(one.severity is BLOCK for one in findings)
    asked = (one.key for one in findings if one.severity is REASON)
    return not blocked and all(order.reasons.get(key, "").strip() for key in asked)
