"""Allergies as the family told them, compared with ingredients and classes."""

from __future__ import annotations

from collections.abc import Iterator

from prescriptions.formulary.knowledge import Class, Knowledge, mentions
from prescriptions.formulary.product import Both
from prescriptions.rules.finding import BLOCK, REASON, TELL, Finding
from prescriptions.rules.order import Context, Line, Order

REPORTED = "药品不良反应报告和监测管理办法: a reaction that was reported is known to who prescribes next"
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


def reactions(order: Order, context: Context, known: Knowledge) -> Iterator[Finding]:
    """A severe reaction to an ingredient that was reported earlier blocks it, any other asks for a reason."""
    names = known.names("zh_CN"), known.names("en")
    for before in context.reacted:
        for line in order.lines:
            for code in sorted(before.ingredients & known.groups(line.product)):
                ingredient = Both(zh_CN=names[0].get(code, code), en=names[1].get(code, code))
                params = {
                    "medicine": line.product.name, "ingredient": ingredient, "day": before.day.isoformat(),
                    "told": before.signs,
                }  # fmt: skip
                severity = BLOCK if before.severe else REASON
                yield Finding("reaction", severity, (line.code, before.day.isoformat()), params, REPORTED)


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
