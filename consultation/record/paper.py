"""The family's copy as PDF: real glyphs, the font embedded, PDF/A-2b, the same bytes for the same version."""

from __future__ import annotations

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import noto_cjk_sans_otc
from typst import Compiler, Fonts

from config import formats
from config.hospital import Hospital
from config.text import CHINESE, N_, translate
from consultation.record.shown import Shown, slip

PPI = 120
TEMPLATE = Path(__file__).with_name("summary.typ")
_rendering = Lock()  # the compiler is one, and keeps what it has read


@cache
def _compiler() -> Compiler:
    folder = Path(noto_cjk_sans_otc.__file__).parent
    fonts = Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
    return Compiler(font_paths=fonts)


def pdf(seen: Shown, hospital: Hospital, locale: str) -> bytes:
    """The paper of a version. Takes some milliseconds of processor time: not inside of a transaction."""
    with _rendering:
        made = _compiler().compile(
            TEMPLATE.read_bytes(),
            format="pdf",
            sys_inputs=_inputs(seen, hospital, locale),
            pdf_standards=["a-2b"],
            timestamp=seen.signed_at.replace(microsecond=0),  # the PDF knows seconds, and refuses more
        )
    assert isinstance(made, bytes)  # noqa: S101 - a PDF is one file
    return made


def pictures(seen: Shown, hospital: Hospital, locale: str) -> list[bytes]:
    """The pages of the paper as PNG, for phones that open no PDF."""
    with _rendering:
        made = _compiler().compile(
            TEMPLATE.read_bytes(), format="png", ppi=PPI, sys_inputs=_inputs(seen, hospital, locale)
        )
    return made if isinstance(made, list) else [made or b""]


def _inputs(seen: Shown, hospital: Hospital, locale: str) -> dict[str, str]:
    return {"data": json.dumps(_data(seen, hospital, locale), ensure_ascii=False)}


def _data(seen: Shown, hospital: Hospital, locale: str) -> dict[str, Any]:
    def say(message: str, **params: object) -> str:
        return translate(locale, message, **params)

    lines = slip(seen, hospital, locale)
    return {
        "lang": "zh" if locale == CHINESE else "en",
        "colon": "：" if locale == CHINESE else ":",
        "title": say(N_("Summary of the online visit")),
        "hospital": hospital.name[locale],
        "facts": _facts(seen, locale),
        "amended": say(N_("Version %(n)s. Why it was amended: %(reason)s"), n=seen.n, reason=seen.reason)
        if seen.reason
        else None,
        "slip": {"title": seen.come[0], "lines": lines} if seen.come and lines else None,
        "sections": [
            {"title": title, "text": text}
            for title, text in (
                (say(N_("What the doctor found")), "\n".join(seen.found)),
                (say(N_("What to do")), seen.advice),
                (say(N_("Tests in the hospital")), "\n".join(seen.tests)),
                (say(N_("Follow-up")), say(N_("In %(days)s days."), days=seen.days) if seen.days else ""),
            )
            if text
        ],
        "watch": _watch(seen, hospital, locale),
        "leaflet": {"title": seen.leaflet_title, "lines": seen.leaflet} if seen.leaflet else None,
        "signature": say(N_("Signed: %(doctor)s"), doctor=seen.doctor),
        "signed": say(
            N_("Signed electronically by %(doctor)s, licence %(licence)s, %(moment)s, version %(n)s"),
            doctor=seen.doctor,
            licence=seen.licence,
            moment=_moment(seen.signed_at, locale),
            n=seen.n,
        ),
        "digest": f"SHA-256 {seen.digest}",
        "page": say(N_("Page {n} of {all}")),
    }


def _facts(seen: Shown, locale: str) -> list[tuple[str, str]]:
    facts = (
        (N_("Name"), seen.child),
        (N_("Patient number"), seen.number),
        (N_("Sex"), seen.sex),
        (N_("Age"), seen.age(locale)),
        (N_("Department"), seen.department),
        (N_("Doctor"), seen.doctor),
        (N_("Visited"), _moment(seen.visited, locale)),
        (N_("Disposition"), seen.outcome),
    )
    return [(translate(locale, label), text) for label, text in facts]


def _watch(seen: Shown, hospital: Hospital, locale: str) -> dict[str, Any] | None:
    if not seen.safety_net:
        return None
    return {
        "title": translate(locale, N_("What to watch, and when to come")),
        "text": seen.safety_net,
        "call": [
            translate(
                locale,
                N_("Hospital: %(name)s, %(address)s. Phone %(number)s, ambulance %(ambulance)s"),
                name=hospital.name[locale],
                address=hospital.address[locale],
                number=hospital.number("hospital"),
                ambulance=hospital.number("emergency"),
            )
        ],
    }


def _moment(at: datetime, locale: str) -> str:
    return formats.moment(at, locale)
