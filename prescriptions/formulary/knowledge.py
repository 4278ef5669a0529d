"""What is known of ingredients, whatever the product: classes, names as parents write them, conditions, and the rules
that hold for all of them (config/data/formulary/knowledge.toml). Pure functions over that file."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from config.settings import ROOT
from prescriptions.formulary.product import AgeLimit, Code, Limit, Named, Product, Strict, WeightLimit, Words

FOLDER = ROOT / "config/data/formulary"
SOURCE = FOLDER / "knowledge.toml"
ORAL = "oral"  # in a pair: whatever is swallowed


class Severity(StrEnum):
    """What a finding asks: not this way; only with a written reason; to be known."""

    BLOCK = "block"
    REASON = "reason"
    TELL = "tell"


class Sourced(Strict):
    """Where a line comes from, and who of the hospital has verified it. All of them count unverified, too: they only
    make the checks stricter."""

    source: Words
    grade: Literal["A", "B", "GK"]
    verified_by: str = ""
    verified_on: date | Literal[""] = ""


class Class(Strict):
    """A class of ingredients. ``words``: how an allergy to it is written; ``twice``: what two of it in one prescription
    ask, if anything."""

    code: Code
    name: Named
    words: tuple[Words, ...] = ()
    twice: Severity | None = None


class Ingredient(Strict):
    """An ingredient. ``aliases`` are further names, brands too; the limits are of a day, whatever the products."""

    code: Code
    name: Named
    aliases: tuple[Words, ...] = ()
    classes: tuple[Code, ...] = ()
    day_max: Limit = None
    day_max_kg: Limit = None
    source: str = ""


class Condition(Strict):
    """An illness or a circumstance: ICD-10 codes by their beginnings, and words."""

    code: Code
    name: Named
    icd10: tuple[Words, ...] = ()
    words: tuple[Words, ...] = ()

    def holds(self, codes: Iterable[str], text: str) -> bool:
        """Whether one of the diagnoses, or the text, says so."""
        return any(one.startswith(self.icd10) for one in codes if self.icd10) or mentions(text, self.words)


class Stop(Sourced):
    """Under an age, or a weight, not for a child: any of ``any_of``, or all of ``all_of`` (ingredients or classes)."""

    code: Code
    any_of: tuple[Code, ...] = ()
    all_of: tuple[Code, ...] = ()
    age_until: AgeLimit = None
    weight_until: WeightLimit = None
    severity: Severity
    text: Named


class Pair(Sourced):
    """Two ingredients or classes that do not go together, or not at once. ``with_``: ``oral`` is all that is
    swallowed."""

    code: Code
    of: Code
    with_: Annotated[tuple[Code, ...], Field(alias="with", min_length=1)]
    severity: Severity
    text: Named


class Cross(Sourced):
    """Who is allergic to one class may be to another."""

    allergic_to: Code
    other: Code
    severity: Severity


class Knowledge(Strict):
    """The whole file. Every code that one part names stands in another."""

    version: Words
    ingredient: tuple[Ingredient, ...]
    class_: Annotated[tuple[Class, ...], Field(alias="class")]
    condition: tuple[Condition, ...]
    stop: tuple[Stop, ...]
    pair: tuple[Pair, ...]
    cross: tuple[Cross, ...]

    @model_validator(mode="after")
    def _known(self) -> Knowledge:
        classes = {one.code for one in self.class_}
        both = classes | {one.code for one in self.ingredient}
        named = {code for one in self.ingredient for code in one.classes} - classes
        named |= {code for stop in self.stop for code in (*stop.any_of, *stop.all_of)} - both
        named |= {code for pair in self.pair for code in (pair.of, *pair.with_)} - both - {ORAL}
        named |= {code for cross in self.cross for code in (cross.allergic_to, cross.other)} - classes
        if named:
            raise ValueError(f"nothing has the code {', '.join(sorted(named))}")
        return self

    def find(self, code: str) -> Ingredient | None:
        """The ingredient of a code."""
        return next((one for one in self.ingredient if one.code == code), None)

    def classes(self, ingredients: Iterable[str]) -> frozenset[str]:
        """The classes of some ingredients."""
        return frozenset(code for one in ingredients if (found := self.find(one)) for code in found.classes)

    def groups(self, product: Product) -> frozenset[str]:
        """Everything by which a rule can name a product: its ingredients, its classes, and how it is swallowed."""
        ingredients = [content.ingredient for content in product.contents]
        oral = {ORAL} if product.route == ORAL else set()
        return frozenset(ingredients) | self.classes(ingredients) | frozenset(product.classes) | oral

    def conditions(self, codes: Collection[str]) -> list[Condition]:
        """The conditions of some codes, in the file's order."""
        return [one for one in self.condition if one.code in codes]

    def names(self, locale: str) -> dict[str, str]:
        """What every code is called."""
        found = {one.code: one.name.say(locale) for one in self.condition}
        found |= {one.code: one.name.say(locale) for one in self.class_}
        return found | {one.code: one.name.say(locale) for one in self.ingredient}

    def written(self, text: str) -> frozenset[str]:
        """The ingredients that a text names, in whatever words."""
        return frozenset(one.code for one in self.ingredient if mentions(text, names(one)))

    def unknown(self, product: Product) -> dict[str, list[str]]:
        """Codes of a product that nothing has, by its field. An ingredient may be new if the product names its
        classes."""
        classes = {one.code for one in self.class_}
        ingredients = {one.code for one in self.ingredient}
        conditions = {one.code for one in self.condition}
        named = [] if product.classes else [content.ingredient for content in product.contents]
        found = {
            "contents": [code for code in named if code not in ingredients],
            "classes": [code for code in product.classes if code not in classes],
            "contraindications": [code for code in product.contraindications if code not in conditions],
            "cautions": [code for code in product.cautions if code not in conditions],
            "avoid_with": [code for code in product.avoid_with if code not in classes | ingredients],
        }
        return {name: codes for name, codes in found.items() if codes}


def names(ingredient: Ingredient) -> tuple[str, ...]:
    """All that an ingredient is called."""
    return (ingredient.name.zh_CN, ingredient.name.en, *ingredient.aliases)


def folded(text: str) -> str:
    """As texts are compared: NFKC, small letters."""
    return unicodedata.normalize("NFKC", text).casefold()


def mentions(text: str, words: Iterable[str]) -> bool:
    """Whether a text has one of the words; Latin words stand alone, Chinese ones anywhere."""
    said = folded(text)
    for word in map(folded, words):
        pattern = rf"(?<![a-z0-9]){re.escape(word)}" if word.isascii() else re.escape(word)
        if re.search(pattern, said):
            return True
    return False


@cache
def knowledge(path: Path = SOURCE) -> Knowledge:
    """The hospital's file. Raises ValueError when it is not what it should be."""
    return Knowledge.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
