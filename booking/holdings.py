"""What this room keeps of a child (people/keeping/holdings.py), in the order in which it can go.

A visit's id is its appointment's, so what is noted about visits by their id is listed here, too.
"""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from booking.fair_models import Suspension, SuspensionStatus, Suspicion
from booking.models import Appointment
from booking.queries import visit
from booking.rights_models import AreaDeclaration, FollowupGrant
from booking.screen_models import ScreenResult
from booking.waiting_models import OPEN, WaitingEntry
from people.keeping.holdings import Children, Clock, Holding, Reader, Resource, of, reference, resource, through
from people.models import AuditEvent
from people.tasks import Task, TaskStatus

_visits = of(Appointment.patient_id)


def _suspensions(children: Children) -> ColumnElement[bool]:
    return or_(
        Suspension.patient_id.in_(children), through(Suspension.appointment_id, Appointment.id, _visits)(children)
    )


def _suspicions(children: Children) -> ColumnElement[bool]:
    visits = select(Appointment.id).where(_visits(children))
    return or_(Suspicion.given_id.in_(visits), Suspicion.taken_id.in_(visits))


def _tasks(children: Children) -> ColumnElement[bool]:
    return or_(Task.subject_id.in_(children), through(Task.subject_id, Appointment.id, _visits)(children))


def _audited(children: Children) -> ColumnElement[bool]:
    about = through(AuditEvent.entity_id, Appointment.id, _visits)
    return or_(AuditEvent.entity_id.in_(children), about(children))


def _suspension(_: Session, row: Any, reader: Reader) -> Resource:
    appeal = {"appeal": row.appeal, "answer": row.answer} if reader.own(row.appealed_by_id) else {}
    return resource("Flag", row, "status", "missed", "since", "until", category="booking-closed", **appeal)


def _waiting(_: Session, row: Any, __: Reader) -> Resource:
    return resource("AppointmentResponse", row, "status", category="waiting-list", recorded=row.joined_at.isoformat())


def _invited(_: Session, row: Any, __: Reader) -> Resource:
    return resource("ServiceRequest", row, "until", category="followup", authoredOn=row.granted_at.isoformat())


def _area(_: Session, row: Any, reader: Reader) -> Resource | None:
    if not reader.own(row.account_id):
        return None
    return resource("Observation", row, "until", category="area", value=row.area, issued=row.declared_at.isoformat())


def _appointment(session: Session, row: Any, __: Reader) -> Resource:
    about = visit(session, row.id)
    return resource(
        "Appointment",
        row,
        "status",
        "number",
        "fee_fen",
        cancelationReason=str(row.cancel_reason) if row.cancel_reason else None,
        start=row.starts_at.isoformat(),
        created=row.booked_at.isoformat(),
        serviceType=about.department.name,
        participant=about.practitioner.name,
        reasonReference=row.evidence,
        supportingInformation=reference("QuestionnaireResponse", row.screen_id),
    )


def _screen(_: Session, row: Any, __: Reader) -> Resource:
    asked = [{"text": one["text"], "answer": {"valueBoolean": one["yes"]}} for one in json.loads(row.answers)]
    return resource(
        "QuestionnaireResponse",
        row,
        "level",
        "rules",
        "version",
        category="before-booking",
        authored=row.at.isoformat(),
        item=asked,
    )


def _event(_: Session, row: Any, __: Reader) -> Resource:
    """That something was done, never by whom."""
    return resource("AuditEvent", row, "action", "outcome", recorded=row.at.isoformat())


HOLDINGS = (
    Holding(
        Suspension,
        _suspensions,
        Suspension.until,
        Clock.PROCESS,
        settled=Suspension.status != SuspensionStatus.APPEALED,
        told=_suspension,
    ),
    Holding(Suspicion, _suspicions, Suspicion.at, Clock.PROCESS),
    Holding(
        WaitingEntry,
        of(WaitingEntry.patient_id),
        WaitingEntry.joined_at,
        Clock.PROCESS,
        settled=WaitingEntry.status.not_in(OPEN),
        told=_waiting,
    ),
    Holding(FollowupGrant, of(FollowupGrant.patient_id), FollowupGrant.granted_at, Clock.PROCESS, told=_invited),
    Holding(AreaDeclaration, of(AreaDeclaration.patient_id), AreaDeclaration.declared_at, Clock.PROCESS, told=_area),
    Holding(Task, _tasks, Task.created_at, Clock.PROCESS, settled=Task.status != TaskStatus.OPEN),
    Holding(AuditEvent, _audited, AuditEvent.at, Clock.AUDIT, told=_event, with_child=False),
    Holding(
        Appointment,
        _visits,
        Appointment.starts_at,
        renews=Appointment.patient_id,
        unlink=(Appointment.replaces_id,),
        told=_appointment,
    ),
    Holding(ScreenResult, of(ScreenResult.patient_id), ScreenResult.at, told=_screen),
)
