"""The hospital's delivery zones and its window (config/data/delivery.toml)."""

from __future__ import annotations

import datetime
import tomllib
from functools import cache
from typing import Annotated

from pydantic import Field, model_validator

from config.settings import ROOT
from prescriptions.formulary.knowledge import knowledge
from prescriptions.formulary.product import Code, Named, Strict

SOURCE = ROOT / "config/data/delivery.toml"
Fen = Annotated[int, Field(ge=0, le=1_000_000)]


class Hours(Strict):
    """On which days somebody works there: 1 is Monday. ``prepare_minutes``: from paying until all is packed."""

    weekdays: Annotated[str, Field(pattern="^[1-7]{1,7}$")]
    holidays: bool
    prepare_minutes: Annotated[int, Field(ge=0, le=1440)]


class Pickup(Hours):
    """The window at the hospital."""

    place: Named
    opens: datetime.time
    closes: datetime.time


class Zone(Hours):
    """An area to which one delivers: ``districts`` are codes by their beginnings."""

    code: Code
    name: Named
    districts: Annotated[tuple[Annotated[str, Field(pattern=r"^\d{2,6}$")], ...], Field(min_length=1)]
    fee_fen: Fen
    free_from_fen: Fen
    cut_off: datetime.time
    hours: Annotated[int, Field(ge=1, le=240)]
    door_from: datetime.time
    door_until: datetime.time


class Terms(Strict):
    """The whole file. A district belongs to the first zone that names it."""

    urgent: tuple[Code, ...]
    pickup: Pickup
    zone: tuple[Zone, ...]

    @model_validator(mode="after")
    def _known(self) -> Terms:
        known = knowledge()
        codes = {one.code for one in known.class_} | {one.code for one in known.ingredient}
        if unknown := set(self.urgent) - codes:
            raise ValueError(f"nothing has the code {', '.join(sorted(unknown))}")
        return self

    def zone_of(self, district: str) -> Zone | None:
        """The zone of a district; None where nothing is delivered."""
        return next((zone for zone in self.zone if district.startswith(zone.districts)), None)


@cache
def terms() -> Terms:
    """The hospital's file. Raises ValueError when it is not what it should be."""
    return Terms.model_validate(tomllib.loads(SOURCE.read_text(encoding="utf-8")))
