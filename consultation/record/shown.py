"""A signed version in words: what the family reads on the page and on paper, in one language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from config import formats
from config.clock import today
from config.hospital import Hospital
from config.text import N_, translate
from consultation.record.content import Outcome, Urgency
from consultation.record.queries import Signed
from people.models import Title

OUTCOMES = {
    Outcome.HOME: N_("Care at home"),
    Outcome.TESTS: N_("Tests in the hospital"),
    Outcome.HOSPITAL: N_("Come to the hospital"),
    Outcome.FOLLOWUP: N_("Follow-up"),
}
URGENCIES = {
    Urgency.TODAY: N_("Please bring your child to the hospital today"),
    Urgency.EMERGENCY: N_("Go to the emergency department now, or call 120"),
}
TITLES = {
    Title.CHIEF: N_("Chief physician"),
    Title.ASSOCIATE_CHIEF: N_("Associate chief physician"),
    Title.ATTENDING: N_("Attending physician"),
}
SEXES = {"male": N_("Boy"), "female": N_("Girl")}


@dataclass(frozen=True)
class Shown:
    """What is shown of a version. ``come``: when and why the child is to come to the hospital."""

    child: str
    number: str
    born: date
    sex: str
    department: str
    doctor: str
    licence: str
    visited: datetime
    signed_at: datetime
    n: int
    reason: str | None
    digest: str
    found: tuple[str, ...]
    advice: str
    outcome: str
    come: tuple[str, str] | None
    tests: tuple[str, ...]
    days: int | None
    safety_net: str
    leaflet_title: str
    leaflet: tuple[str, ...]

    def age(self, locale: str) -> str:
        """The child's age at the visit."""
        return formats.age(self.born, today(self.visited), locale)


def shown(signed: Signed, locale: str) -> Shown:
    """The version in one language; the doctor's own words stay as they were written, the hospital's are
    in the reader's language."""
    content, record = signed.content, signed.record
    child, doctor, visit, told = (content[part] for part in ("patient", "practitioner", "visit", "told"))
    leaflet = told["leaflet"]
    return Shown(
        child=child["name"],
        number=child["number"],
        born=date.fromisoformat(child["birth_date"]),
        sex=translate(locale, SEXES.get(child["sex"], "")),
        department=visit["department"][locale],
        doctor=_named(doctor, locale),
        licence=doctor["licence"] or "",
        visited=datetime.fromisoformat(visit["started_at"] or visit["starts_at"]),
        signed_at=signed.signed_at,
        n=signed.n,
        reason=content["reason"],
        digest=signed.digest,
        found=tuple(getattr(condition, locale) for condition in record.conditions),
        advice=record.advice,
        outcome=translate(locale, OUTCOMES[record.outcome]) if record.outcome else "",
        come=(translate(locale, URGENCIES[record.urgency]), told["reason"][locale]) if record.urgency else None,
        tests=tuple(test[locale] for test in told["tests"]),
        days=record.days,
        safety_net=told["safety_net"][locale] if told["safety_net"] else record.safety_net,
        leaflet_title=leaflet["title"][locale] if leaflet else "",
        leaflet=tuple(leaflet[locale]) if leaflet else (),
    )


def _named(doctor: Mapping[str, Any], locale: str) -> str:
    title = doctor["title"]
    return f"{doctor['name'][locale]} · {translate(locale, TITLES[Title(title)])}" if title else doctor["name"][locale]


def slip(seen: Shown, hospital: Hospital, locale: str) -> tuple[str, ...] | None:
    """What to show at the hospital's desk, and how to get there; None for a child that stays at home."""
    if seen.come is None:
        return None
    return (
        translate(locale, N_("Reason: %(reason)s"), reason=seen.come[1]),
        translate(
            locale, N_("Where: %(name)s, %(address)s"), name=hospital.name[locale], address=hospital.address[locale]
        ),
        translate(locale, N_("Phone: %(number)s"), number=hospital.number("hospital")),
        translate(locale, N_("Bring: this page, the patient's QR code, medicines and earlier reports.")),
    )
