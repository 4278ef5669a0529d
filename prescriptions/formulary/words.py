"""What the formulary's codes are called, and what a medicine is found by: names, aliases, pinyin and its initials,
class, ingredients, ATC."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib import import_module
from typing import Any

from config.text import N_
from prescriptions.formulary.knowledge import folded, knowledge, names
from prescriptions.formulary.product import Control, Form, Per, Product, Route, Storage

FORMS: Mapping[StrEnum, str] = {
    Form.SUSPENSION: N_("Suspension"),
    Form.SOLUTION: N_("Oral solution"),
    Form.DROPS: N_("Drops"),
    Form.TABLET: N_("Tablets"),
    Form.CHEWABLE: N_("Chewable tablets"),
    Form.CAPSULE: N_("Capsules"),
    Form.GRANULES: N_("Granules"),
    Form.POWDER: N_("Powder"),
    Form.NEBULE: N_("Nebules"),
    Form.CREAM: N_("Cream"),
    Form.SUPPOSITORY: N_("Suppositories"),
    Form.INJECTION: N_("Injection"),
}
ROUTES: Mapping[StrEnum, str] = {
    Route.ORAL: N_("by mouth"),
    Route.INHALED: N_("inhaled"),
    Route.TOPICAL: N_("on the skin"),
    Route.RECTAL: N_("rectal"),
    Route.INJECTED: N_("injected"),
}
STORAGES: Mapping[StrEnum, str] = {
    Storage.ROOM: N_("room temperature"),
    Storage.COOL: N_("cool"),
    Storage.COLD_CHAIN: N_("cold chain (not delivered)"),
}
CONTROLS: Mapping[StrEnum, str] = {
    Control.NARCOTIC: N_("narcotic"),
    Control.PSYCHOTROPIC: N_("psychotropic"),
    Control.TOXIC: N_("toxic"),
    Control.RADIOACTIVE: N_("radioactive"),
    Control.PRECURSOR: N_("precursor"),
}
PERS: Mapping[StrEnum, str] = {
    Per.KG_DOSE: N_("per kg and dose"),
    Per.KG_DAY: N_("per kg and day"),
    Per.DOSE: N_("a dose"),
}
YES, NO = N_("Yes"), N_("No")


def search_text(product: Product) -> str:
    """Everything that a medicine is found by, in small letters, with a space before each word."""
    known = knowledge()
    groups = known.groups(product)
    said = [product.name.zh_CN, product.name.en, *product.aliases, product.code, product.atc]
    said += [word for one in known.ingredient if one.code in groups for word in names(one)]
    said += [word for one in known.class_ if one.code in groups for word in (one.name.zh_CN, one.name.en)]
    spelled = [_pinyin(word) for word in said if not word.isascii()]
    words = [*said, *(word for pair in spelled for word in pair)]
    return " " + " ".join(dict.fromkeys(folded(word) for word in words if word))


def _pinyin(word: str) -> tuple[str, str]:
    pinyin: Any = import_module("pypinyin")  # its dictionaries take longer to read than all else at the start
    syllables = pinyin.lazy_pinyin(word, errors="ignore")
    return "".join(syllables), "".join(syllable[0] for syllable in syllables)
