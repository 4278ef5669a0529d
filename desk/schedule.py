"""The doctor's own list: who is booked with them today and on the coming days, and of the days before what is still to
be marked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session as Database

from booking import queries, rules
from booking.admission import Level
from booking.models import COMING, Schedule
from booking.queries import Offer, Visit
from booking.screens import results
from config.clock import now, today
from config.database import transaction
from config.policy import current
from consultation.encounters.models import Encounter, EncounterStatus
from consultation.encounters.rooms import OVER
from consultation.intake.queries import told_all
from consultation.queries import counts
from consultation.record import queries as records
from consultation.triage.queries import levels
from consultation.written.queries import of as written_of
from desk import line
from desk.pages import LEADERS, bp, page
from people.models import Role
from people.queries import departments
from wechat.signin import member, staff, viewer


@dataclass(frozen=True)
class Session:
    """One period of the doctor: its children in order, and how many numbers it has (None: the clinic is stopped)."""

    schedule: Schedule
    total: int | None
    visits: list[Visit]


@dataclass(frozen=True)
class Day:
    """One day with its periods."""

    day: date
    sessions: list[Session]


@bp.get("")
@staff(*Role)
def my_list() -> ResponseReturnValue:
    """The list for doctors; who leads begins with the day in figures, others of the staff with their tasks."""
    roles = member().roles
    if Role.DOCTOR not in roles:
        return redirect(url_for("desk.day_in_figures" if roles & set(LEADERS) else "desk.task_list"))
    who = viewer()
    with transaction() as database:
        at = now()
        policy = current(database, at)
        first, here = today(at) - timedelta(days=policy.mark_days), today(at)
        last = here + timedelta(days=policy.horizon_last_day)
        visits = [visit for visit in queries.practitioner_visits(database, who, first, last) if _shown(visit, here)]
        offers = queries.practitioner_offers(database, who, first, last)
        pictures = counts(database, [visit.appointment.id for visit in visits])
        flags = levels(database, [visit.appointment.id for visit in visits])
        in_writing = written_of(database, [visit.appointment.id for visit in visits])
        told = told_all(database, [visit.appointment for visit in visits])
        screens = results(database, {visit.appointment.screen_id for visit in visits})
        waiting = line.list_values(database, who, at)
        begun = line.begun(database, [visit.appointment.id for visit in visits])
        states = _states(database, visits)
        unsigned = records.unsigned_count(database, member().practitioner.id)
        names = {department.code: department.name for department in departments(database)}
    before = {visit.schedule.id for visit in visits}
    days = by_day(visits, [offer for offer in offers if offer.schedule.day >= here or offer.schedule.id in before])
    return page(
        "list.html",
        doctor=member().practitioner,
        days=days,
        today=here,
        booked=sum(visit.schedule.day >= here for visit in visits),
        markable={
            visit.appointment.id
            for visit in visits
            if visit.appointment.id not in begun
            and states.get(visit.appointment.id) != "waits"  # the line sees to them
            and rules.markable(visit.appointment, visit.schedule, at, policy)
        },
        begun=begun,
        line=waiting,
        late=rules.hospitals_doing,
        to_judge={id_: screen for id_, screen in screens.items() if screen.level is Level.DOCTOR_DECIDES},
        seen={visit.appointment.id: _seen(visit) for visit in visits},
        names=names,
        pictures=pictures,
        flags=flags,
        told=told,
        states=states,
        unsigned=unsigned,
        in_writing=in_writing,
    )


def _states(database: Database, visits: list[Visit]) -> dict[UUID, str]:
    """How far the visits have come that somebody has checked in to."""
    found = records.progress(database, [visit.appointment.id for visit in visits])
    return {id_: state for id_, (encounter, signed) in found.items() if (state := _state(encounter, signed))}


def _state(encounter: Encounter, signed: bool) -> str | None:
    if signed:
        return "signed"
    if encounter.status in OVER:
        return "unsigned" if encounter.started_at else None
    return {EncounterStatus.ARRIVED: "waits", EncounterStatus.IN_PROGRESS: "inside"}.get(encounter.status)


def _shown(visit: Visit, here: date) -> bool:
    """Of days before, only what waits to be marked or can be taken back."""
    held = visit.appointment
    return held.day >= here or held.final_at is not None or held.status in COMING


def _seen(visit: Visit) -> tuple[str, date] | None:
    """The earlier visit in person on which a booking rests: department code and day. The doctor decides whether this
    one is a follow-up (internet diagnosis rules 2018, art. 16)."""
    evidence = visit.appointment.evidence
    return (evidence["department"], date.fromisoformat(evidence["on"])) if evidence else None


def by_day(visits: list[Visit], offers: list[Offer]) -> list[Day]:
    """The doctor's periods by day; a stopped period still shows the children who are booked in it."""
    sessions = {offer.schedule.id: Session(offer.schedule, offer.total, []) for offer in offers}
    for visit in visits:
        stopped = Session(visit.schedule, None, [])
        sessions.setdefault(visit.schedule.id, stopped).visits.append(visit)
    ordered = sorted(sessions.values(), key=lambda session: session.schedule.starts_at)
    return [Day(day, list(group)) for day, group in groupby(ordered, key=lambda session: session.schedule.day)]
