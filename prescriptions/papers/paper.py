"""The paediatric form (light green, 儿科) as PDF and pictures: typst, real glyphs, sealed by the clinic (PAdES).

Only what was looked at (signing/verifying.py) is rendered; nothing is kept, so the paper is always what is signed.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import noto_cjk_sans_otc
from typst import Compiler, Fonts

from config import formats
from config.text import CHINESE, N_, translate
from prescriptions.papers.shown import Shown
from prescriptions.signing.models import SigningCertificate
from prescriptions.signing.refusals import NoCertificate

PPI = 120
TEMPLATE = Path(__file__).with_name("prescription.typ")
_rendering = Lock()  # the compiler is one, and keeps what it has read


@dataclass(frozen=True)
class Seal:
    """The clinic's certificate with its key, taken out of the database so that no transaction is open meanwhile."""

    certificate: str
    key: str

    @classmethod
    def of(cls, kept: SigningCertificate) -> Seal:
        """As it is kept. Raises NoCertificate where the key is elsewhere."""
        if kept.key is None:
            raise NoCertificate
        return cls(kept.certificate, kept.key)


@cache
def _compiler() -> Compiler:
    folder = Path(noto_cjk_sans_otc.__file__).parent
    fonts = Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    return Compiler(font_paths=fonts)


def pdf(seen: Shown, locale: str, seal: Seal, at: datetime) -> bytes:
    """The form as PDF/A-2b with the clinic's signature over every byte. Takes some tens of milliseconds of processor
    time: not inside of a transaction."""
    from prescriptions.papers.sealing import sealed  # noqa: PLC0415 - pyHanko is slow to import, and few papers are read

    with _rendering:
        made = _compiler().compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs=_inputs(seen, locale),
            pdf_standards=["a-2b"],
            timestamp=at.replace(microsecond=0),  # the PDF knows seconds, and refuses more
        )
    assert isinstance(made, bytes)  # noqa: S101 - a PDF is one file
    return sealed(made, seal.certificate, seal.key, seen.number)


def pictures(seen: Shown, locale: str) -> list[bytes]:
    """The pages of the form as PNG, for phones that open no PDF."""
    with _rendering:
        made = _compiler().compile(TEMPLATE.read_bytes(), format="png", ppi=PPI, sys_inputs=_inputs(seen, locale))
    return made if isinstance(made, list) else [made or b""]


def _inputs(seen: Shown, locale: str) -> dict[str, str]:
    return {"data": json.dumps(_data(seen, locale), ensure_ascii=False)}


def _data(seen: Shown, locale: str) -> dict[str, Any]:
    def say(message: str, **params: object) -> str:
        return translate(locale, message, **params)

    return {
        "lang": "zh" if locale == CHINESE else "en",
        "colon": "：" if locale == CHINESE else ":",
        "hospital": seen.hospital,
        "title": say(N_("Prescription")),
        "mark": say(N_("Paediatrics")),
        "kind": say(N_("Emergency prescription")) if seen.emergency else "",
        "facts": _facts(seen, locale),
        "medicines": [asdict(one) for one in seen.medicines],
        "labels": {
            "total": say(N_("Total")),
            "blank": say(N_("Nothing below this line")),
            "reasons": say(N_("Doctor's reasons")),
            "page": say(N_("Page {n} of {all}")),
        },
        "reasons": [list(one) for one in seen.reasons],
        "price": [say(N_("Price of the medicines")), formats.money(seen.total_fen, locale)],
        "validity": [say(N_("Valid")), seen.validity],
        "signatures": [asdict(one) for one in seen.signatures],
        "licence": [say(N_("Doctor's licence")), seen.licence],
        "digest": f"SHA-256 {seen.digest}",
        "note": say(
            N_(
                "Signed electronically, each with a key of their own; the numbers are their certificates'. This file "
                "is sealed by the clinic: a changed byte is found."
            )
        ),
    }


def _facts(seen: Shown, locale: str) -> list[tuple[str, str]]:
    weighed = translate(locale, N_("%(weight)s, weighed %(day)s"), weight=seen.weight, day=seen.weighed_on)
    facts = (
        (N_("Name"), seen.child),
        (N_("Sex"), seen.sex),
        (N_("Age"), seen.age),
        (N_("Weight"), weighed if seen.weight else ""),
        (N_("Patient number"), seen.patient_number),
        (N_("Department"), seen.department),
        (N_("Prescription number"), seen.number),
        (N_("Written on"), seen.written_on),
        (N_("Allergies"), seen.allergies),
        (N_("Payment"), translate(locale, N_("by the family"))),
    )
    said = [(translate(locale, label), text) for label, text in facts]
    return [
        *said,
        (translate(locale, N_("Clinical diagnosis")), ("；" if locale == CHINESE else "; ").join(seen.diagnosis)),
    ]
