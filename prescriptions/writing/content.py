"""What a prescription says when it is signed: one canonical text with everything on the paper and behind it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from typing import Any
from uuid import UUID

from booking.admission import Age
from booking.queries import Visit
from config import formats
from config.clock import today
from config.hospital import hospital
from config.text import CHINESE, LOCALES
from consultation.encounters.models import Encounter
from consultation.record.content import Condition, canonical
from people.models import Practitioner
from prescriptions.formulary.queries import Entry
from prescriptions.rules import Context, Finding, Line, packages
from prescriptions.writing.models import Prescription, PrescriptionLine

FORMAT = 1


@dataclass(frozen=True)
class Ordered:
    """A line to be signed with the version of its product."""

    line: Line
    medication_id: UUID
    version_id: UUID

    @classmethod
    def of(cls, line: Line, entry: Entry) -> Ordered:
        """A line of a product in force."""
        return cls(line, entry.medication.id, entry.version.id)


@dataclass(frozen=True)
class Case:
    """What a signature rests on besides the lines: the visit, the doctor, the diagnoses, what the rules were asked and
    what they found, the doctor's reasons, and what was confirmed about who is there."""

    visit: Visit
    encounter: Encounter
    doctor: Practitioner
    conditions: Sequence[Condition]
    context: Context
    findings: Sequence[Finding]
    reasons: Mapping[str, str]
    attested: Collection[str]
    validity_reason: str = ""


def text(row: Prescription, lines: Sequence[PrescriptionLine], ordered: Sequence[Ordered], case: Case) -> str:
    """Canonical JSON of a prescription whose row and lines are as they will be kept."""
    assert row.signed_at is not None  # noqa: S101 - the caller signs
    assert row.valid_until is not None  # noqa: S101
    day = today(row.signed_at)
    return canonical(
        {
            "format": FORMAT,
            "id": str(row.id),
            "number": row.number,
            "replaces": str(row.replaces_id) if row.replaces_id else None,
            "encounter": str(row.encounter_id),
            "appointment": str(case.visit.appointment.id),
            "hospital": hospital().name,
            "department": {"id": str(row.department_id), **case.visit.department.name},
            "practitioner": _doctor(case.doctor),
            "patient": _patient(case.visit, day),
            "weight": _weight(case.context),
            "allergies": None if case.context.allergies is None else list(case.context.allergies),
            "conditions": [one.model_dump(mode="json") for one in case.conditions],
            "lines": [_line(one, of) for one, of in zip(lines, ordered, strict=True)],
            "total_fen": sum(one.packages * of.line.product.price_fen for one, of in zip(lines, ordered, strict=True)),
            "emergency": row.emergency,
            "reasons": dict(case.reasons),
            "findings": [_finding(one) for one in case.findings],
            "attested": sorted(case.attested),
            "signed_at": row.signed_at.astimezone(UTC).isoformat(),
            "valid_until": row.valid_until.astimezone(UTC).isoformat(),
            "validity": {"days": (today(row.valid_until) - day).days, "reason": case.validity_reason},
        }
    )


def exact_age(born: date, on: date, locale: str) -> str:
    """The age as a prescription has it (处方管理办法 art. 6): days under a month, months and days under a year, then
    years and months."""
    age = Age.of(born, on)
    if not 1 <= age.months < 12:
        return formats.age(born, on, locale)
    index = born.month - 1 + age.months
    days = (on - _same_day(born.year + index // 12, index % 12 + 1, born.day)).days
    if locale == CHINESE:
        return f"{age.months}个月" + (f"{days}天" if days else "")
    return f"{age.months} mo" + (f" {days} d" if days else "")


def _same_day(year: int, month: int, day: int) -> date:
    """That day of the month, or its last one when it has none."""
    while True:
        try:
            return date(year, month, day)
        except ValueError:
            day -= 1


def _doctor(doctor: Practitioner) -> dict[str, Any]:
    facts = {"code": doctor.code, "name": doctor.name, "title": doctor.title, "licence": doctor.licence}
    return {"id": str(doctor.id), **facts}


def _patient(visit: Visit, day: date) -> dict[str, Any]:
    child = visit.patient
    return {
        "id": str(child.id),
        "name": child.name,
        "number": child.number,
        "birth_date": child.birth_date.isoformat(),
        "sex": str(child.sex),
        "age": {locale: exact_age(child.birth_date, day, locale) for locale in LOCALES},
    }


def _weight(context: Context) -> dict[str, Any] | None:
    weight = context.child.weight
    if weight is None:
        return None
    return {"grams": weight.grams, "measured_on": weight.measured_on.isoformat(), "confirmed": weight.confirmed}


def _line(row: PrescriptionLine, ordered: Ordered) -> dict[str, Any]:
    line, product = ordered.line, ordered.line.product
    return {
        "n": row.n,
        "medication": str(row.medication_id),
        "version": str(row.version_id),
        "code": product.code,
        "name": product.name.model_dump(),
        "strength": product.strength,
        "form": str(product.form),
        "unit": product.unit.model_dump(),
        "liquid": product.liquid,
        "route": str(product.route),
        "main": product.main.ingredient,
        "rule": row.rule,
        "dose": row.dose,
        "dose_ug": int(product.main.micrograms_in(row.dose)),
        "times": row.times,
        "interval": row.interval,
        "days": row.days,
        "total": line.a_day * row.days,
        "package": str(product.package),
        "packages": row.packages,
        "price_fen": product.price_fen,
        "counselling": product.counselling.model_dump(),
        "storage": str(product.storage),
        "verified": line.verified,
        "starts_on": row.starts_on.isoformat(),
        "until": row.until.isoformat(),
    }


def _finding(one: Finding) -> dict[str, Any]:
    said = {locale: one.say(locale) for locale in LOCALES}
    return {"key": one.key, "code": one.code, "severity": str(one.severity), "source": one.source, **said}


def rows(row: Prescription, ordered: Sequence[Ordered], day: date) -> list[PrescriptionLine]:
    """The lines as they are kept, running from a day on; not yet in a session."""
    return [
        PrescriptionLine(
            prescription_id=row.id,
            patient_id=row.patient_id,
            n=n,
            medication_id=of.medication_id,
            version_id=of.version_id,
            rule=of.line.rule,
            dose=of.line.dose,
            times=of.line.times,
            interval=of.line.interval,
            days=of.line.days,
            packages=packages(of.line),
            starts_on=day,
            until=day + timedelta(days=of.line.days - 1),
        )
        for n, of in enumerate(ordered, start=1)
    ]
