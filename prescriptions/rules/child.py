"""The child's weight: is there one, is it new enough, can it be right?"""

from __future__ import annotations

from collections.abc import Iterator

from booking.admission import Age
from prescriptions.formulary.amounts import number
from prescriptions.formulary.knowledge import Knowledge
from prescriptions.rules.finding import BLOCK, REASON, Finding
from prescriptions.rules.order import Context, Order

LEAST_G, MOST_G = 400, 250_000  # beyond this it is no child's weight at all
SOURCE = "WHO growth standards, 3 SD; ages of a weight: policy"


def weight(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:  # noqa: ARG001
    """A paediatric prescription has a weight, whatever its medicines (处方管理办法)."""
    weighed, limits = context.child.weight, context.limits
    if weighed is None:
        yield Finding("weight-missing", BLOCK)
        return
    infant = Age.of(context.child.born, context.today).months < 12
    days = (context.today - weighed.measured_on).days
    if not 0 <= days <= (limits.weight_infant_days if infant else limits.weight_days):
        yield Finding("weight-stale", BLOCK, params={"day": weighed.measured_on.isoformat()}, source=SOURCE)
    possible = LEAST_G <= weighed.grams <= MOST_G
    if not possible or not weighed.plausible:
        severity = REASON if possible and weighed.confirmed else BLOCK
        kg = number(weighed.grams, 1000)
        yield Finding("weight-implausible", severity, params={"kg": kg}, source=SOURCE)
