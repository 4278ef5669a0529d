"""What this room keeps of a child (people/keeping/holdings.py), in the order in which it can go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, exists, select
from sqlalchemy.orm import Session

from booking.models import Appointment
from config.errors import Refused
from consultation.after.models import AdviceQuestion, Complaint, ComplaintStatus, Rating, Worsening
from consultation.encounters.models import Encounter, Participant, RoomEvent
from consultation.intake import fhir
from consultation.intake.models import QuestionnaireResponse, WeightObservation
from consultation.intake.questionnaire import BrokenQuestionnaire, intake
from consultation.line.models import Attestation, Handover
from consultation.models import Media, MediaStatus
from consultation.record.models import Composition, CompositionVersion
from consultation.record.queries import versions
from consultation.talk.models import CallLink, Message
from consultation.talk.recordings.models import Recording, RecordingChunk
from consultation.triage.models import TriageOverrule, TriageResult
from people.keeping.holdings import Clock, Holding, Reader, Resource, of, reference, resource, through

_rooms = of(Encounter.patient_id)
_visits = of(Appointment.patient_id)


def complained() -> Select[Any]:
    """The children whose visit somebody complained of and has no answer yet: nothing of them is removed."""
    waiting = Complaint.status.in_((ComplaintStatus.NEW, ComplaintStatus.IN_PROGRESS))
    return select(Appointment.patient_id).join(Complaint, Complaint.appointment_id == Appointment.id).where(waiting)


def _about(row: Any) -> Resource:
    return {"appointment": reference("Appointment", row.appointment_id)}


def _rating(_: Session, row: Any, __: Reader) -> Resource:
    return resource("Rating", row, "score", "reasons", recorded=row.changed_at.isoformat(), **_about(row))


def _question(_: Session, row: Any, __: Reader) -> Resource:
    """Asked and answered."""
    return resource(
        "Communication", row, "answer", "answered_at", category="question", payload=row.text,
        sent=row.at.isoformat(), **_about(row),
    )  # fmt: skip


def _worse(_: Session, row: Any, __: Reader) -> Resource:
    return resource("Worsening", row, "seen_at", "note", recorded=row.at.isoformat(), **_about(row))


def _complaint(_: Session, row: Any, reader: Reader) -> Resource | None:
    """Only one's own."""
    if not reader.own(row.account_id):
        return None
    return resource(
        "Communication", row, "number", "status", "answer", "answered_at", category="complaint", payload=row.text,
        sent=row.filed_at.isoformat(), **_about(row),
    )  # fmt: skip


def _message(session: Session, row: Any, _: Reader) -> Resource:
    encounter = session.get_one(Encounter, row.encounter_id)
    return resource(
        "Communication",
        row,
        encounter=reference("Encounter", row.encounter_id),
        appointment=reference("Appointment", encounter.appointment_id),
        sender=str(row.role),
        sent=row.sent_at.isoformat(),
        payload=row.text,
        media=reference("Media", row.media_id),
    )


def _participant(_: Session, row: Any, __: Reader) -> Resource:
    about = reference("Encounter", row.encounter_id)
    return resource("EncounterParticipant", row, "role", "invited_at", "agreed_at", "left_at", encounter=about)


def _attested(_: Session, row: Any, __: Reader) -> Resource:
    about = reference("Encounter", row.encounter_id)
    return resource("Attestation", row, "kind", "version", encounter=about, recorded=row.at.isoformat())


def _handover(_: Session, row: Any, __: Reader) -> Resource:
    return resource(
        "Handover", row, "status", "asked_at", "answered_at", encounter=reference("Encounter", row.encounter_id)
    )


def _overruled(_: Session, row: Any, __: Reader) -> Resource:
    about = reference("RiskAssessment", row.result_id)
    return resource("RiskAssessmentDecision", row, "level", "reason", "text", basis=about, recorded=row.at.isoformat())


def _triaged(_: Session, row: Any, __: Reader) -> Resource:
    about = reference("Appointment", row.appointment_id)
    return resource(
        "RiskAssessment", row, "level", "rules", "unknown", "version", appointment=about, occurrence=row.at.isoformat()
    )


def _answers(_: Session, row: Any, __: Reader) -> Resource:
    about = {"appointment": reference("Appointment", row.appointment_id)}
    try:
        return fhir.response(intake(), row) | about
    except (BrokenQuestionnaire, KeyError, TypeError):  # asked by questions that there are no more: as it was typed
        return resource("QuestionnaireResponse", row, "version", "typed", authored=row.at.isoformat(), **about)


def _weight(_: Session, row: Any, __: Reader) -> Resource:
    value = {"value": int(row.grams) / 1000, "unit": "kg"}
    return resource("Observation", row, code="body-weight", effective=row.measured_on.isoformat(), valueQuantity=value)


def _record(session: Session, row: Any, __: Reader) -> Resource:
    """Every signed version as it was signed; a draft is the doctor's until it is."""
    encounter = session.get_one(Encounter, row.encounter_id)
    about = {
        "encounter": reference("Encounter", row.encounter_id),
        "appointment": reference("Appointment", encounter.appointment_id),
    }
    try:
        signed = [{"digest": one.digest, **one.content} for one in versions(session, row)]
    except Refused as damaged:
        return resource("Composition", row, "status", problem=damaged.code, **about)
    return resource("Composition", row, "status", version=signed, **about)


def _picture(_: Session, row: Any, __: Reader) -> Resource | None:
    if row.status is not MediaStatus.COMPLETED:
        return None
    return resource(
        "Media",
        row,
        "status",
        "kind",
        "width",
        "height",
        appointment=reference("Appointment", row.appointment_id),
        created=row.received_at.isoformat(),
    )


def _encounter(_: Session, row: Any, reader: Reader) -> Resource:
    """No phone. Where the child was is told to who said it."""
    place = row.place if reader.own(row.account_id) else None
    kind = {"class": str(row.kind), "reason": str(row.ending) if row.ending else None, "location": place}
    about = reference("Appointment", row.appointment_id)
    moments = ("arrived_at", "called_at", "started_at", "ended_at")
    return resource("Encounter", row, "status", *moments, appointment=about, **kind)


HOLDINGS = (
    Holding(Rating, through(Rating.appointment_id, Appointment.id, _visits), Rating.at, told=_rating),
    Holding(
        AdviceQuestion,
        through(AdviceQuestion.appointment_id, Appointment.id, _visits),
        AdviceQuestion.at,
        told=_question,
    ),
    Holding(Worsening, through(Worsening.appointment_id, Appointment.id, _visits), Worsening.at, told=_worse),
    Holding(Complaint, through(Complaint.appointment_id, Appointment.id, _visits), Complaint.filed_at, told=_complaint),
    Holding(
        RecordingChunk,
        through(RecordingChunk.recording_id, Recording.id, through(Recording.encounter_id, Encounter.id, _rooms)),
        RecordingChunk.received_at,
        Clock.RECORDING,
        file=RecordingChunk.file_name,
    ),
    Holding(
        Recording,
        through(Recording.encounter_id, Encounter.id, _rooms),
        Recording.started_at,
        Clock.RECORDING,
        settled=and_(
            Recording.ended_at.is_not(None), ~exists().where(RecordingChunk.recording_id == Recording.id)
        ),  # its pieces go before
    ),
    Holding(Message, through(Message.encounter_id, Encounter.id, _rooms), Message.sent_at, Clock.TALK, told=_message),
    Holding(CallLink, through(CallLink.encounter_id, Encounter.id, _rooms), CallLink.created_at, Clock.TALK),
    Holding(
        RoomEvent,
        through(RoomEvent.encounter_id, Encounter.id, _rooms),
        RoomEvent.at,
        key=RoomEvent.encounter_id,
        by_itself="an hour after the visit",  # consultation/talk/actions.py: forget
    ),
    Holding(
        Participant, through(Participant.encounter_id, Encounter.id, _rooms), Participant.invited_at, told=_participant
    ),
    Holding(Attestation, through(Attestation.encounter_id, Encounter.id, _rooms), Attestation.at, told=_attested),
    Holding(Handover, through(Handover.encounter_id, Encounter.id, _rooms), Handover.asked_at, told=_handover),
    Holding(
        TriageOverrule,
        through(TriageOverrule.result_id, TriageResult.id, of(TriageResult.patient_id)),
        TriageOverrule.at,
        told=_overruled,
    ),
    Holding(TriageResult, of(TriageResult.patient_id), TriageResult.at, told=_triaged),
    Holding(QuestionnaireResponse, of(QuestionnaireResponse.patient_id), QuestionnaireResponse.at, told=_answers),
    Holding(WeightObservation, of(WeightObservation.patient_id), WeightObservation.at, told=_weight),
    Holding(
        CompositionVersion,
        through(CompositionVersion.composition_id, Composition.id, of(Composition.patient_id)),
        CompositionVersion.signed_at,
    ),
    Holding(Composition, of(Composition.patient_id), Composition.saved_at, told=_record),
    Holding(Media, of(Media.patient_id), Media.received_at, file=Media.file_name, told=_picture),
    Holding(Encounter, _rooms, Encounter.created_at, told=_encounter),
)
