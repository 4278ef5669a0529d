"""What is said while a family waits: soon, now, another doctor. And what the line hears of booking."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from booking.events import AppointmentBooked, AppointmentCancelled, DoctorDelayed, DoctorReplaced, ScheduleStopped
from booking.queries import visit
from config.text import N_, known, translate
from consultation.encounters.models import Encounter, EncounterStatus, Kind
from consultation.encounters.rooms import encounter_of, kind_for
from consultation.line import actions as line
from consultation.line.events import FamilyCalled, HandoverAsked, TurnSoon
from consultation.line.models import Handover, HandoverStatus
from notifications.writing import Values, put, visit_values
from people.models import Account, Practitioner

# At most 20 characters each, in both languages (``thing``).
SOON_HINT = N_("Soon: open the room")
CALLED_HINT = N_("Tap to join now")
HANDOVER_HINT = N_("Other doctor? Answer")
CALL_LASTS = timedelta(minutes=10)  # an older call is not told any more


def tell_called(session: Session, fact: FamilyCalled, now: datetime) -> None:
    """The guardian with the child: the doctor calls now. One that was taken back meanwhile is not told."""
    called = session.get_one(Encounter, fact.encounter_id)
    if called.status is EncounterStatus.ARRIVED and called.called_at:
        until = called.called_at + CALL_LASTS
        _tell(session, "line-called", called, CALLED_HINT, now, occasion=fact.occasion, expires_at=until)


def tell_soon(session: Session, fact: TurnSoon, now: datetime) -> None:
    """The guardian with the child: only a few are before it."""
    waiting = session.get_one(Encounter, fact.encounter_id)
    if waiting.status is EncounterStatus.ARRIVED:
        _tell(session, "line-soon", waiting, SOON_HINT, now, expires_at=now + CALL_LASTS)


def tell_handover(session: Session, fact: HandoverAsked, now: datetime) -> None:
    """The guardian with the child: another doctor, by name, could see it."""
    asked = session.get_one(Handover, fact.handover_id)
    if asked.status is HandoverStatus.ASKED:
        other = session.get_one(Practitioner, asked.to_id)
        waiting = session.get_one(Encounter, fact.encounter_id)
        _tell(session, "line-handover", waiting, HANDOVER_HINT, now, occasion=asked.id.hex, doctor=other)


def _tell(
    session: Session,
    message: str,
    encounter: Encounter,
    hint: str,
    now: datetime,
    *,
    occasion: str = "",
    expires_at: datetime | None = None,
    doctor: Practitioner | None = None,
) -> None:
    about = visit(session, encounter.appointment_id)
    account = session.get_one(Account, encounter.account_id)
    locale = known(account.locale)
    treating = doctor or session.get_one(Practitioner, encounter.practitioner_id)
    values: Values = visit_values(about, locale) | {
        "doctor": treating.name[locale],
        "hint": translate(locale, hint),
        "time": now,
    }
    source: UUID = encounter.appointment_id
    put(session, message, account, source, values, now, link=source, occasion=occasion, expires_at=expires_at)


def hear_booked(session: Session, fact: AppointmentBooked, now: datetime) -> None:
    """Who has refused to be recorded is seen in writing, however the number was got."""
    booked = visit(session, fact.appointment_id)
    if kind_for(session, booked.appointment.account_id) is Kind.TEXT:
        encounter_of(session, booked, now)


def hear_cancelled(session: Session, fact: AppointmentCancelled, now: datetime) -> None:
    """The visit of an appointment that ended elsewhere does not take place."""
    line.appointment_ended(session, fact.appointment_id, now)


def hear_stopped(session: Session, fact: ScheduleStopped, now: datetime) -> None:
    """Nor those of a stopped period."""
    line.schedule_stopped(session, fact.schedule_id, now)


def hear_replaced(session: Session, fact: DoctorReplaced, now: datetime) -> None:
    """Who waits for the doctor waits for the one who stands in."""
    line.doctor_replaced(session, fact.schedule_id, fact.from_id, fact.to_id, now)


def hear_delayed(session: Session, fact: DoctorDelayed, now: datetime) -> None:  # noqa: ARG001 - as every handler
    """The pages of those who wait show the new estimate."""
    line.line_changed(session, fact.schedule_id)
