"""The texts that guardian and doctor confirm, and their version (config/data/attestations.toml)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from config.database import Json
from config.settings import ROOT
from consultation.line.models import Confirmed

SOURCE = ROOT / "config/data/attestations.toml"


@dataclass(frozen=True)
class Texts:
    """Each text in both languages, under one version."""

    version: str
    texts: Mapping[Confirmed, Json]


@cache
def texts() -> Texts:
    """The texts. Raises KeyError when one is missing."""
    with SOURCE.open("rb") as source:
        data = tomllib.load(source)
    return Texts(data["version"], {kind: data[kind] for kind in Confirmed})
