"""Amounts, ages and weights as the formulary writes them, kept as whole numbers: micrograms, thousandths of a unit of
the form (so microlitres of a liquid), grams."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from pydantic_core import PydanticCustomError

from booking.admission import Age
from config.text import N_

Unit = Literal["ug", "mL", "u"]  # u: one of the form, a tablet or a sachet
MASSES = {"g": 1_000_000, "mg": 1000, "ug": 1, "μg": 1, "mcg": 1, "克": 1_000_000, "毫克": 1000, "微克": 1}
VOLUMES = {"ml": "mL", "毫升": "mL", "u": "u", "unit": "u", "units": "u", "片": "u", "袋": "u", "粒": "u", "支": "u"}
NUMBER = r"(\d{1,7}(?:\.\d{1,3})?)"
_AMOUNT = re.compile(rf"{NUMBER} ?([^\d\s/]+)")
_AGE = re.compile(r"(\d{1,4}) ?(d|mo|y|天|个月|月|岁)")
_WEIGHT = re.compile(rf"{NUMBER} ?(?:kg|千克|公斤)?")
_INGREDIENT = re.compile(r"([a-z][a-z0-9-]{1,58}) +([^/]+?)(?: ?/ ?(.+))?")
_AGES = {"天": "d", "个月": "mo", "月": "mo", "岁": "y"}


def bad(message: str, **params: object) -> PydanticCustomError:
    """What a field refuses: an English msgid and its values, for whoever typed it."""
    return PydanticCustomError("cell", "{said}", {"said": message % params, "message": message, "params": params})


@dataclass(frozen=True)
class Amount:
    """So much of an ingredient (``ug``), of a liquid (``mL``, in thousandths: microlitres) or of the form (``u``, in
    thousandths of a tablet or a sachet)."""

    value: int
    unit: Unit

    @classmethod
    def read(cls, text: str) -> Amount:
        """``120 mg``, ``0.5 g``, ``250 ug``, ``2.5 mL``, ``1 u``. Raises what pydantic reports."""
        found = _AMOUNT.fullmatch(text.strip())
        unit = found[2] if found else ""
        if found and unit.lower() in MASSES:
            value = Decimal(found[1]) * MASSES[unit.lower()]
            if value == int(value):
                return cls(int(value), "ug")
        if found and unit.lower() in VOLUMES:
            kind: Unit = "mL" if VOLUMES[unit.lower()] == "mL" else "u"
            return cls(int(Decimal(found[1]) * 1000), kind)
        raise bad(N_("%(text)s is no amount such as 120 mg, 2.5 mL or 1 u"), text=text[:40])

    @property
    def mass(self) -> bool:
        """Whether it is so much of an ingredient, not of the form."""
        return self.unit == "ug"

    def __str__(self) -> str:
        if not self.mass:
            return f"{number(self.value, 1000)} {self.unit}"
        for unit, size in (("g", 1_000_000), ("mg", 1000)):
            if self.value >= size:
                return f"{number(self.value, size)} {unit}"
        return f"{self.value} ug"


def number(value: int | Fraction, per: int = 1) -> str:
    """A value divided by ``per`` in plain figures, at most three after the point, cut off, not rounded: ``2.5``."""
    thousandths = int(Fraction(value) * 1000 / per)
    return f"{thousandths // 1000}.{thousandths % 1000:03d}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Years:
    """An age limit in whole days, months or years, such as ``6 mo``."""

    count: int
    unit: Literal["d", "mo", "y"]

    @classmethod
    def read(cls, text: str) -> Years:
        """``28 d``, ``6 mo``, ``2 y``. Raises what pydantic reports."""
        found = _AGE.fullmatch(text.strip())
        if not found:
            raise bad(N_("%(text)s is no age such as 28 d, 6 mo or 2 y"), text=text[:40])
        unit = _AGES.get(found[2], found[2])
        return cls(int(found[1]), "d" if unit == "d" else "mo" if unit == "mo" else "y")

    def reached(self, born: date, on: date) -> bool:
        """Whether a child is that old on a day."""
        age = Age.of(born, on)
        return age.days >= self.count if self.unit == "d" else age.months >= self.months

    @property
    def months(self) -> int:
        """In months; days are counted as none, to compare limits only."""
        return self.count * {"d": 0, "mo": 1, "y": 12}[self.unit]

    @property
    def zh(self) -> str:
        """In Chinese."""
        units = {"d": "天", "mo": "个月", "y": "岁"}
        return f"{self.count}{units[self.unit]}"

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"


@dataclass(frozen=True)
class Kilograms:
    """A weight limit, in grams."""

    grams: int

    @classmethod
    def read(cls, text: str) -> Kilograms:
        """``5 kg`` or ``5``. Raises what pydantic reports."""
        found = _WEIGHT.fullmatch(text.strip())
        if not found or not Decimal(found[1]):
            raise bad(N_("%(text)s is no weight such as 5 kg"), text=text[:40])
        return cls(int(Decimal(found[1]) * 1000))

    @property
    def zh(self) -> str:
        """In Chinese."""
        return f"{number(self.grams, 1000)}千克"

    def __str__(self) -> str:
        return f"{number(self.grams, 1000)} kg"


@dataclass(frozen=True)
class Content:
    """What is in a product: micrograms of an ingredient in so many thousandths of a unit of the form."""

    ingredient: str
    micrograms: int
    per: Amount

    @classmethod
    def read(cls, text: str) -> Content:
        """``paracetamol 120 mg/5 mL`` or ``cetirizine 10 mg`` (in one tablet). Raises what pydantic reports."""
        found = _INGREDIENT.fullmatch(text.strip())
        if not found:
            raise bad(N_("%(text)s is no ingredient such as paracetamol 120 mg/5 mL"), text=text[:60])
        amount, per = Amount.read(found[2]), Amount.read(found[3] or "1 u")
        if not amount.mass or per.mass or not amount.value or not per.value:
            raise bad(N_("%(text)s is no ingredient such as paracetamol 120 mg/5 mL"), text=text[:60])
        return cls(found[1], amount.value, per)

    def micrograms_in(self, thousandths: int | Fraction) -> Fraction:
        """How much of the ingredient is in so many thousandths of a unit."""
        return Fraction(self.micrograms) * thousandths / self.per.value

    def holding(self, micrograms: Fraction) -> Fraction:
        """How many thousandths of a unit hold so much of the ingredient."""
        return micrograms * self.per.value / self.micrograms

    def __str__(self) -> str:
        return f"{self.ingredient} {Amount(self.micrograms, 'ug')}/{self.per}"
