"""An adverse reaction as FHIR R4 AdverseEvent, with what the national report form asks for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from people.keeping.holdings import Resource, reference
from people.models import Practitioner
from prescriptions.after import queries
from prescriptions.after.library import Severity, reactions
from prescriptions.after.models import AdverseEvent, Causality, Reporter
from prescriptions.writing.models import Prescription

SYSTEM = "http://terminology.hl7.org/CodeSystem"
SERIOUS = {True: "serious", False: "non-serious"}
SEVERITIES = {Severity.EMERGENCY: "severe", Severity.TODAY: "moderate", Severity.WATCH: "mild"}
CAUSES = {
    Causality.CERTAIN: "Certain",
    Causality.PROBABLE: "Probably-Likely",
    Causality.POSSIBLE: "Possible",
    Causality.UNLIKELY: "Unlikely",
    Causality.UNASSESSED: "Conditional-Classified",
    Causality.UNASSESSABLE: "Unassessable-Unclassifiable",
}


def adverse_event(session: Session, found: AdverseEvent) -> Resource:
    """The resource; names of people are not in it, who reports is a reference and a kind."""
    prescription = session.get_one(Prescription, found.prescription_id)
    signs = queries.signs_of(found)
    made: dict[str, Any] = {
        "resourceType": "AdverseEvent",
        "id": str(found.id),
        "actuality": "actual",
        "event": {
            "coding": [{"code": one.code, "display": one.term.zh_CN} for one in signs],
            "text": found.text or "、".join(one.term.zh_CN for one in signs),
        },
        "subject": reference("Patient", found.patient_id),
        "encounter": reference("Encounter", prescription.encounter_id),
        "date": found.began_at.isoformat(),
        "detected": found.reported_at.isoformat(),
        "recordedDate": found.reported_at.isoformat(),
        "seriousness": _coded("adverse-event-seriousness", SERIOUS[found.severe]),
        "severity": _coded("adverse-event-severity", SEVERITIES[reactions().severity(found.signs)]),
        "recorder": _recorder(session, found),
    }
    suspected = queries.suspected(session, found)
    made["suspectEntity"] = [_suspect(line.id, product.name.zh_CN, found) for line, product in suspected]
    if found.outcome:
        made["outcome"] = _coded("adverse-event-outcome", found.outcome.value)
    if found.practitioner_id:
        made["contributor"] = [reference("Practitioner", found.practitioner_id)]
    return made


def _suspect(line_id: UUID, name: str, found: AdverseEvent) -> dict[str, Any]:
    made: dict[str, Any] = {"instance": {"reference": f"MedicationRequest/{line_id}", "display": name}}
    if found.causality:
        made["causality"] = [{"assessment": _coded("adverse-event-causality-assess", CAUSES[found.causality])}]
    return made


def _recorder(session: Session, found: AdverseEvent) -> dict[str, Any]:
    """Who reported: a member of staff by their row, a family as the child's related person without a name."""
    if found.reporter is Reporter.FAMILY:
        return {"type": "RelatedPerson", "display": found.reporter.value}
    member = session.scalar(select(Practitioner.id).where(Practitioner.account_id == found.account_id))
    who = {"reference": f"Practitioner/{member}"} if member else {"type": "Practitioner"}
    return {**who, "display": found.reporter.value}


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": f"{SYSTEM}/{system}", "code": code}]}
