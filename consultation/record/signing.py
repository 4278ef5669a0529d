"""A version as it is signed: everything that the record says, in one canonical text that names the version before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from booking.admission import Age
from booking.queries import Visit
from config.clock import today
from consultation.encounters.models import Encounter
from consultation.record import library, queries, writing
from consultation.record.content import Content, Outcome, canonical, digest
from consultation.record.models import Composition, CompositionVersion
from people.models import Practitioner

FORMAT = 1


def version(
    session: Session, composition: Composition, visit: Visit, encounter: Encounter, content: Content, now: datetime
) -> CompositionVersion:
    """Write the next signed version. Raises Damaged when the one before is not what was signed."""
    before = queries.versions(session, composition)
    doctor = session.get_one(Practitioner, encounter.practitioner_id)
    n = len(before) + 1
    text = canonical(
        {
            "format": FORMAT,
            "composition": str(composition.id),
            "encounter": str(encounter.id),
            "n": n,
            "previous": before[-1].digest if before else None,
            "reason": composition.reason,
            "signed_at": now.isoformat(),
            "practitioner": _doctor(doctor),
            "patient": _patient(visit),
            "visit": _visit(visit, encounter),
            "record": content.model_dump(mode="json"),
            "told": _told(visit, content, now),
        }
    )
    made = CompositionVersion(
        composition_id=composition.id,
        n=n,
        content=text,
        digest=digest(text),
        practitioner_id=doctor.id,
        signed_at=now,
    )
    session.add(made)
    session.flush()
    return made


def _doctor(doctor: Practitioner) -> dict[str, Any]:
    return {"id": str(doctor.id), "name": doctor.name, "title": doctor.title, "licence": doctor.licence}


def _patient(visit: Visit) -> dict[str, Any]:
    child = visit.patient
    return {
        "id": str(child.id),
        "name": child.name,
        "number": child.number,
        "birth_date": child.birth_date.isoformat(),
        "sex": str(child.sex),
    }


def _visit(visit: Visit, encounter: Encounter) -> dict[str, Any]:
    return {
        "appointment": str(visit.appointment.id),
        "department": visit.department.name,
        "starts_at": visit.appointment.starts_at.isoformat(),
        "started_at": encounter.started_at.isoformat() if encounter.started_at else None,
    }


def _told(visit: Visit, content: Content, now: datetime) -> dict[str, Any]:
    """What the family is told beside the doctor's own words, as the hospital's data had it on that day."""
    main = content.conditions[0].code if content.conditions else None
    at_home = content.outcome is not Outcome.HOSPITAL
    found = library.leaflet(main, Age.of(visit.patient.birth_date, today(now)).months) if at_home else None
    codes = library.outcomes()
    return {
        "safety_net": writing.standard_net(content),
        "leaflet": found.model_dump(mode="json", include={"id", "title", "zh_CN", "en", "source"}) if found else None,
        "reason": next((of.text.model_dump() for of in codes.reason if of.code == content.reason), None),
        "tests": [of.text.model_dump() for of in codes.test if of.code in content.tests],
        "version": library.leaflets().version,
    }
