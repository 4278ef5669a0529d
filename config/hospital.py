"""How parents reach the hospital: names and phone numbers from config/data/hospital.toml."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from config.settings import ROOT


@dataclass(frozen=True)
class Phone:
    """A number to call; ``use`` is ``emergency``, ``hospital`` or ``complaint``, the label by locale."""

    use: str
    number: str
    label: dict[str, str]


@dataclass(frozen=True)
class Hospital:
    """The hospital's name and address by locale, and its numbers."""

    name: dict[str, str]
    address: dict[str, str]
    phones: tuple[Phone, ...]

    def phones_for(self, use: str) -> list[Phone]:
        """The numbers for one use."""
        return [phone for phone in self.phones if phone.use == use]

    def number(self, use: str) -> str:
        """The first number for one use."""
        return self.phones_for(use)[0].number


@cache
def hospital() -> Hospital:
    """The hospital, as its data file has it."""
    with (ROOT / "config/data/hospital.toml").open("rb") as source:
        data = tomllib.load(source)
    return Hospital(data["name"], data["address"], tuple(Phone(**phone) for phone in data["phone"]))
