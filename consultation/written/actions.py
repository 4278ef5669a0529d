"""What changes in a visit in writing: it is chosen, begun, written in, answered, and ended when nobody answers.

Whoever changes one holds its encounter's row, so an answer and the end of its time can't both win.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.models import COMING
from booking.queries import Visit
from config.formats import masked
from config.jobs import emit
from config.nudges import nudge
from config.policy import Policy
from consultation.encounters.models import Encounter, EncounterStatus, Ending, Kind, SeatRole
from consultation.encounters.rooms import OVER, Seat, encounter_of, happened, known, line_topic, move
from consultation.line.actions.arriving import attest
from consultation.line.actions.ending import finish
from consultation.line.actions.holding import by, hold, hold_both
from consultation.line.late import REFUNDED, WRITTEN, settled
from consultation.line.models import Confirmed
from consultation.line.queries import checked
from consultation.line.refusals import CheckNeeded, VisitBegun, VisitOver
from consultation.talk import actions as talk
from consultation.talk.models import Message
from consultation.talk.refusals import RoomClosed
from consultation.written import queries, rules
from consultation.written.events import WrittenAnswered, WrittenAsked
from consultation.written.refusals import EnoughMessages, IntakeFirst, NotInWriting, WritingClosed
from people import tasks
from people.audit import record as audit
from people.models import Patient, Role
from people.tasks import Task

BY = "worker"
WITHIN = timedelta(hours=2)  # for a task about a family without an answer
TOLD_FOR = timedelta(minutes=10)  # several answers in a row are told once


def choose(session: Session, visit: Visit, account_id: UUID, now: datetime) -> Encounter:
    """The visit (from booking.queries, which asked access) is to be held in writing: before it has begun.

    Whether a family may choose is asked before (rules.offered); who refuses to be recorded always may. Twice changes
    nothing. Raises VisitBegun, VisitOver.
    """
    found = known(session, visit.appointment.id) or encounter_of(session, visit, now)
    encounter = hold(session, found.id)
    if encounter.kind is Kind.TEXT:
        return encounter
    if encounter.status in OVER or visit.appointment.status not in COMING:
        raise VisitOver
    if encounter.status is not EncounterStatus.PLANNED:
        raise VisitBegun
    encounter.kind = Kind.TEXT
    happened(session, encounter, "written", now, by=account_id)
    _audit(session, "choose-writing", encounter, account_id, now)
    return encounter


def begin(session: Session, visit: Visit, account_id: UUID, phone: str, now: datetime, policy: Policy) -> Encounter:
    """A guardian (of a visit that booking.queries let them to) begins: they are with the child, and ``phone`` rings.

    The doctor has to answer from now on: what was told before the visit is a question by itself. Raises NotInWriting,
    WritingClosed, IntakeFirst, VisitOver, VisitBegun (another guardian writes).
    """
    found = known(session, visit.appointment.id)
    if found is None or found.kind is not Kind.TEXT:
        raise NotInWriting
    encounter = hold(session, found.id)
    appointment = booking.locked(session, visit.appointment.id)
    if encounter.status in OVER:
        raise VisitOver
    if encounter.status is EncounterStatus.IN_PROGRESS:
        if encounter.account_id != account_id:
            raise VisitBegun
        return encounter
    if not rules.may_begin(visit, now):
        raise WritingClosed(last=visit.schedule.over_at)
    if not queries.told_all(session, visit, now, policy):
        raise IntakeFirst
    encounter.account_id, encounter.phone = account_id, phone
    attest(session, encounter, account_id, [Confirmed.PRESENT], now)
    booking.arrive(appointment, by=by(account_id), now=now)
    move(session, encounter, EncounterStatus.IN_PROGRESS, now, by=by(account_id), why="begun in writing")
    encounter.written_at = now
    _ask(session, encounter, now, policy)
    _audit(session, "begin-writing", encounter, account_id, now)
    return encounter


def switch(session: Session, here: Seat, now: datetime, policy: Policy) -> Encounter:
    """A visit by video can't go on (or begin) so: it goes on in writing, in the same room; the paid visit stays.

    Either side may say so. Twice changes nothing. Raises RoomClosed.
    """
    encounter = hold_both(session, here.encounter)
    if encounter.status not in talk.OPEN:
        raise RoomClosed
    if encounter.kind is Kind.TEXT:
        return encounter
    encounter.kind, encounter.written_at, encounter.extended_at = Kind.TEXT, now, None
    if encounter.status is EncounterStatus.ARRIVED:
        encounter.called_at = None
        move(session, encounter, EncounterStatus.IN_PROGRESS, now, by=by(here.account_id), why="goes on in writing")
    settled(session, encounter, "goes on in writing", now)
    happened(session, encounter, "written", now, by=here.account_id)
    _ask(session, encounter, now, policy)
    _audit(session, "go-on-in-writing", encounter, here.account_id, now)
    return encounter


def write(
    session: Session, here: Seat, text: str, key: UUID, now: datetime, policy: Policy, media_id: UUID | None = None
) -> Message:
    """Write in the room of a visit, by video or in writing. ``here`` is a locked seat.

    In writing the family's messages are counted, each one waits for an answer, and the treating doctor's is one.
    Raises what talk.actions.write raises, EnoughMessages, CheckNeeded (the doctor's own check, once per session).
    """
    if before := talk.sent(session, here, key):
        return before
    admit(session, here, policy)
    message = talk.write(session, here, text, key, now, policy, media_id)
    encounter = here.encounter
    if encounter.kind is Kind.TEXT and here.role is SeatRole.PRACTITIONER:
        _answer(session, encounter, message, now)
    elif encounter.kind is Kind.TEXT and not here.is_doctor and encounter.reply_by is None:
        _ask(session, encounter, now, policy)
    return message


def admit(session: Session, here: Seat, policy: Policy) -> None:
    """Whether this seat may write one more message now; asked before a picture is kept, too.

    Raises RoomClosed, EnoughMessages, CheckNeeded.
    """
    encounter = here.encounter
    if not talk.is_open(encounter):
        raise RoomClosed
    if encounter.kind is Kind.VIDEO:
        return
    if not here.is_doctor and not queries.left(session, encounter, policy):
        raise EnoughMessages(limit=policy.text_messages)
    treating = here.role is SeatRole.PRACTITIONER
    if treating and not checked(session, encounter.practitioner_id, encounter.schedule_id):
        raise CheckNeeded


def _ask(session: Session, encounter: Encounter, now: datetime, policy: Policy) -> None:
    encounter.reply_by = rules.reply_by(now, policy)
    emit(session, WrittenAsked(encounter_id=encounter.id, occasion=f"{now:%y%m%d%H%M%S}"))
    nudge(session, line_topic(encounter.practitioner_id))


def _answer(session: Session, encounter: Encounter, message: Message, now: datetime) -> None:
    before, encounter.answered_at, encounter.reply_by = encounter.answered_at, now, None
    tasks.settle(session, WRITTEN, encounter.appointment_id, why="answered", now=now)
    if before is None or before <= now - TOLD_FOR or _read(session, encounter, message):
        emit(session, WrittenAnswered(encounter_id=encounter.id, occasion=f"{now:%y%m%d%H%M%S}"))
    nudge(session, line_topic(encounter.practitioner_id))


def _read(session: Session, encounter: Encounter, message: Message) -> bool:
    """Whether the family has seen, or answered, all that the doctor wrote before: they would not look again untold."""
    last = select(Message).where(Message.encounter_id == encounter.id, Message.id != message.id)
    found = session.scalar(last.order_by(Message.sent_at.desc(), Message.id.desc()).limit(1))
    return found is None or found.role is not SeatRole.PRACTITIONER or found.read_at is not None


def see_to(session: Session, encounter_id: UUID, now: datetime, policy: Policy) -> None:
    """The time of one visit in writing is over (queries.due), unless somebody wrote meanwhile. Safe to repeat.

    Never answered: it ends and the fee goes back. A later question without an answer: whoever leads the team sees to
    it. Answered and silent since: it ends.
    """
    encounter = hold(session, encounter_id)
    if encounter.kind is not Kind.TEXT or encounter.status is not EncounterStatus.IN_PROGRESS:
        return
    reply_by, answered_at = encounter.reply_by, encounter.answered_at
    if reply_by is None:
        if answered_at and answered_at <= now - timedelta(hours=policy.text_idle_hours):
            finish(session, encounter, Ending.ANSWERED, now, policy, BY)
    elif reply_by <= now and answered_at is None:
        finish(session, encounter, Ending.UNANSWERED, now, policy, BY)
        _task(session, encounter, REFUNDED, now)
        _audit(session, "writing-unanswered", encounter, None, now)
    elif reply_by <= now and not _asked_since(session, encounter, reply_by):
        _task(session, encounter, WRITTEN, now)


def _asked_since(session: Session, encounter: Encounter, since: datetime) -> bool:
    """Whether somebody was asked to see to this question, who may have done so."""
    asked = select(Task.id).where(Task.kind == WRITTEN, Task.subject_id == encounter.appointment_id)
    return session.scalar(asked.where(Task.created_at >= since).limit(1)) is not None


def _task(session: Session, encounter: Encounter, kind: str, now: datetime) -> None:
    name = masked(session.get_one(Patient, encounter.patient_id).name)
    role, department = tasks.owner(session, encounter.department_id, (Role.TEAM_LEAD, Role.DEPARTMENT_HEAD))
    tasks.open(
        session,
        kind=kind,
        subject_id=encounter.appointment_id,
        about={"zh_CN": name, "en": name},
        deadline=now + WITHIN,
        now=now,
        role=role,
        department_id=department,
    )


def _audit(session: Session, action: str, encounter: Encounter, account_id: UUID | None, now: datetime) -> None:
    audit(session, action, at=now, entity="encounter", entity_id=encounter.id, account_id=account_id)
