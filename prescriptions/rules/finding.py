"""Findings: what is wrong with an order, how much it matters, in which words (docs/prescriptions.md has the table)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from config.text import N_, translate
from prescriptions.formulary.knowledge import Severity
from prescriptions.formulary.product import Both

BLOCK, REASON, TELL = Severity.BLOCK, Severity.REASON, Severity.TELL
LAW = "处方管理办法"
SEVERITIES = list(Severity)

# The most important first: in this order they are read. Message by code.
CODES: Mapping[str, str] = {
    "weight-missing": N_("No weight is known. Ask for it before prescribing."),
    "weight-stale": N_("The weight is of %(day)s. Ask for it again."),
    "weight-implausible": N_("%(kg)s kg is unusual at this age. Ask for it again."),
    "allergy": N_("%(medicine)s: the family told of an allergy: %(told)s"),
    "reaction": N_("%(medicine)s: a reaction to %(ingredient)s was reported on %(day)s: %(told)s"),
    "stop": N_("%(medicine)s: %(text)s"),
    "contraindication": N_("%(medicine)s: not with %(condition)s"),
    "interaction": N_("%(medicine)s, %(other)s: %(text)s"),
    "duplicate-ingredient": N_("%(ingredient)s twice: %(medicine)s, %(other)s"),
    "duplicate-class": N_("Two of one class (%(ingredient)s): %(medicine)s, %(other)s"),
    "per-dose": N_("%(medicine)s: %(given)s a dose, at most %(limit)s"),
    "per-day": N_("%(ingredient)s: %(given)s a day in all, at most %(limit)s"),
    "times": N_("%(medicine)s: %(given)s times a day, at most %(limit)s"),
    "interval": N_("%(medicine)s: every %(given)s hours, at least %(limit)s hours apart"),
    "course": N_("%(medicine)s: %(given)s days in all, at most %(limit)s"),
    "dose-step": N_("%(medicine)s: %(given)s can't be measured; %(limit)s can"),
    "age-limit": N_("%(medicine)s: for children %(limit)s"),
    "weight-limit": N_("%(medicine)s: for a weight %(limit)s"),
    "no-rule": N_("%(medicine)s: no dose is known for this age, weight and diagnosis"),
    "not-online": N_("%(medicine)s: %(text)s"),
    "not-verified": N_("%(medicine)s: no pharmacist has verified this line of the formulary"),
    "too-many": N_("%(given)s medicines, at most %(limit)s on a prescription"),
    "cross-allergy": N_("%(medicine)s: allergy to %(ingredient)s told of (%(told)s)"),
    "caution": N_("%(medicine)s: careful with %(condition)s"),
    "day-high": N_("%(ingredient)s: %(given)s a day in all, above %(limit)s"),
    "underdose": N_("%(medicine)s: %(given)s a dose is too little, at least %(limit)s"),
    "rule-reason": N_("%(medicine)s: %(text)s"),
    "supply": N_("%(medicine)s: %(given)s days, at most %(limit)s without a reason"),
    "allergy-unknown": N_("Whether the child is allergic to anything is not known."),
    "allergy-unread": N_("An allergy that could not be compared: %(told)s"),
    "home-unknown": N_("Medicines at home that could not be compared: %(told)s"),
    "home-stop": N_("At home: %(told)s. %(text)s"),
    "warning": N_("%(medicine)s: %(text)s"),
    "cold-chain": N_("%(medicine)s: kept cold, so fetched at the hospital, not delivered"),
}
_RANKS = {code: rank for rank, code in enumerate(CODES)}


@dataclass(frozen=True)
class Finding:
    """One finding: its code, how much it matters, the products or names that it is about, the figures of its message,
    and its source. A value that is a text in both languages is said in the reader's."""

    code: str
    severity: Severity
    about: tuple[str, ...] = ()
    params: Mapping[str, object] = field(default_factory=dict)
    source: str = LAW

    @property
    def key(self) -> str:
        """The same for the same thing found: a reason is written under it."""
        return ":".join((self.code, *sorted(self.about)))

    def say(self, locale: str) -> str:
        """The finding in one language."""
        said = {name: one.say(locale) if isinstance(one, Both) else one for name, one in self.params.items()}
        return translate(locale, CODES[self.code], **said)


def ranked(found: Iterable[Finding]) -> list[Finding]:
    """One finding for each key, the strictest; what blocks first, then what needs a reason, then what is told."""
    best: dict[str, Finding] = {}
    for one in found:
        other = best.setdefault(one.key, one)
        if SEVERITIES.index(one.severity) < SEVERITIES.index(other.severity):
            best[one.key] = one
    return sorted(best.values(), key=lambda one: (SEVERITIES.index(one.severity), _RANKS[one.code], one.key))
