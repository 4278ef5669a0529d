"""The pharmacist's review, and what the clock does: never by who prescribed, never twice, never unnoticed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.errors import Refused
from notifications.models import Notification
from people.access import Member, Viewer, member_of
from people.models import PractitionerRole, Role
from people.tasks import Task, TaskStatus
from prescriptions.models import MedicationVersion
from prescriptions.review import actions, queries, refusals
from prescriptions.review.reasons import Group, reasons
from prescriptions.review.watching import watch
from prescriptions.signing.actions import verify
from prescriptions.signing.models import SignatureRole
from prescriptions.writing import actions as writing
from prescriptions.writing.draft import Draft
from prescriptions.writing.models import Prescription, PrescriptionStatus
from prescriptions.writing.queries import of_children
from tests.consultation.lines import told
from tests.prescriptions.desk import POLICY, Room, pharmacist, room
from tests.prescriptions.made import SIGNER
from tests.prescriptions.orders import FEVER, IBUPROFEN
from tests.product import Hospital, seed


@pytest.fixture
def here(session: Session, hospital: Hospital, now: datetime) -> Room:
    return room(session, hospital, now)


@pytest.fixture
def waiting(here: Room, now: datetime) -> Prescription:
    here.write(now)
    return here.sign(now)


@pytest.fixture
def reviewer(session: Session, now: datetime) -> Member:
    return pharmacist(session, now)


def accept(session: Session, who: Member, row: Prescription, now: datetime, **more: bool) -> Prescription:
    return actions.accept(session, who, row.id, SIGNER, now, POLICY, verified_only=more.get("verified_only", False))


def reject(session: Session, who: Member, row: Prescription, now: datetime, text: str = "too much") -> Prescription:
    return actions.reject(session, who, row.id, ["2-5", "unknown"], text, SIGNER, now)


def test_accepted_it_counts_and_the_family_is_told(
    session: Session, hospital: Hospital, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    accept(session, reviewer, waiting, now)
    assert waiting.status is PrescriptionStatus.APPROVED
    read = verify(session, waiting)
    assert read.signatures[SignatureRole.REVIEWER].practitioner_id == reviewer.practitioner.id
    told(session, now)
    said = {(one.message, one.account_id) for one in session.scalars(select(Notification))}
    assert ("prescription-approved", hospital.mother.id) in said
    assert not any(
        "Paracetamol" in str(one.data) or "对乙酰" in str(one.data) for one in session.scalars(select(Notification))
    )


def test_a_pharmacist_is_told_that_one_waits(
    session: Session, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    told(session, now)
    note = session.scalars(select(Notification).where(Notification.message == "prescription-review")).one()
    assert (note.account_id, note.path) == (reviewer.practitioner.account_id, f"/desk/reviews/{waiting.id}")


def test_who_prescribed_never_reviews(session: Session, here: Room, waiting: Prescription, now: datetime) -> None:
    """By rule, and by the table itself when the rule is broken."""
    session.add(PractitionerRole(practitioner_id=here.doctor.id, role=Role.PHARMACIST, granted_at=now))
    session.flush()
    assert here.doctor.account_id
    own = member_of(session, Viewer(here.doctor.account_id, "en"), (Role.PHARMACIST,))
    for act in (accept, reject):
        with pytest.raises(refusals.OwnPrescription):
            act(session, own, waiting, now)
    with pytest.raises(refusals.OwnPrescription):
        actions.take(session, own, waiting.id, now)
    values = {"reviewer_id": here.doctor.id, "reviewed_at": now}
    with pytest.raises(IntegrityError, match="ck_prescriptions_another"), session.begin_nested():
        session.execute(update(Prescription).where(Prescription.id == waiting.id).values(**values))


def test_nothing_is_decided_twice(session: Session, waiting: Prescription, reviewer: Member, now: datetime) -> None:
    accept(session, reviewer, waiting, now)
    for act in (accept, reject):
        with pytest.raises(refusals.Decided):
            act(session, reviewer, waiting, now)


def test_what_the_rules_forbid_now_is_not_accepted(
    session: Session, hospital: Hospital, here: Room, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    with pytest.raises(refusals.StillBlocked):
        accept(session, reviewer, waiting, now, verified_only=True)
    session.execute(update(MedicationVersion).values(verified_by_id=reviewer.practitioner.id, verified_at=now))
    seen = queries.judged(session, waiting, now, POLICY, verified_only=True)
    assert [one.code for one in seen.findings if one.severity == "block"] == []
    dose = seen.doses[1]
    assert dose.mg_kg is not None
    assert 10 <= dose.mg_kg <= 15
    assert accept(session, reviewer, waiting, now, verified_only=True)


def test_sent_back_corrected_and_accepted(
    session: Session, hospital: Hospital, here: Room, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    for text, codes in (("", ["2-5"]), ("why", [])):
        with pytest.raises(refusals.ReasonsNeeded):
            actions.reject(session, reviewer, waiting.id, codes, text, SIGNER, now)
    reject(session, reviewer, waiting, now)
    assert (waiting.codes, waiting.review_text) == (["2-5"], "too much")
    assert [task.kind for task in session.scalars(select(Task).where(Task.status == TaskStatus.OPEN))] == [
        "prescription-rejected"
    ]
    told(session, now)
    messages = {(one.message, one.account_id) for one in session.scalars(select(Notification))}
    assert ("prescription-returned", here.doctor.account_id) in messages
    to_mother = {message for message, account in messages if account == hospital.mother.id}
    assert not any(message.startswith("prescription") for message in to_mother), "the family is left in peace"
    again = writing.correct(session, here.seat(), waiting.id, now, POLICY)
    assert again.replaces_id == waiting.id
    assert Draft.model_validate_json(again.draft or "").lines[0].code == FEVER
    assert writing.correct(session, here.seat(), waiting.id, now, POLICY) is again
    here.save(Draft(), now)
    here.write(now, IBUPROFEN)
    assert here.sign(now) is again
    assert accept(session, reviewer, again, now).status is PrescriptionStatus.APPROVED
    assert verify(session, again).content["replaces"] == str(waiting.id)
    assert list(of_children(session, [hospital.child.id])) == [again]
    assert session.scalars(select(Task).where(Task.status == TaskStatus.OPEN)).all() == []


def test_a_late_review_is_everybodys_and_the_administrators(
    session: Session, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    actions.take(session, reviewer, waiting.id, now)
    task = session.scalars(select(Task)).one()
    assert task.practitioner_id == reviewer.practitioner.id
    assert watch(session, now + timedelta(minutes=29)) == 0
    assert watch(session, now + timedelta(minutes=30)) == 1
    session.expire_all()
    assert task.practitioner_id is None
    alarm = session.scalars(select(Task).where(Task.kind == "review-overdue")).one()
    assert alarm.role is Role.ADMINISTRATOR
    assert watch(session, now + timedelta(minutes=31)) == 0


def test_told_before_it_ends_and_over_when_nobody_reviewed_it(
    session: Session, hospital: Hospital, here: Room, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    assert waiting.valid_until
    soon = waiting.valid_until - timedelta(minutes=POLICY.expiry_warning_minutes)
    watch(session, soon)
    assert waiting.warned_at == soon
    last = told(session, soon)
    messages = {(one.message, one.account_id) for one in session.scalars(select(Notification))}
    assert {
        ("prescription-expiring", hospital.mother.id),
        ("prescription-unreviewed", here.doctor.account_id),
    } <= messages
    watch(session, waiting.valid_until)
    assert waiting.status is PrescriptionStatus.CANCELLED
    with pytest.raises(refusals.Decided):
        accept(session, reviewer, waiting, waiting.valid_until)
    told(session, waiting.valid_until, last)
    messages = {(one.message, one.account_id) for one in session.scalars(select(Notification))}
    assert {("prescription-cancelled", hospital.mother.id), ("prescription-lapsed", here.doctor.account_id)} <= messages
    assert session.scalars(select(Task).where(Task.status == TaskStatus.OPEN)).all() == []


def test_a_rejected_one_that_nobody_corrects_ends_too(
    session: Session, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    reject(session, reviewer, waiting, now)
    assert waiting.valid_until
    watch(session, waiting.valid_until)
    assert waiting.status is PrescriptionStatus.CANCELLED
    assert verify(session, waiting)


def test_an_approved_one_is_not_ended_by_the_clock(
    session: Session, hospital: Hospital, waiting: Prescription, reviewer: Member, now: datetime
) -> None:
    accept(session, reviewer, waiting, now)
    assert waiting.valid_until
    watch(session, waiting.valid_until - timedelta(minutes=5))
    told(session, now)
    notes = session.scalars(select(Notification).where(Notification.message == "prescription-expiring")).all()
    assert [one.account_id for one in notes] == [hospital.mother.id]
    watch(session, waiting.valid_until + timedelta(days=1))
    assert waiting.status is PrescriptionStatus.APPROVED


def test_the_national_reasons_are_28() -> None:
    counts = [sum(one.group is group for one in reasons().reason) for group in Group]
    assert counts == [15, 9, 4]
    assert len({one.code for one in reasons().reason}) == 28


class Life(RuleBasedStateMachine):
    """Whatever doctors, pharmacists and the clock do in whatever order: an approved prescription never changes, none
    was accepted by who wrote it, and all that was signed is what was signed."""

    connection: Connection
    start: datetime

    @initialize()
    def begin(self) -> None:
        self.savepoint = self.connection.begin_nested()
        self.session = Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        hospital = seed(self.session, self.start)
        self.now, self.here = self.start, room(self.session, hospital, self.start)
        self.reviewer = pharmacist(self.session, self.now)
        doctor = self.here.doctor
        self.session.add(PractitionerRole(practitioner_id=doctor.id, role=Role.PHARMACIST, granted_at=self.now))
        self.session.flush()
        assert doctor.account_id
        self.own = member_of(self.session, Viewer(doctor.account_id, "en"), (Role.PHARMACIST,))
        self.approved: dict[Any, tuple[Any, ...]] = {}

    def try_(self, act: Any, *given: Any) -> None:
        nested = self.session.begin_nested()
        try:
            act(*given)
        except Refused:
            nested.rollback()
            self.session.expire_all()
        else:
            nested.commit()

    def one(self, n: int) -> Prescription | None:
        rows = self.session.scalars(select(Prescription).order_by(Prescription.id)).all()
        return rows[n % len(rows)] if rows else None

    @rule(factor=st.sampled_from([1, 1, 1, 2, 5]), medicine=st.sampled_from([FEVER, IBUPROFEN]))
    def write_and_sign(self, factor: int, medicine: str) -> None:
        def act() -> None:
            self.here.save(Draft(), self.now)
            row = self.here.write(self.now, medicine)
            draft = Draft.model_validate_json(row.draft or "")
            line = draft.lines[0].model_copy(update={"dose": draft.lines[0].dose * factor})
            self.here.save(draft.model_copy(update={"lines": (line,)}), self.now)
            self.here.sign(self.now)

        self.try_(act)

    @rule(n=st.integers(0, 5), own=st.booleans())
    def accept(self, n: int, own: bool) -> None:
        if row := self.one(n):
            self.try_(accept, self.session, self.own if own else self.reviewer, row, self.now)

    @rule(n=st.integers(0, 5), own=st.booleans())
    def reject(self, n: int, own: bool) -> None:
        if row := self.one(n):
            self.try_(reject, self.session, self.own if own else self.reviewer, row, self.now)

    @rule(n=st.integers(0, 5))
    def correct(self, n: int) -> None:
        if row := self.one(n):
            self.try_(lambda: writing.correct(self.session, self.here.seat(), row.id, self.now, POLICY))

    @rule(hours=st.sampled_from([1, 7, 15]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        watch(self.session, self.now)

    @precondition(lambda self: hasattr(self, "here"))
    @invariant()
    def laws_hold(self) -> None:
        for row in self.session.scalars(select(Prescription)):
            assert row.reviewer_id != row.practitioner_id
            if row.digest is None:
                continue
            read = verify(self.session, row)
            assert not any(one["severity"] == "block" for one in read.content["findings"])
            if row.status is PrescriptionStatus.APPROVED:
                kept = (row.digest, row.valid_until, row.reviewer_id, row.reviewed_at, len(read.content["lines"]))
                assert self.approved.setdefault(row.id, kept) == kept
        assert all(self.session.get_one(Prescription, one) for one in self.approved)

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            self.session.close()
            self.savepoint.rollback()


def test_a_life_of_prescriptions(database: Connection, now: datetime) -> None:
    Life.connection, Life.start = database, now
    quick = settings(max_examples=6, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Life, settings=quick)
