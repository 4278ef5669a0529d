"""docs/prescriptions.md has every finding with its severities, and every field of the formulary."""

from __future__ import annotations

import re

from config.settings import ROOT
from prescriptions.formulary.product import DoseRule, Product
from prescriptions.rules import CODES
from tests.prescriptions.test_checks import CASES

PAGE = (ROOT / "docs/prescriptions.md").read_text()


def test_the_table_of_findings_is_the_codes() -> None:
    rows = dict(re.findall(r"^\| `([a-z-]+)` \| ((?:block|reason|tell)[a-z, ]*) \|", PAGE, flags=re.M))
    assert list(rows) == list(CODES)
    shown = {(code, severity) for code, severities in rows.items() for severity in severities.split(", ")}
    assert shown == {(case[0], case[1]) for case in CASES}


def test_every_field_is_explained() -> None:
    missing = [name for model in (Product, DoseRule) for name in model.model_fields if f"`{name}`" not in PAGE]
    assert set(missing) <= {"id", "label", "diagnoses"}
