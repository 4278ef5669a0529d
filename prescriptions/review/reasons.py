"""The national reasons for which a prescription is sent back (config/data/review_reasons.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Literal

from config.settings import ROOT
from config.text import N_
from prescriptions.formulary.product import Both, Strict, Words

SOURCE = ROOT / "config/data/review_reasons.toml"


class Group(StrEnum):
    """不规范处方, 用药不适宜处方, 超常处方."""

    IRREGULAR = "irregular"
    UNSUITABLE = "unsuitable"
    SUPERNORMAL = "supernormal"


GROUPS = {
    Group.UNSUITABLE: N_("Use not suitable"),
    Group.IRREGULAR: N_("Not properly written"),
    Group.SUPERNORMAL: N_("Beyond what is normal"),
}  # in the order of the page: what is chosen most first


class Reason(Strict):
    """One reason."""

    code: Words
    group: Group
    text: Both


class Reasons(Strict):
    """The whole file."""

    version: Words
    source: Words
    verified_by: str = ""
    verified_on: date | Literal[""] = ""
    reason: tuple[Reason, ...]

    def named(self, codes: Iterable[str], locale: str) -> list[str]:
        """The codes with their texts, as they are shown."""
        texts = {one.code: one.text.say(locale) for one in self.reason}
        return [f"{code} {texts.get(code, '')}".strip() for code in codes]

    def known(self, codes: Iterable[str]) -> list[str]:
        """Those of the codes that there are, in the file's order."""
        wanted = set(codes)
        return [one.code for one in self.reason if one.code in wanted]


@cache
def reasons(path: Path = SOURCE) -> Reasons:
    """The file. Raises ValueError when it is not what it should be."""
    return Reasons.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
