"""Visits of the demo, today and earlier (config/demo/visits.toml), made by the same actions as by pages, each at its
own moment: whoever starts the service finds a waiting room, a doctor's day and a record without waiting for one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from booking import actions as booking
from booking.actions.taking import booked, take
from booking.models import Appointment, AppointmentStatus, ClinicType, Period, Schedule, Slot, SlotStatus, Why
from booking.queries import Visit
from booking.queries import visit as whole
from booking.roster_models import ExceptionKind, RosterException
from booking.rosters import cut_schedules
from booking.rosters.changes import Departure, put_exception
from commands import demo_medicines, demo_parcels
from config.clock import at, local, today
from config.errors import Refused
from config.ids import new_id
from config.policy import current
from config.text import CHINESE
from consultation.encounters.models import Encounter, Ending
from consultation.encounters.rooms import Seat, encounter_of, seat
from consultation.intake import actions as intake
from consultation.intake.questionnaire import Type
from consultation.intake.questionnaire import intake as questions
from consultation.line import actions as line
from consultation.line.models import CheckedDoctor, Confirmed
from consultation.line.queries import checked
from consultation.line.refusals import CheckInClosed
from consultation.record import actions as record
from consultation.record import library, writing
from consultation.record.content import Content, Outcome
from consultation.talk import actions as talk
from consultation.triage import actions as triage
from payments.models import Payment
from people import consents
from people.access import Viewer
from people.actions import bind, follow
from people.index import IndexRecord, number_blind
from people.models import ConsentKind, Decision, Patient, Practitioner, RelatedPerson, Relation
from people.rules import Proof
from prescriptions.signing.keys import Signer
from prescriptions.writing.queries import running

AFTER, LEAST = timedelta(hours=4), timedelta(hours=3)  # the session goes on so long after now; and lasts at least
BEFORE = timedelta(minutes=50)  # it began
EACH = timedelta(minutes=20)  # a number
JUST_NOW = 45  # minutes after the appointed time: what waits for its review is not overdue yet
FAR = ("booked", "told", "waiting", "ended", "signed")


@dataclass(frozen=True)
class Family:
    """A guardian of the demo, where they say that they are, and where medicines are sent."""

    account_id: UUID
    phone: str
    place: str
    to: Mapping[str, str]


def load(
    session: Session,
    data: Mapping[str, Any],
    index: Mapping[str, IndexRecord],
    signer: Signer,
    courier: str,
    now: datetime,
) -> int:
    """Make what is missing of the demo's visits; ``index`` is the hospital's, by patient number, ``signer`` signs what
    is prescribed, ``courier`` is the name in the rows of who carries it. Returns how many.

    A child that has a visit on a day gets no second one, and earlier ones only at first; what nobody came to on
    earlier days is closed.
    """
    doctor, picker, checker = (_member(session, data[name]) for name in ("doctor", "pharmacist", "checker"))
    pharmacy = demo_parcels.Pharmacy(picker, checker, signer, courier)
    families = {number: family for one in data["family"] for number, family in _family(session, one, index, now)}
    seen_before = set(session.scalars(select(Appointment.patient_id).distinct()))
    made, paid = 0, list[Payment]()
    for entry in data["visit"]:
        child = session.scalars(select(Patient).where(Patient.number_blind == number_blind(entry["child"]))).one()
        _close_earlier(session, child, now)
        moment = _moment(entry, now)
        held = select(Appointment.id).where(Appointment.patient_id == child.id, Appointment.day == today(moment))
        if session.scalar(held) or ("days_ago" in entry and child.id in seen_before):
            continue
        if schedule := _session_of(session, doctor, moment, now, data["reason"]):
            seen = index[entry["child"]].last_visit_on
            story = _Story(session, entry, families[entry["child"]], doctor, seen, now)
            story.happen(schedule, child, moment)
            paid += story.prescribe(pharmacy)
            made += 1
    demo_parcels.bills(session, (one for one in paid if one.paid_at and today(one.paid_at) < today(now)), now)
    return made


def _member(session: Session, code: str) -> Practitioner:
    return session.scalars(select(Practitioner).where(Practitioner.code == code)).one()


def _family(
    session: Session, entry: Mapping[str, Any], index: Mapping[str, IndexRecord], now: datetime
) -> Iterator[tuple[str, Family]]:
    """The guardian follows, agrees and has the children bound; by patient number."""
    account = follow(session, entry["openid"], now)
    if not consents.given(session, account.id):
        for kind in ConsentKind:
            consents.decide(session, account.id, kind, Decision.PERMIT, locale=CHINESE, now=now)
    for number in entry["children"]:
        known = index[number]
        bound = select(RelatedPerson.id).join(Patient, Patient.id == RelatedPerson.patient_id)
        if not session.scalar(bound.where(RelatedPerson.account_id == account.id, _is(number))):
            bind(
                session, account.id, known, Proof(known.name, known.birth_date, known.phones[0][-4:]),
                guardian=entry["guardian"], relation=Relation(entry["relation"]), now=now, policy=current(session, now),
            )  # fmt: skip
        yield number, Family(account.id, entry["phone"], entry["place"], entry.get("to", {}))


def _is(number: str) -> Any:
    return Patient.number_blind == number_blind(number)


def _close_earlier(session: Session, child: Patient, now: datetime) -> None:
    """Nobody came to a demo's visit of an earlier day: that must not count as missed."""
    open_still = select(Appointment).where(
        Appointment.patient_id == child.id,
        Appointment.day < today(now),
        Appointment.status.in_((AppointmentStatus.BOOKED, AppointmentStatus.ARRIVED)),
    )
    for held in session.scalars(open_still).all():
        appointment = booking.locked(session, held.id)
        booking.end(session, appointment, AppointmentStatus.CANCELLED, by="command:demo", why=Why.TECHNICAL, now=now)


def _moment(entry: Mapping[str, Any], now: datetime) -> datetime:
    """The appointed time that is wanted."""
    if "days_ago" in entry:
        clock: time = entry["clock"]
        return at(today(now) - timedelta(days=entry["days_ago"]), clock)
    return now + timedelta(minutes=entry["minutes"])


def _session_of(
    session: Session, doctor: Practitioner, moment: datetime, now: datetime, reason: str
) -> Schedule | None:
    """The doctor's extra session around that moment, made when it is not there; None when something is in its way."""
    day = today(min(moment, at(today(now), time(23, 59)))) if moment > now else today(moment)
    there = select(RosterException.period).where(
        RosterException.practitioner_id == doctor.id,
        RosterException.day == day,
        RosterException.reason == reason,
        RosterException.revoked_at.is_(None),
    )
    period = session.scalar(there.limit(1)) or _extra(session, doctor, day, moment, now, reason)
    found = select(Schedule).where(
        Schedule.practitioner_id == doctor.id, Schedule.day == day, Schedule.period == period
    )
    return session.scalar(found)


def _extra(
    session: Session, doctor: Practitioner, day: date, moment: datetime, now: datetime, reason: str
) -> Period | None:
    """Enter the session as it would have been the day before, and have it cut: a session that has begun stays as it
    is."""
    first, last = at(day, time(0)), at(day, time(23, 59))
    about = now if day == today(now) else moment + BEFORE
    ends = min(about + AFTER, last)
    starts = max(min(about - BEFORE, ends - LEAST), first)
    begins, before = local(starts).replace(second=0, microsecond=0), first - timedelta(hours=4)
    period = Period.MORNING if begins.hour < 12 else Period.AFTERNOON
    assert doctor.department_id  # noqa: S101 - a doctor's
    wanted = Departure(
        doctor.id, doctor.department_id, day, period, ExceptionKind.EXTRA,
        starts=begins.time(), ends=local(ends).time().replace(second=0, microsecond=0),
        quota=int((ends - starts) / EACH), fee_fen=0, clinic_type=ClinicType.EXPERT, reason=reason,
    )  # fmt: skip
    try:
        put_exception(session, wanted, by=None, now=before)
    except Refused:
        return None
    cut_schedules(session, [day], before)
    return period


class _Story:
    """One visit, as far as it has come; each thing at its moment, and nothing in the future."""

    def __init__(
        self, session: Session, entry: Mapping[str, Any], family: Family, doctor: Practitioner, seen: date | None,
        now: datetime,
    ) -> None:  # fmt: skip
        self.session, self.entry, self.family, self.seen, self.now = session, entry, family, seen, now
        assert doctor.account_id  # noqa: S101 - the demo binds its doctors
        self.doctor, self.desk = doctor, Viewer(doctor.account_id, CHINESE)
        self.parent = Viewer(family.account_id, CHINESE)
        self.steps = 0

    def happen(self, schedule: Schedule, child: Patient, moment: datetime) -> None:
        """Book, and go on until ``goes``; a visit that can't be checked in to yet stays where it is."""
        far = FAR.index(self.entry["goes"])
        self.visit = self._book(schedule, child, moment)
        self.policy = current(self.session, self.now, self.visit.department.code)
        if far >= FAR.index("told"):
            self._tell()
        try:
            if far >= FAR.index("waiting"):
                self._arrive()
        except CheckInClosed:
            return
        if far >= FAR.index("ended"):
            self._see()
            self._end()

    def prescribe(self, by: demo_parcels.Pharmacy) -> Iterator[Payment]:
        """What the doctor prescribed, unless the child still has it of an earlier day; whoever picks looks at it first.
        What was ordered comes as far as ``comes`` says; yields its payment."""
        has = {one.line.product.code for one in running(self.session, self.visit.patient.id, today(self.now))}
        for n, wanted in enumerate(self.entry.get("prescribes", ()), start=11):
            if has.isdisjoint(wanted["medicines"]):
                seat, when = self._seat(self.desk), self._at(JUST_NOW if wanted["review"] == "waiting" else n)
                made = demo_medicines.prescribe(
                    self.session, seat, self.visit, wanted, by.signer, by.picker, when, self.policy
                )
                if comes := wanted.get("comes"):
                    family, ordered = self.family, self._at(n + 10)
                    yield demo_parcels.bring(
                        self.session, made, family.account_id, family.to, comes, by, ordered, self.policy
                    )

    def _at(self, minutes: float) -> datetime:
        """So many minutes after the appointed time; never after now, and later than what was before."""
        self.steps += 1
        return min(
            self.visit.appointment.starts_at + timedelta(minutes=minutes), self.now - timedelta(seconds=60 - self.steps)
        )

    def _book(self, schedule: Schedule, child: Patient, moment: datetime) -> Visit:
        """The free number nearest to the moment, on the evening before."""
        evening = at(schedule.day - timedelta(days=1), time(20))
        nearest = func.abs(func.extract("epoch", Slot.starts_at - moment))
        free = select(Slot.id).where(Slot.schedule_id == schedule.id, Slot.status == SlotStatus.FREE)
        slot_id = self.session.scalars(free.order_by(nearest, Slot.number).limit(1)).one()
        account_id, policy = self.family.account_id, current(self.session, self.now)
        made = take(self.session, schedule, child.id, account_id, evening, policy, slot_id=slot_id)
        if self.seen:
            made.evidence = {"department": whole(self.session, made.id).department.code, "on": self.seen.isoformat()}
        if schedule.day == today(self.now):
            booked(self.session, made, self.now, policy)
        return whole(self.session, made.id)

    def _tell(self) -> None:
        told = {name: said if isinstance(said, list) else [said] for name, said in self.entry["told"].items()}
        asked, by = self._at(self.entry.get("answered", -180)), self.family.account_id
        for step in questions().item:
            no = {item.linkId: ["no"] for item in step.item if item.type is Type.BOOLEAN}
            intake.save(self.session, self.visit, by, step, no | told, asked, self.policy)
        intake.complete(self.session, self.visit, by, asked, self.policy)
        triage.run(self.session, self.visit, asked, f"account:{by}")

    def _arrive(self) -> None:
        family = self.family
        here = self._at(-12)
        line.check_in(self.session, self.visit, family.account_id, family.place, family.phone, here, self.policy)
        for who, text in self.entry.get("chat", ()):
            mine = self._seat(self.desk if who == "doctor" else self.parent)
            talk.write(self.session, mine, text, new_id(), self._at(-6), self.policy)
            if who == "doctor":
                talk.read(self.session, mine, self._at(-6))

    def _seat(self, who: Viewer) -> Seat:
        return seat(self.session, who, self.visit.appointment.id, lock=True)

    def _see(self) -> None:
        """The doctor, who was checked for the session, calls; the family joins; who is there is confirmed."""
        session, id_, schedule_id = self.session, self.visit.appointment.id, self.visit.schedule.id
        if not checked(session, self.doctor.id, schedule_id):
            first = CheckedDoctor(
                practitioner_id=self.doctor.id, schedule_id=schedule_id, method="demo", at=self._at(0)
            )
            session.add(first)
        line.call(session, self.desk, id_, self._at(1), self.policy)
        encounter: Encounter = encounter_of(session, self.visit, self.now)
        line.join(session, encounter, self.family.account_id, self._at(2))
        line.confirm(session, self.desk, id_, [Confirmed.CHILD, Confirmed.GUARDIAN, Confirmed.SPECIALTY], self._at(3))

    def _end(self) -> None:
        """What the doctor wrote, and signed; or the end by a rule, with the record still to be signed."""
        written = self._written()
        kept = record.save(self.session, self._seat(self.desk), 0, written, self._at(8))
        if self.entry["goes"] == "signed":
            record.sign(
                self.session, self._seat(self.desk), self.visit, kept.version, self._at(10), self.policy, line.finish
            )
        else:
            ending = Ending(self.entry["ending"])
            line.end_by_rule(self.session, self.desk, self.visit.appointment.id, ending, self._at(9), self.policy)

    def _written(self) -> Content:
        template = next(one for one in library.templates().template if one.id == self.entry["template"])
        content = writing.applied(Content(complaint=self.entry["told"]["complaint"]), template, CHINESE)
        if self.entry["goes"] != "signed":
            return content
        more = {
            "epidemiology_confirmed": True,
            "outcome": Outcome(self.entry["outcome"]),
            "days": self.entry.get("days"),
        }
        return content.model_copy(update=more)
