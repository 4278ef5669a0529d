"""One line of the formulary: a product with all that a prescription, its label and its checks need. Amounts, ages and
weights are texts in files, spreadsheets and the database (amounts.py says which), and numbers here."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, model_validator

from config.text import N_
from prescriptions.formulary.amounts import Amount, Content, Kilograms, Unit, Years, bad

T = TypeVar("T")


def _text_of(read: Callable[[str], T]) -> BeforeValidator:
    return BeforeValidator(lambda value: read(value) if isinstance(value, str) else value)


def _optional(read: Callable[[str], T]) -> BeforeValidator:
    return BeforeValidator(lambda value: (read(value) if value.strip() else None) if isinstance(value, str) else value)


_WRITTEN = PlainSerializer(lambda value: "" if value is None else str(value), return_type=str)
Dose = Annotated[Amount, _text_of(Amount.read), _WRITTEN]
Limit = Annotated[Amount | None, _optional(Amount.read), _WRITTEN]
AgeLimit = Annotated[Years | None, _optional(Years.read), _WRITTEN]
WeightLimit = Annotated[Kilograms | None, _optional(Kilograms.read), _WRITTEN]
Contained = Annotated[Content, _text_of(Content.read), _WRITTEN]
Words = Annotated[str, Field(min_length=1, max_length=400)]
Code = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,59}$")]


class Per(StrEnum):
    """What the figures of a dose rule are of."""

    KG_DOSE = "kg-dose"
    KG_DAY = "kg-day"
    DOSE = "dose"


class Form(StrEnum):
    """The form of a product."""

    SUSPENSION = "suspension"
    SOLUTION = "solution"
    DROPS = "drops"
    TABLET = "tablet"
    CHEWABLE = "chewable"
    CAPSULE = "capsule"
    GRANULES = "granules"
    POWDER = "powder"
    NEBULE = "nebule"
    CREAM = "cream"
    SUPPOSITORY = "suppository"
    INJECTION = "injection"


class Route(StrEnum):
    """How a product is given."""

    ORAL = "oral"
    INHALED = "inhaled"
    TOPICAL = "topical"
    RECTAL = "rectal"
    INJECTED = "injected"


class Storage(StrEnum):
    """How a product is kept. Cold chain is not delivered."""

    ROOM = "room"
    COOL = "cool"
    COLD_CHAIN = "cold-chain"


class Control(StrEnum):
    """Specially controlled drugs (rules of 2018, art. 19: none of them online)."""

    NARCOTIC = "narcotic"
    PSYCHOTROPIC = "psychotropic"
    TOXIC = "toxic"
    RADIOACTIVE = "radioactive"
    PRECURSOR = "precursor"


class Strict(BaseModel):
    """Nothing may stand in the data that is not read."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Both(Strict):
    """A text in both languages; none is an empty one."""

    zh_CN: Annotated[str, Field(max_length=400)] = ""
    en: Annotated[str, Field(max_length=400)] = ""

    def say(self, locale: str) -> str:
        """In one language, Chinese when the other is missing."""
        return (self.en if locale == "en" else "") or self.zh_CN

    def __bool__(self) -> bool:
        return bool(self.zh_CN)


class Named(Both):
    """A text that must be there in both languages."""

    zh_CN: Annotated[str, Field(min_length=1, max_length=80)]
    en: Annotated[str, Field(min_length=1, max_length=80)]


class DoseRule(Strict):
    """How much, how often and how long for one band of age and weight, and for some diagnoses or all.

    ``low``, ``usual`` and ``high`` are per kilogram and dose, per kilogram and day, or of a dose, as ``per`` says;
    ``dose_max`` and ``day_max`` hold whatever the weight, ``day_max_kg`` is of a kilogram and day; above
    ``day_warn_kg`` a reason is written. ``times`` a day are proposed, ``times_max`` the most; ``interval`` the least
    hours between two doses; ``days`` are proposed, ``days_max`` the longest course. ``reason``: prescribing by this
    rule needs one.
    """

    id: Code
    label: Both = Both()
    diagnoses: tuple[Words, ...] = ()
    age_from: AgeLimit = None
    age_until: AgeLimit = None
    weight_from: WeightLimit = None
    weight_until: WeightLimit = None
    per: Per
    low: Dose
    usual: Dose
    high: Dose
    dose_max: Limit = None
    day_max: Limit = None
    day_max_kg: Limit = None
    day_warn_kg: Limit = None
    times: Annotated[int, Field(ge=1, le=12)]
    times_max: Annotated[int, Field(ge=1, le=12)]
    interval: Annotated[int, Field(ge=1, le=72)]
    days: Annotated[int, Field(ge=1, le=90)]
    days_max: Annotated[int, Field(ge=1, le=180)]
    reason: Both = Both()

    @property
    def amounts(self) -> tuple[Amount, ...]:
        """Every amount of the rule."""
        limits = (self.dose_max, self.day_max, self.day_max_kg, self.day_warn_kg)
        return (self.low, self.usual, self.high, *(limit for limit in limits if limit))

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if len({amount.unit for amount in self.amounts}) > 1:
            raise bad(N_("a dose rule keeps to one unit: mg, mL or u"))
        if not 0 < self.low.value <= self.usual.value <= self.high.value:
            raise bad(N_("the usual dose lies between the lowest and the highest, which are above zero"))
        if self.times > self.times_max or self.days > self.days_max:
            raise bad(N_("the usual times and days are at most the highest"))
        if self.times_max * self.interval > 24 and self.times_max > 1:
            raise bad(N_("so many doses a day do not fit with the hours between them"))
        return self


AS_NEEDED = ("N02B", "M01AE")  # ATC


class Product(Strict):
    """A product of the formulary. ``contents`` names the main ingredient first: doses in mg are of that. ``divides``:
    into how many parts a unit can be divided (tablets; liquids are measured in the device's steps). ``package`` is
    what one package holds. ``contraindications`` and ``cautions`` are conditions of
    config/data/formulary/knowledge.toml, as are the classes; ``avoid_with`` are ingredients or classes that must not
    be running beside it."""

    code: Code
    name: Named
    aliases: tuple[Words, ...] = ()
    contents: tuple[Contained, ...] = Field(min_length=1)
    classes: tuple[Code, ...] = ()
    atc: Annotated[str, Field(pattern=r"^[A-Z]\d\d[A-Z]{2}(\d\d)?$|^$")] = ""
    form: Form
    unit: Named
    liquid: bool
    divides: Annotated[int, Field(ge=1, le=8)] = 1
    strength: Words
    package: Dose
    route: Route
    price_fen: Annotated[int, Field(ge=0, le=10_000_000)]
    storage: Storage = Storage.ROOM
    control: Control | None = None
    online: bool = True
    offline_reason: Both = Both()
    age_from: AgeLimit = None
    age_until: AgeLimit = None
    weight_from: WeightLimit = None
    weight_until: WeightLimit = None
    contraindications: tuple[Code, ...] = ()
    cautions: tuple[Code, ...] = ()
    avoid_with: tuple[Code, ...] = ()
    warning: Both = Both()
    counselling: Both
    source: Words
    grade: Annotated[str, Field(pattern="^(A|B|GK)$")]
    dose: tuple[DoseRule, ...] = ()

    @property
    def main(self) -> Content:
        """The ingredient that doses in mg are of."""
        return self.contents[0]

    @property
    def as_needed(self) -> bool:
        """For fever and pain: given when the child needs it, not by the clock."""
        return self.atc.startswith(AS_NEEDED)

    @property
    def kind(self) -> Unit:
        """In what amounts of the form are written."""
        return "mL" if self.liquid else "u"

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        of_form = [self.package, *(content.per for content in self.contents)]
        of_form += [amount for rule in self.dose for amount in rule.amounts if not amount.mass]
        if any(amount.unit != self.kind for amount in of_form) or not self.package.value:
            raise bad(N_("amounts of the form are in %(unit)s, and above zero"), unit=self.kind)
        if self.online and not self.dose:
            raise bad(N_("a medicine that can be prescribed online needs a dose rule"))
        if not self.online and not self.offline_reason:
            raise bad(N_("why it can't be prescribed online has to be said in Chinese"))
        if len({rule.id for rule in self.dose}) < len(self.dose):
            raise bad(N_("two dose rules have the same name"))
        if len({content.ingredient for content in self.contents}) < len(self.contents):
            raise bad(N_("an ingredient stands there twice"))
        return self

    def as_data(self) -> dict[str, Any]:
        """As it is kept: texts, numbers and lists only; what is empty is left out."""
        kept: dict[str, Any] = _plain(self.model_dump(mode="json", exclude_defaults=True))
        return kept


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain for key, one in value.items() if (plain := _plain(one)) not in ("", None)}
    return [_plain(one) for one in value] if isinstance(value, list) else value
