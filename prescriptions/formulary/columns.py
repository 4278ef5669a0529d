"""The formulary's columns, for spreadsheets and the desk's form alike: what each is called, how it is written.

A product is one row for each of its dose rules; what is of the product stands in the first. A heading is an English
msgid; both languages are understood, in any order of columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from config.text import LOCALES, N_, translate
from prescriptions.formulary import words
from prescriptions.formulary.product import Product

Kind = Literal["text", "long", "list", "count", "yuan", "yes", "choice"]
_MONEY = re.compile(r"(\d{1,6})(?:\.(\d{1,2}))?元?")
PROSE = ("name", "aliases", "unit", "strength", "offline_reason", "warning", "counselling", "source", "label", "reason")
_LIST = re.compile(r"\s*[;；\n]\s*")


@dataclass(frozen=True)
class Column:
    """One column: where its value stands in the data (``name.zh_CN``; ``dose.low`` in each dose rule), its heading."""

    path: str
    heading: str
    kind: Kind = "text"
    required: bool = False
    names: Mapping[StrEnum, str] | None = None

    @property
    def of_dose(self) -> bool:
        """Whether each dose rule has one."""
        return self.path.startswith("dose.")

    @property
    def keys(self) -> tuple[str, ...]:
        """The way to the value within the product, or within the dose rule."""
        parts = self.path.split(".")
        return tuple(parts[1:] if self.of_dose else parts)

    def read(self, text: str) -> Any:
        """The value as data; what can't be read stays the text, for the product to refuse. Full-width characters stay
        in prose only."""
        if self.keys[0] not in PROSE:
            text = unicodedata.normalize("NFKC", text)
        if self.kind == "list":
            return [part for part in _LIST.split(text.strip()) if part]
        if self.kind == "count":
            return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else text
        if self.kind == "yuan":
            found = _MONEY.fullmatch(text)
            return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else text
        if self.kind == "yes":
            ways = {_folded(way): said == words.YES for said in (words.YES, words.NO) for way in _ways(said)}
            return ways.get(_folded(text), text)
        if self.kind == "choice":
            ways_ = {
                _folded(way): code.value for code, said in (self.names or {}).items() for way in (code, *_ways(said))
            }
            return ways_.get(_folded(text), text)
        return text

    def show(self, value: Any, locale: str) -> str:
        """A value of a product's data as it is written."""
        if value is None or value == "":
            return ""
        if self.kind == "list":
            return "; ".join(map(str, value))
        if self.kind == "yuan":
            return f"{value // 100}" if value % 100 == 0 else f"{value // 100}.{value % 100:02d}"
        if self.kind == "yes":
            return translate(locale, words.YES if value else words.NO)
        if self.kind == "choice":
            return translate(locale, next(said for code, said in (self.names or {}).items() if code == value))
        return str(value)


def _ways(said: str) -> tuple[str, ...]:
    return tuple(translate(locale, said) for locale in LOCALES)


def value(data: Mapping[str, Any], keys: Sequence[str]) -> Any:
    """A value within data; None when it is not there."""
    found: Any = data
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


PRODUCT = (
    Column("code", N_("Code"), required=True),
    Column("name.zh_CN", N_("Generic name (Chinese)"), required=True),
    Column("name.en", N_("Generic name (English)"), required=True),
    Column("aliases", N_("Other names"), "list"),
    Column("contents", N_("Ingredients"), "list", required=True),
    Column("classes", N_("Classes"), "list"),
    Column("atc", N_("ATC code")),
    Column("form", N_("Form"), "choice", required=True, names=words.FORMS),
    Column("unit.zh_CN", N_("Unit (Chinese)"), required=True),
    Column("unit.en", N_("Unit (English)"), required=True),
    Column("liquid", N_("Measured in mL"), "yes", required=True),
    Column("divides", N_("Parts of a unit"), "count"),
    Column("strength", N_("Strength"), required=True),
    Column("package", N_("A package holds"), required=True),
    Column("route", N_("Route"), "choice", required=True, names=words.ROUTES),
    Column("price_fen", N_("Price of a package (yuan)"), "yuan", required=True),
    Column("storage", N_("Storage"), "choice", names=words.STORAGES),
    Column("control", N_("Specially controlled"), "choice", names=words.CONTROLS),
    Column("online", N_("Prescribed online"), "yes"),
    Column("offline_reason.zh_CN", N_("Why not online (Chinese)")),
    Column("offline_reason.en", N_("Why not online (English)")),
    Column("age_from", N_("Age from")),
    Column("age_until", N_("Age until")),
    Column("weight_from", N_("Weight from")),
    Column("weight_until", N_("Weight until")),
    Column("contraindications", N_("Contraindications"), "list"),
    Column("cautions", N_("Cautions"), "list"),
    Column("avoid_with", N_("Not together with"), "list"),
    Column("warning.zh_CN", N_("Warning (Chinese)"), "long"),
    Column("warning.en", N_("Warning (English)"), "long"),
    Column("counselling.zh_CN", N_("Told to the family (Chinese)"), "long"),
    Column("counselling.en", N_("Told to the family (English)"), "long"),
    Column("source", N_("Source"), "long", required=True),
    Column("grade", N_("Grade of the source"), required=True),
)
DOSE = (
    Column("dose.id", N_("Dose rule"), required=True),
    Column("dose.label.zh_CN", N_("Rule's name (Chinese)")),
    Column("dose.label.en", N_("Rule's name (English)")),
    Column("dose.diagnoses", N_("Only for diagnoses (ICD-10)"), "list"),
    Column("dose.age_from", N_("Rule: age from")),
    Column("dose.age_until", N_("Rule: age until")),
    Column("dose.weight_from", N_("Rule: weight from")),
    Column("dose.weight_until", N_("Rule: weight until")),
    Column("dose.per", N_("Figures are"), "choice", required=True, names=words.PERS),
    Column("dose.low", N_("Lowest"), required=True),
    Column("dose.usual", N_("Usual"), required=True),
    Column("dose.high", N_("Highest"), required=True),
    Column("dose.dose_max", N_("At most a dose")),
    Column("dose.day_max", N_("At most a day")),
    Column("dose.day_max_kg", N_("At most per kg and day")),
    Column("dose.day_warn_kg", N_("Reason above, per kg and day")),
    Column("dose.times", N_("Times a day"), "count", required=True),
    Column("dose.times_max", N_("At most times a day"), "count", required=True),
    Column("dose.interval", N_("Hours apart at least"), "count", required=True),
    Column("dose.days", N_("Usual days"), "count", required=True),
    Column("dose.days_max", N_("At most days"), "count", required=True),
    Column("dose.reason.zh_CN", N_("Needs a reason (Chinese)")),
    Column("dose.reason.en", N_("Needs a reason (English)")),
)
COLUMNS = (*PRODUCT, *DOSE)


def cells(product: Product, locale: str) -> list[dict[str, str]]:
    """A product as rows of written cells, by column: one for each dose rule, one at least."""
    data = product.model_dump(mode="json")
    rules: list[dict[str, Any]] = data["dose"] or [{}]
    rows = [{column.path: column.show(value(rule, column.keys), locale) for column in DOSE} for rule in rules]
    rows[0] |= {column.path: column.show(value(data, column.keys), locale) for column in PRODUCT}
    bare = {column.path: "" for column in PRODUCT} | {"code": product.code}
    return [rows[0], *(bare | row for row in rows[1:])]


def placed(row: Sequence[str]) -> tuple[dict[int, Column], list[Column]]:
    """The columns by their place in a heading row, and the required ones that it lacks."""
    names = {_folded(translate(locale, column.heading)): column for column in COLUMNS for locale in LOCALES}
    found = {place: names[_folded(cell)] for place, cell in enumerate(row) if _folded(cell) in names}
    return found, [column for column in COLUMNS if column.required and column not in found.values()]


def _folded(text: str) -> str:
    return re.sub(r"[\s():,]", "", unicodedata.normalize("NFKC", text)).lower()
