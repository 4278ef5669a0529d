"""The hospital's own lists for what comes after a visit (config/data/afterwards.toml)."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Annotated

from pydantic import Field

from consultation.record.library import FOLDER, Coded, File

Score = Annotated[int, Field(ge=1, le=5)]


class Reason(Coded):
    """Why a visit was good or not, offered with these scores."""

    scores: tuple[Score, ...]


class Afterwards(File):
    """afterwards.toml."""

    reason: tuple[Reason, ...]
    category: Annotated[tuple[Coded, ...], Field(min_length=1)]

    def reasons_at(self, score: int) -> list[Reason]:
        """Those offered with a score."""
        return [reason for reason in self.reason if score in reason.scores]

    def category_of(self, code: str) -> Coded | None:
        """What a complaint is about; None for a code that is not in the list."""
        return next((one for one in self.category if one.code == code), None)


@cache
def lists() -> Afterwards:
    """Reasons and categories. Raises ValueError when the file is not what it should be."""
    return Afterwards.model_validate(tomllib.loads((FOLDER / "afterwards.toml").read_text(encoding="utf-8")))
