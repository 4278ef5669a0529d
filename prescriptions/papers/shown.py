"""A signed prescription in words, in one language: the same on the page, on paper and for the pharmacist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from config import formats
from config.clock import today
from config.text import CHINESE, N_, translate
from people.models import Practitioner, Title
from prescriptions.formulary.amounts import number
from prescriptions.formulary.counselling import counselling
from prescriptions.formulary.words import FORMS, ROUTES
from prescriptions.signing.models import SignatureRole
from prescriptions.signing.verifying import Verified
from prescriptions.writing.models import PrescriptionStatus

SEXES = {"male": N_("Boy"), "female": N_("Girl")}
SIGNERS = {
    SignatureRole.PRESCRIBER: N_("Prescribing doctor"),
    SignatureRole.REVIEWER: N_("Reviewed by"),
    SignatureRole.DISPENSER: N_("Dispensed by"),
    SignatureRole.CHECKER: N_("Checked and given out by"),
}
TITLES = {
    Title.CHIEF: N_("Chief physician"),
    Title.ASSOCIATE_CHIEF: N_("Associate chief physician"),
    Title.ATTENDING: N_("Attending physician"),
}
STATES = {
    PrescriptionStatus.IN_REVIEW: N_("Waits for a pharmacist"),
    PrescriptionStatus.APPROVED: N_("Approved"),
    PrescriptionStatus.REJECTED: N_("Sent back by the pharmacist"),
    PrescriptionStatus.CANCELLED: N_("No longer valid"),
    PrescriptionStatus.DRAFT: N_("Being written"),
}


@dataclass(frozen=True)
class Medicine:
    """A line in words. ``dose`` has the amount of the form and, in brackets, the milligrams."""

    n: int
    name: str
    form: str
    strength: str
    packages: str
    dose: str
    often: str
    route: str
    course: str
    total: str
    directions: str
    counselling: str


@dataclass(frozen=True)
class Signatory:
    """One of the four signatures, empty as long as nobody has signed."""

    role: str
    name: str = ""
    at: str = ""
    serial: str = ""


@dataclass(frozen=True)
class Shown:
    """A prescription as it is read."""

    number: str
    hospital: str
    department: str
    child: str
    patient_number: str
    sex: str
    age: str
    weight: str
    weighed_on: str
    allergies: str
    diagnosis: tuple[str, ...]
    written_on: str
    valid_until: datetime
    validity: str
    emergency: bool
    doctor: str
    licence: str
    medicines: tuple[Medicine, ...]
    reasons: tuple[tuple[str, str], ...]
    total_fen: int
    signatures: tuple[Signatory, ...]
    digest: str
    corrects: bool


def shown(read: Verified, names: Mapping[UUID, Mapping[str, str]], locale: str) -> Shown:
    """A prescription in one language; ``names`` are of those who signed it, by id."""
    content = read.content
    child, doctor, weight = content["patient"], content["practitioner"], content["weight"]
    signed_at, until = (datetime.fromisoformat(content[name]) for name in ("signed_at", "valid_until"))
    return Shown(
        number=content["number"],
        hospital=content["hospital"][locale],
        department=content["department"][locale],
        child=child["name"],
        patient_number=child["number"],
        sex=translate(locale, SEXES.get(child["sex"], "")),
        age=child["age"][locale],
        weight=f"{number(weight['grams'], 1000)} kg" if weight else "",
        weighed_on=formats.short_day(date.fromisoformat(weight["measured_on"]), locale) if weight else "",
        allergies=_allergies(content["allergies"], locale),
        diagnosis=tuple(one[locale] for one in content["conditions"]),
        written_on=formats.long_day(today(signed_at), locale),
        valid_until=until,
        validity=_validity(until, content["validity"]["reason"], locale),
        emergency=content["emergency"],
        doctor=_titled(doctor, locale),
        licence=doctor["licence"] or "",
        medicines=tuple(medicine(line, locale) for line in content["lines"]),
        reasons=_reasons(content, locale),
        total_fen=content["total_fen"],
        signatures=_signatures(read, names, locale),
        digest=read.digest,
        corrects=content["replaces"] is not None,
    )


def _titled(doctor: Mapping[str, Any], locale: str) -> str:
    name, title = doctor["name"][locale], doctor["title"]
    return f"{name} · {translate(locale, TITLES[Title(title)])}" if title else name


def _allergies(told: Sequence[str] | None, locale: str) -> str:
    if told is None:
        return translate(locale, N_("nobody knows"))
    return "、".join(told) or translate(locale, N_("none told of"))


def _validity(until: datetime, reason: str, locale: str) -> str:
    last = formats.long_day(today(until - timedelta(seconds=1)), locale)
    said = translate(locale, N_("until the end of %(day)s"), day=last)
    return f"{said} ({reason})" if reason else said


def _reasons(content: Mapping[str, Any], locale: str) -> tuple[tuple[str, str], ...]:
    """What was found, and why the doctor prescribes all the same."""
    said = {one["key"]: one[locale] for one in content["findings"]}
    return tuple((said.get(key, key), why) for key, why in content["reasons"].items())


def _signatures(read: Verified, names: Mapping[UUID, Mapping[str, str]], locale: str) -> tuple[Signatory, ...]:
    found = []
    for role, label in SIGNERS.items():
        one = read.signatures.get(role)
        said = translate(locale, label)
        if one is None or (role is SignatureRole.REVIEWER and one.more["decision"] != "accept"):
            found.append(Signatory(said))
            continue
        name = names.get(one.practitioner_id, {}).get(locale, one.name)
        found.append(Signatory(said, name, formats.moment(one.at, locale), one.serial))
    return tuple(found)


def medicine(line: Mapping[str, Any], locale: str) -> Medicine:
    """One line of the content in words."""

    def say(message: str, **params: object) -> str:
        return translate(locale, message, **params)

    until = formats.short_day(date.fromisoformat(line["until"]), locale)
    dose = say(N_("%(amount)s a time (%(mass)s)"), amount=amount(line, line["dose"], locale), mass=mass(line))
    how = often(line["times"], line["interval"], locale), say(ROUTES[line["route"]])
    told = line["counselling"].get(locale) or line["counselling"].get("zh_CN", "")
    course = say(N_("%(days)s days, until %(day)s"), days=line["days"], day=until)
    return Medicine(
        n=line["n"],
        name=line["name"][locale],
        form=say(FORMS[line["form"]]),
        strength=line["strength"],
        packages=f"{_package(line, locale)} × {line['packages']}",
        dose=dose,
        often=how[0],
        route=how[1],
        course=course,
        directions=("，" if locale == CHINESE else ", ").join((dose, *how, course)),
        total=amount(line, line["total"], locale),
        counselling=counselling(told, line["times"], line["interval"], locale),
    )


def amount(line: Mapping[str, Any], thousandths: int, locale: str) -> str:
    """``7.5 mL`` or ``2 sachets``."""
    return f"{number(thousandths, 1000)} {'mL' if line['liquid'] else line['unit'][locale]}"


def mass(line: Mapping[str, Any]) -> str:
    """A dose in milligrams of the main ingredient, micrograms below one."""
    ug = line["dose_ug"]
    return f"{number(ug, 1000)} mg" if ug >= 1000 else f"{ug} μg"


def often(times: int, interval: int, locale: str) -> str:
    """``3 times a day, at least 8 hours apart``."""
    if times == 1:
        return translate(locale, N_("once a day"))
    return translate(locale, N_("%(times)s times a day, at least %(hours)s hours apart"), times=times, hours=interval)


def _package(line: Mapping[str, Any], locale: str) -> str:
    text: str = line["package"]
    return f"{text[:-2]} {line['unit'][locale]}" if text.endswith(" u") else text


def names_of(session: Session, read: Verified) -> dict[UUID, Mapping[str, str]]:
    """The names of those who signed, by id."""
    ids = [one.practitioner_id for one in read.signatures.values()]
    return {one.id: one.name for one in session.scalars(select(Practitioner).where(Practitioner.id.in_(ids)))}
