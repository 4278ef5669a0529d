"""The child got worse after a visit: the team is told at once, and again when the answers hold a warning sign."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from booking.admission import PASSING
from booking.queries import Visit
from booking.screen_models import ScreenResult
from config.errors import NotFound
from config.jobs import emit
from config.policy import Policy
from config.text import N_
from consultation.after import queries
from consultation.after.events import ChildWorse
from consultation.after.holding import about, over
from consultation.after.models import Worsening
from consultation.after.refusals import WorseClosed
from consultation.after.rules import TEXT, worse_until
from consultation.encounters.models import Encounter
from people import tasks
from people.access import Member, Viewer
from people.audit import record as audit
from people.models import Role

DOCTOR_TASK = tasks.kind(
    "child-worse",
    title=N_("%(about)s got worse after your visit, the family says: look now, and call."),
    path="/desk/worse/{id}",
    there=True,
)
TEAM_TASK = tasks.kind(
    queries.TEAM,
    title=N_("%(about)s got worse after a visit, the family says: see that the doctor has looked, or call."),
    path="/desk/worse/{id}",
    there=True,
)


def worse(session: Session, viewer: Viewer, appointment_id: UUID, now: datetime, policy: Policy) -> Worsening:
    """Tell the team. A second tap while nobody has had time to look is the same word.

    Raises NotFound, NotOver, WorseClosed.
    """
    visit, encounter, _ = over(session, viewer, appointment_id)
    until = worse_until(encounter, policy)
    if until is None or now >= until:
        raise WorseClosed(days=policy.worse_days)
    within = timedelta(minutes=policy.triage_minutes)
    before = queries.worsening(session, appointment_id)
    if before and before.seen_at is None and now < before.at + within:
        return before
    made = Worsening(appointment_id=appointment_id, account_id=viewer.account_id, at=now)
    session.add(made)
    session.flush()
    _open_tasks(session, visit, encounter, now + within, now)
    _note(session, "child-worse", appointment_id, viewer.account_id, now)
    emit(session, ChildWorse(made.id))
    return made


def _open_tasks(session: Session, visit: Visit, encounter: Encounter, deadline: datetime, now: datetime) -> None:
    shared: dict[str, Any] = {
        "subject_id": visit.appointment.id, "about": about(visit), "deadline": deadline, "now": now,
    }  # fmt: skip
    tasks.open(session, kind=DOCTOR_TASK, practitioner_id=encounter.practitioner_id, **shared)
    role, where = tasks.owner(session, encounter.department_id, (Role.TEAM_LEAD, Role.DEPARTMENT_HEAD))
    tasks.open(session, kind=TEAM_TASK, role=role, department_id=where, **shared)


def answered(session: Session, viewer: Viewer, appointment_id: UUID, screen: ScreenResult) -> Worsening:
    """The family has answered the questions about warning signs (``screen``); a sign is told to the team.

    Raises NotFound also when nobody has said that the child got worse.
    """
    over(session, viewer, appointment_id)
    found = queries.worsening(session, appointment_id)
    if found is None:
        raise NotFound
    found.screen_id = screen.id
    if screen.level not in PASSING:
        emit(session, ChildWorse(found.id, str(screen.level)))
    return found


def seen(session: Session, member: Member, appointment_id: UUID, note: str, now: datetime) -> None:
    """Somebody of the team has seen to it; ``note`` is what was done. Raises NotFound for who is not of the team."""
    queries.worse_for(session, member, appointment_id)
    for one in queries.worsenings(session, appointment_id):
        if one.seen_at is None:
            one.seen_at, one.seen_by_id, one.note = now, member.practitioner.id, note.strip()[:TEXT] or None
    for kind in (DOCTOR_TASK, TEAM_TASK):
        tasks.settle(session, kind, appointment_id, why="seen", now=now)
    _note(session, "see-to-worse", appointment_id, member.practitioner.account_id, now)


def _note(session: Session, action: str, appointment_id: UUID, account_id: UUID | None, now: datetime) -> None:
    audit(session, action, at=now, entity="appointment", entity_id=appointment_id, account_id=account_id)
