"""A medicine's label in words that a parent understands at three in the morning: how much, how often, how long, what to
mind, in Chinese and English. Pure: nothing is rounded up, and what is cut off is said to be about so much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from config.formats import short_day
from config.text import CHINESE, N_, translate
from prescriptions.dispensing.syringe import Fill, Part, fills, millilitres, part_of
from prescriptions.formulary.amounts import number
from prescriptions.formulary.counselling import counselling
from prescriptions.formulary.knowledge import Knowledge
from prescriptions.formulary.product import Both, Form, Product, Route, Storage
from prescriptions.rules import Child, Context, Line, Order
from prescriptions.rules.finding import TELL
from prescriptions.rules.together import interactions

GRAM, MILLIGRAM = 1_000_000, 1000  # micrograms
ROUTES = {
    Route.ORAL: N_("By mouth"),
    Route.INHALED: N_("Inhaled from the nebuliser, not drunk"),
    Route.TOPICAL: N_("On the skin only, never by mouth"),
    Route.RECTAL: N_("Into the bottom, never by mouth"),
}
FORMS = {
    Form.SUSPENSION: N_("Shake the bottle well each time"),
    Form.GRANULES: N_("Stir it into water and give all of it"),
    Form.POWDER: N_("Stir it into water and give all of it"),
    Form.CHEWABLE: N_("To be chewed"),
}
STORAGES = {
    Storage.ROOM: N_("Keep dry and below 30 °C, out of children's reach"),
    Storage.COOL: N_("Keep in a cool place below 20 °C, out of children's reach"),
    Storage.COLD_CHAIN: N_("Keep in the fridge at 2–8 °C, never freeze, out of children's reach"),
}
PARTS = {  # of one, when there is no whole one; beside whole ones
    Fraction(1, 4): (N_("a quarter of a %(unit)s"), N_("%(whole)s and a quarter %(unit)s")),
    Fraction(1, 3): (N_("a third of a %(unit)s"), N_("%(whole)s and a third %(unit)s")),
    Fraction(1, 2): (N_("half a %(unit)s"), N_("%(whole)s and a half %(unit)s")),
    Fraction(2, 3): (N_("two thirds of a %(unit)s"), N_("%(whole)s and two thirds %(unit)s")),
    Fraction(3, 4): (N_("three quarters of a %(unit)s"), N_("%(whole)s and three quarters %(unit)s")),
}

NOBODY = Context(date.min, Child(date.min, None))  # what must be kept apart does not depend on the child


@dataclass(frozen=True)
class Batch:
    """So many packages of a lot."""

    number: str
    expires_on: date
    packages: int


@dataclass(frozen=True)
class Given:
    """A line of a prescription as it was given out."""

    product: Product
    dose: int
    times: int
    interval: int
    days: int
    batches: tuple[Batch, ...] = ()

    def as_rule(self) -> Line:
        """As the dose rules see it."""
        return Line(self.product, self.dose, self.times, self.interval, self.days)


@dataclass(frozen=True)
class Label:
    """What stands on it. ``dose`` is the one line that must be read right; ``fills`` or ``part`` is its picture."""

    child: str
    prescription: str
    name: str
    strength: str
    dose: str
    often: str
    days: str
    how: tuple[str, ...]
    mind: str
    apart: tuple[str, ...]
    storage: str
    batches: tuple[str, ...]
    fills: tuple[Fill, ...] = field(default=())
    part: Part | None = None
    measure: tuple[str, ...] = ()


def labels(given: Sequence[Given], child: str, prescription: str, known: Knowledge, locale: str) -> list[Label]:
    """The labels of one prescription, one for each medicine. ``child`` and ``prescription`` are name and number."""
    return [_label(one, given, child, prescription, known, locale) for one in given]


def _label(
    one: Given, together: Sequence[Given], child: str, prescription: str, known: Knowledge, locale: str
) -> Label:
    product = one.product
    drawn = fills(one.dose) if product.liquid and product.route is Route.ORAL else ()
    return Label(
        child=child,
        prescription=prescription,
        name=product.name.say(locale),
        strength=product.strength,
        dose=dose_text(one, locale),
        often=often_text(one, locale),
        days=days_text(one, locale),
        how=tuple(translate(locale, text) for text in _how(product)),
        mind=counselling(one.product.counselling.say(locale), one.times, one.interval, locale),
        apart=apart(one, together, known, locale),
        storage=translate(locale, STORAGES[product.storage]),
        batches=tuple(batch_text(batch, locale) for batch in one.batches),
        fills=drawn,
        part=None if product.liquid or product.form is Form.CREAM else part_of(one.dose, product.divides),
        measure=tuple(_measure(fill, n, len(drawn), product, locale) for n, fill in enumerate(drawn)),
    )


def dose_text(one: Given, locale: str) -> str:
    """``每次 5 毫升（160 毫克）``."""
    product = one.product
    amount = _liquid(one.dose, locale) if product.liquid else _counted(one.dose, product, locale)
    if product.form is Form.CREAM:
        return translate(locale, N_("A thin film each time"))
    if product.liquid and product.atc.startswith("A07C"):  # salts for drinking: what is in them says nothing
        return translate(locale, N_("%(amount)s each time"), amount=amount)
    mass = mass_text(product.main.micrograms_in(one.dose), locale)
    return translate(locale, N_("%(amount)s each time (%(mass)s)"), amount=amount, mass=mass)


def mass_text(micrograms: Fraction, locale: str) -> str:
    """``160 毫克``; what does not come out even is cut off, and said to be about so much."""
    unit, zh, en = (GRAM, "克", "g") if micrograms >= GRAM else (MILLIGRAM, "毫克", "mg")
    digits = 10 if micrograms >= 10 * MILLIGRAM and unit == MILLIGRAM else 1000
    shown = Fraction(int(micrograms * digits / unit), digits)
    text = f"{number(shown)} {zh if locale == CHINESE else en}"
    return text if shown * unit == micrograms else translate(locale, N_("about %(amount)s"), amount=text)


def often_text(one: Given, locale: str) -> str:
    """``每天 3 次，两次至少隔 6 小时``."""
    if one.product.as_needed:
        said = N_("Only when needed, at most %(times)s times in 24 hours, at least %(hours)s hours apart")
    elif one.times == 1:
        said = N_("Once a day, about the same time each day")
    else:
        said = N_("%(times)s times a day, and at least %(hours)s hours apart")
    return translate(locale, said, times=one.times, hours=one.interval)


def days_text(one: Given, locale: str) -> str:
    """``连用 3 天``."""
    needed = one.product.as_needed
    if one.days == 1:
        said = N_("For one day only") if needed else N_("For one day")
    else:
        said = N_("For %(days)s days at most") if needed else N_("For %(days)s days")
    return translate(locale, said, days=one.days)


def batch_text(batch: Batch, locale: str) -> str:
    """``批号 A1 · 有效期至 2027年5月31日``."""
    on = batch.expires_on
    day = f"{on.year}年{short_day(on, locale)}" if locale == CHINESE else f"{short_day(on, locale)} {on.year}"
    return translate(locale, N_("Lot %(number)s, use before %(day)s"), number=batch.number, day=day)


def apart(one: Given, together: Sequence[Given], known: Knowledge, locale: str) -> tuple[str, ...]:
    """What must be kept apart of the medicines of the same prescription: the hospital's own words for the pair."""
    others = [other for other in together if other is not one]
    found = []
    for other in others:
        pair = Order((one.as_rule(), other.as_rule()))
        for finding in interactions(pair, NOBODY, known):
            text = finding.params.get("text")
            if finding.severity is TELL and isinstance(text, Both):
                found.append(text.say(locale))
    return tuple(dict.fromkeys(found))


def _liquid(dose: int, locale: str) -> str:
    return f"{millilitres(dose)} {'毫升' if locale == CHINESE else 'mL'}"


def _counted(dose: int, product: Product, locale: str) -> str:
    """``1 片``, ``半片``, ``1 片半``: never figures with a point, which a tired reader misses."""
    unit, found = product.unit.say(locale), part_of(dose, product.divides)
    if found is None:
        return f"{number(dose, 1000)} {unit}"
    if not found.part:
        return f"{found.whole} {unit}{'s' if locale != CHINESE and found.whole > 1 else ''}"
    alone, beside = PARTS.get(Fraction(found.part, found.of), ("", ""))
    if not alone:
        return f"{number(dose, 1000)} {unit}"
    return translate(locale, beside if found.whole else alone, whole=found.whole, unit=unit)


def _how(product: Product) -> list[str]:
    return [text for text in (ROUTES.get(product.route), FORMS.get(product.form)) if text]


def _measure(fill: Fill, n: int, of: int, product: Product, locale: str) -> str:
    """What the picture shows, in words: for whoever can't see it, and to be compared with it."""
    amount, size = _liquid(fill.amount, locale), _liquid(fill.size, locale)
    if of > 1:
        said = (N_("First fill up to %(amount)s"), N_("then once more to %(amount)s"))[n]
        return translate(locale, said, amount=amount)
    if product.form is Form.DROPS:
        return translate(locale, N_("Draw up to %(amount)s, with the dropper that came with it"), amount=amount)
    return translate(locale, N_("%(size)s syringe: draw up to the %(amount)s line"), size=size, amount=amount)
