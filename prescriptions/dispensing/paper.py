"""The labels to be stuck on the packages: a PDF of labels of 60 mm by 40 mm, drawn in typst from the same numbers as
the family's page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import noto_cjk_sans_otc
from typst import Compiler, Fonts

from config.hospital import hospital
from config.text import CHINESE
from prescriptions.dispensing.labels import Label

PPI = 300
TEMPLATE = Path(__file__).with_name("labels.typ")
_rendering = Lock()  # the compiler is one, and keeps what it has read


@cache
def _compiler() -> Compiler:
    folder = Path(noto_cjk_sans_otc.__file__).parent
    fonts = Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    return Compiler(font_paths=fonts)


def pdf(labels: Sequence[Label], at: datetime, locale: str) -> bytes:
    """A page for each label. Takes some milliseconds of processor time: not inside of a transaction."""
    with _rendering:
        made = _compiler().compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs=_inputs(labels, locale),
            timestamp=at.replace(microsecond=0),
        )
    assert isinstance(made, bytes)  # noqa: S101 - a PDF is one file
    return made


def pictures(labels: Sequence[Label], locale: str) -> list[bytes]:
    """The labels as PNG, to be looked at."""
    with _rendering:
        made = _compiler().compile(TEMPLATE.read_bytes(), format="png", ppi=PPI, sys_inputs=_inputs(labels, locale))
    return made if isinstance(made, list) else [made or b""]


def _inputs(labels: Sequence[Label], locale: str) -> dict[str, str]:
    data = {
        "lang": "zh" if locale == CHINESE else "en",
        "hospital": hospital().name[locale],
        "phone": hospital().number("hospital"),
        "labels": [_data(label) for label in labels],
    }
    return {"data": json.dumps(data, ensure_ascii=False)}


def _data(label: Label) -> dict[str, Any]:
    return {
        "child": label.child,
        "prescription": label.prescription,
        "name": label.name,
        "strength": label.strength,
        "dose": label.dose,
        "often": label.often,
        "days": label.days,
        "how": list(label.how),
        "apart": list(label.apart),
        "mind": label.mind,
        "storage": label.storage,
        "batches": list(label.batches),
        "fills": [
            {
                "fraction": float(fill.fraction),
                "amount": f"{fill.amount_text} mL",
                "said": said,
                "lines": [[float(at), number] for at, number in fill.lines],
            }
            for fill, said in zip(label.fills, label.measure, strict=True)
        ],
        "part": {"whole": label.part.whole, "part": label.part.part, "of": label.part.of} if label.part else None,
    }
