"""Allergies as the family told them, compared with ingredients and classes."""

from __future__ import annotations

from collections.abc import Iterator

from prescriptions.formulary.knowledge import Class, Knowledge, mentions
from prescriptions.rules.finding import BLOCK, REASON, TELL, Finding
from prescriptions.rules.order import Context, Line, Order

ASKED = "处方管理办法: skin test and allergy are checked at review"


def allergies(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """The same ingredient or class blocks; a related class asks for a reason; what can't be read is told."""
    if context.allergies is None:
        yield Finding("allergy-unknown", REASON, source=ASKED)
        return
    for told in context.allergies:
        ingredients = known.written(told)
        classes = [one for one in known.class_ if mentions(told, one.words) or _of(one, ingredients, known)]
        codes = ingredients | {one.code for one in classes}
        if not codes:
            yield Finding("allergy-unread", TELL, (told,), {"told": told}, ASKED)
        for line in order.lines:
            yield from _line(line, told, codes, classes, known)


def _of(one: Class, ingredients: frozenset[str], known: Knowledge) -> bool:
    """An allergy to an ingredient is one to its class where classes have words for allergies."""
    return bool(one.words) and one.code in known.classes(ingredients) and one.code != "antibacterial"


def _line(line: Line, told: str, codes: frozenset[str], classes: list[Class], known: Knowledge) -> Iterator[Finding]:
    groups, product = known.groups(line.product), line.product
    if groups & codes:
        params = {"medicine": product.name, "told": told}
        yield Finding("allergy", BLOCK, (line.code, told), params, product.source)
        return
    for cross in known.cross:
        allergic = next((one for one in classes if one.code == cross.allergic_to), None)
        if allergic and cross.other in groups:
            params = {"medicine": product.name, "ingredient": allergic.name, "told": told}
            yield Finding("cross-allergy", cross.severity, (line.code, told), params, cross.source)
