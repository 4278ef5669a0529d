"""Labels: the words a parent reads at night, and a picture that says exactly what they say."""

from __future__ import annotations

import re
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prescriptions.dispensing.labels import Batch, Given, Label, labels, mass_text
from prescriptions.dispensing.syringe import MOST, SCALES, Fill, Part, fills, part_of
from prescriptions.formulary.counselling import counselling
from prescriptions.formulary.product import Form, Route
from prescriptions.rules import propose, steps
from prescriptions.rules.order import Child, Weighed
from tests.prescriptions.orders import FEVER, KNOWN, PRODUCTS, TODAY, born, proposed

CHILD, NUMBER = "王小明", "C20261125001"
ORALS = [one for one in PRODUCTS.values() if one.liquid and one.route is Route.ORAL]
COUNTED = [one for one in PRODUCTS.values() if not one.liquid]


def one(code: str, dose: int | None = None, **more: int) -> Given:
    line = proposed(code)
    amounts = {"times": line.times, "interval": line.interval, "days": line.days} | more
    return Given(PRODUCTS[code], dose or line.dose, **amounts, batches=(Batch("A1", date(2027, 5, 31), 1),))


def label(code: str, dose: int | None = None, locale: str = "zh_CN", **more: int) -> Label:
    return labels([one(code, dose, **more)], CHILD, NUMBER, KNOWN, locale)[0]


def test_a_label_as_a_parent_reads_it() -> None:
    found = label(FEVER, 5000, times=4, interval=6, days=3)
    assert found.dose == "每次 5 毫升（120 毫克）"
    assert found.often == "需要时才用，24 小时内最多 4 次，两次至少隔 6 小时"
    assert found.days == "最多用 3 天"
    assert found.measure == ("用 5 毫升的喂药器，吸到 5 毫升刻度线",)
    assert found.batches == ("批号 A1，2027年5月31日前使用",)
    assert (found.child, found.prescription) == (CHILD, NUMBER)
    assert "每次用前摇匀" in found.how
    english = label(FEVER, 5000, "en", times=4, interval=6, days=3)
    assert english.dose == "5 mL each time (120 mg)"
    assert english.often == "Only when needed, at most 4 times in 24 hours, at least 6 hours apart"


def test_what_is_taken_by_the_clock_says_so() -> None:
    found = label("amoxicillin-susp-50" if "amoxicillin-susp-50" in PRODUCTS else "amoxicillin-susp-25", locale="en")
    assert re.fullmatch(r"\d times a day, and at least \d+ hours apart", found.often)
    assert re.fullmatch(r"For \d+ days", found.days)


@pytest.mark.parametrize(
    ("dose", "divides", "part", "zh", "en"),
    [
        (500, 2, Part(0, 1, 2), "半袋", "half a sachet"),
        (1000, 2, Part(1), "1 袋", "1 sachet"),
        (1500, 2, Part(1, 1, 2), "1 袋半", "1 and a half sachet"),
        (2000, 2, Part(2), "2 袋", "2 sachets"),
    ],
)
def test_parts_are_words_and_a_picture(dose: int, divides: int, part: Part, zh: str, en: str) -> None:
    assert part_of(dose, divides) == part
    found = label("montmorillonite-3g", dose)
    assert found.dose.startswith(f"每次 {zh}（")
    assert label("montmorillonite-3g", dose, "en").dose.startswith(f"{en} each time")
    assert found.part == part
    assert found.fills == ()


def test_what_must_be_kept_apart_stands_on_both_labels() -> None:
    both = labels([one("montmorillonite-3g"), one(FEVER)], CHILD, NUMBER, KNOWN, "zh_CN")
    assert all("蒙脱石与其他口服药间隔至少2小时" in found.apart for found in both)
    assert labels([one(FEVER)], CHILD, NUMBER, KNOWN, "zh_CN")[0].apart == ()


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
def test_where_the_leaflet_says_otherwise_the_doctor_goes_first(locale: str) -> None:
    first = {"zh_CN": "次数和间隔以上面的为准", "en": "How often and how far apart: as above"}[locale]
    assert first in label(FEVER, 5000, locale, interval=6, times=4).mind
    assert first in label(FEVER, 5000, locale, interval=4, times=3).mind  # the leaflet: at most 4 times in 24 hours
    assert first not in label(FEVER, 5000, locale, interval=4, times=4).mind
    assert first not in label("montmorillonite-3g", locale=locale, interval=6).mind  # hours from other medicines
    range_ = {"zh_CN": "每天3～4次，餐后服。", "en": "3 to 4 times a day after food."}[locale]
    assert [first in counselling(range_, times, 6, locale) for times in (2, 3, 4)] == [True, False, False]


def test_a_cream_has_no_amount_to_swallow() -> None:
    found = label("hydrocortisone-cream-1", 1000)
    assert (found.dose, found.part, found.fills) == ("每次薄薄涂一层", None, ())
    assert "只能外用，不能吃" in found.how


# The picture says what the text says


@given(st.sampled_from(ORALS), st.integers(1, 40_000))
def test_the_mark_is_where_the_text_says_and_never_above(product: object, wanted: int) -> None:
    """For every dose that a device can measure, up to the largest that is drawn up: the syringes hold exactly it."""
    assert isinstance(product, type(ORALS[0]))
    dose = steps(product, Fraction(wanted))[0]
    found = fills(dose)
    if not 0 < dose <= MOST:
        assert found == ()
        return
    assert sum(fill.amount for fill in found) == dose
    for fill in found:
        assert fill.fraction * fill.size == fill.amount
        marks = [at for at, _ in fill.lines]
        assert fill.fraction in marks
        assert marks == sorted(marks)
        assert (marks[0], marks[-1]) == (Fraction(0), Fraction(1))
        numbered = {number: at for at, number in fill.lines if number}
        assert all(Fraction(number) * 1000 == at * fill.size for number, at in numbered.items())


@given(st.sampled_from(sorted(SCALES)), st.integers(-100, 20_000))
def test_no_syringe_is_filled_between_its_lines_or_beyond(size: int, amount: int) -> None:
    line, _ = SCALES[size]
    if 0 < amount <= size and not amount % line:
        assert Fill(size, amount).fraction == Fraction(amount, size)
    else:
        with pytest.raises(ValueError, match="no line"):
            Fill(size, amount)


@given(st.integers(1, 60_000_000))
def test_milligrams_are_never_rounded_up(micrograms: int) -> None:
    said = mass_text(Fraction(micrograms, 7), "en")
    number, unit = re.fullmatch(r"(about )?([\d.]+) (mg|g)", said).group(2, 3)  # type: ignore[union-attr]
    shown = Fraction(number) * (1_000_000 if unit == "g" else 1000)
    assert shown <= Fraction(micrograms, 7)
    assert said.startswith("about ") == (shown != Fraction(micrograms, 7))


@given(st.sampled_from(sorted(PRODUCTS)), st.integers(0, 17), st.integers(0, 11), st.integers(30, 800), st.booleans())
def test_every_proposed_dose_has_words_that_say_it(
    code: str, years: int, months: int, hectograms: int, zh: bool
) -> None:
    """Text, picture and order agree, for every product, age and weight for which something is proposed."""
    product = PRODUCTS[code]
    child = Child(born(years, months), Weighed(hectograms * 100, TODAY))
    found = propose(product, child, TODAY, KNOWN) if product.online else None
    if found is None:
        return
    line = Given(product, found.dose, found.times, found.interval, found.days)
    made = labels([line], CHILD, NUMBER, KNOWN, "zh_CN" if zh else "en")[0]
    if product.liquid and product.route is Route.ORAL:
        amount = re.search(r"([\d.]+) (毫升|mL)", made.dose)
        assert amount
        assert Fraction(amount[1]) * 1000 == found.dose
        if made.fills:
            assert sum(fill.amount for fill in made.fills) == found.dose
            assert len(made.measure) == len(made.fills)
        else:
            assert found.dose > MOST
    elif product.form is not Form.CREAM:
        assert made.part is not None
        assert 1000 * made.part.whole + Fraction(1000 * made.part.part, made.part.of) == found.dose
    assert str(found.days) in made.days or found.days == 1
