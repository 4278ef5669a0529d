"""Writing and signing: by whom, when, and that nothing that is forbidden or incomplete is ever signed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from config.clock import local
from config.errors import NotFound, Refused
from consultation.encounters.models import EncounterStatus, Ending, SeatRole
from consultation.encounters.rooms import Seat, move
from consultation.line.models import Attestation, CheckedDoctor, Confirmed
from consultation.line.refusals import CheckNeeded
from consultation.record.content import Content, Outcome
from consultation.record.models import Composition
from people.models import Role
from people.tasks import Task
from prescriptions.signing.actions import verify
from prescriptions.writing import actions, queries, refusals, submitting
from prescriptions.writing.content import exact_age
from prescriptions.writing.draft import Draft
from prescriptions.writing.models import PrescriptionStatus, PrescriptionTemplate
from tests.prescriptions.desk import POLICY, Room, room
from tests.prescriptions.made import signed
from tests.prescriptions.orders import FEVER, IBUPROFEN, born
from tests.product import Hospital


@pytest.fixture
def here(session: Session, hospital: Hospital, now: datetime) -> Room:
    return room(session, hospital, now)


def test_signed_it_waits_for_a_pharmacist(session: Session, here: Room, now: datetime) -> None:
    here.write(now)
    row = here.sign(now)
    assert row.status is PrescriptionStatus.IN_REVIEW
    assert row.valid_until == local(now).replace(hour=0, minute=0) + timedelta(days=1)
    assert row.review_by == now + timedelta(minutes=30)
    read = verify(session, row).content
    assert read["conditions"][0]["code"] == "J00"
    assert read["weight"]["grams"] == 15_000
    assert read["lines"][0]["dose_ug"] == read["lines"][0]["dose"] * 24
    assert read["attested"] == ["child", "guardian", "present", "specialty"]
    task = session.scalars(select(Task)).one()
    assert (task.kind, task.role, task.subject_id) == ("review-prescription", Role.PHARMACIST, row.id)


def test_only_the_treating_doctor_writes(session: Session, here: Room, now: datetime) -> None:
    seat = here.seat()
    for role in set(SeatRole) - {SeatRole.PRACTITIONER}:
        other = Seat(seat.encounter, seat.account_id, role)
        with pytest.raises(NotFound):
            actions.save(session, other, 0, Draft(), now, POLICY)
        with pytest.raises(NotFound):
            submitting.sign(session, other, here.visit, 0, None, now, POLICY, verified_only=False)  # type: ignore[arg-type]


def refused(here: Room, now: datetime, **more: bool) -> str:
    with pytest.raises(Refused) as caught:
        here.sign(now, **more)
    return caught.value.code


def test_an_overdose_is_never_signed(session: Session, here: Room, now: datetime) -> None:
    row = here.write(now)
    draft = Draft.model_validate_json(row.draft or "")
    over = draft.lines[0].model_copy(update={"dose": draft.lines[0].dose * 3})
    keys = {one.key: "because" for one in here.judged(draft.model_copy(update={"lines": (over,)}), now).findings}
    here.save(draft.model_copy(update={"lines": (over,), "reasons": keys}), now)
    assert refused(here, now) == "blocked"
    here.save(draft, now)
    assert here.sign(now).status is PrescriptionStatus.IN_REVIEW, "the negative: without it, it is signed"


def test_a_reason_that_is_asked_for_is_written(session: Session, here: Room, now: datetime) -> None:
    row = here.write(now)
    draft = Draft.model_validate_json(row.draft or "")
    low = draft.lines[0].model_copy(update={"dose": 2000})
    draft = draft.model_copy(update={"lines": (low,)})
    here.save(draft, now)
    assert refused(here, now) == "reasons-missing"
    keys = [one.key for one in here.judged(draft, now).findings if one.severity == "reason"]
    here.save(draft.model_copy(update={"reasons": {key: "  " for key in keys}}), now)
    assert refused(here, now) == "reasons-missing"
    here.save(draft.model_copy(update={"reasons": dict.fromkeys(keys, "small and well") | {"other": "x"}}), now)
    read = verify(session, here.sign(now)).content
    assert read["reasons"] == dict.fromkeys(keys, "small and well"), "what nothing asks for is not kept"


@pytest.mark.parametrize("kind", [Confirmed.PRESENT, Confirmed.SPECIALTY, Confirmed.GUARDIAN])
def test_under_six_nothing_is_signed_without_who_is_there(
    session: Session, here: Room, now: datetime, kind: Confirmed
) -> None:
    here.write(now)
    session.execute(delete(Attestation).where(Attestation.kind == kind))
    assert refused(here, now) == "not-attested"
    here.visit.patient.birth_date = born(9)
    session.flush()
    if kind is not Confirmed.GUARDIAN:
        submitting.may_sign(session, here.encounter, now, POLICY)  # an older child: the negative


def test_the_doctors_own_check_comes_first(session: Session, here: Room, now: datetime) -> None:
    here.write(now)
    session.execute(delete(CheckedDoctor))
    with pytest.raises(CheckNeeded):
        here.sign(now)


def test_what_else_is_missing_is_said(session: Session, here: Room, now: datetime) -> None:
    assert refused(here, now) == "nothing-ordered"
    here.write(now, valid_days=2)
    assert refused(here, now) == "validity-reason"
    record = session.scalars(select(Composition)).one()
    record.draft = Content().model_dump_json()
    session.flush()
    assert refused(here, now) == "no-diagnosis"
    record.draft = Content(outcome=Outcome.HOSPITAL).model_dump_json()
    session.flush()
    assert refused(here, now) == "to-hospital"
    assert refused(here, now, verified_only=True) == "to-hospital"


def test_in_production_an_unverified_line_blocks(here: Room, now: datetime) -> None:
    here.write(now)
    assert refused(here, now, verified_only=True) == "blocked"


def test_good_for_longer_with_a_reason(session: Session, here: Room, now: datetime) -> None:
    here.write(now, valid_days=3, validity_reason="lives far away")
    row = here.sign(now)
    assert row.valid_until == local(now).replace(hour=0, minute=0) + timedelta(days=3)
    assert verify(session, row).content["validity"] == {"days": 3, "reason": "lives far away"}


def test_after_the_visit_for_some_hours_only(session: Session, here: Room, now: datetime) -> None:
    here.write(now)
    move(session, here.encounter, EncounterStatus.FINISHED, now, by="t", why="t", ending=Ending.ANSWERED)
    late = now + timedelta(hours=POLICY.prescribe_hours)
    assert refused(here, late) == "not-now"
    with pytest.raises(refusals.NotNow):
        here.save(Draft(), late)
    assert here.sign(now + timedelta(hours=1))


def test_nothing_for_a_child_that_was_sent_to_the_hospital(session: Session, here: Room, now: datetime) -> None:
    here.write(now)
    move(session, here.encounter, EncounterStatus.FINISHED, now, by="t", why="t", ending=Ending.HOSPITAL_TODAY)
    assert refused(here, now) == "not-now"


def test_the_later_of_two_pages_is_refused(session: Session, here: Room, now: datetime) -> None:
    row = here.write(now)
    with pytest.raises(refusals.OldVersion):
        actions.save(session, here.seat(), row.version - 1, Draft(emergency=True), now, POLICY)
    with pytest.raises(refusals.OldVersion):
        submitting.sign(session, here.seat(), here.visit, 0, None, now, POLICY, verified_only=False)  # type: ignore[arg-type]


def test_what_runs_already_counts(session: Session, hospital: Hospital, here: Room, now: datetime) -> None:
    signed(session, hospital, now, encounter=here.encounter)
    row = here.write(now)
    found = here.judged(Draft.model_validate_json(row.draft or ""), now).findings
    assert "per-day" in {one.code for one in found}
    assert refused(here, now) == "blocked"


def test_repeated_and_by_template(session: Session, hospital: Hospital, here: Room, now: datetime) -> None:
    empty = here.judged(Draft(), now)
    with pytest.raises(refusals.NothingBefore):
        actions.repeat(session, here.seat(), Draft(), empty)
    signed(session, hospital, now, FEVER, IBUPROFEN, encounter=here.encounter)
    again = actions.repeat(session, here.seat(), Draft(), here.judged(Draft(), now))
    assert [line.code for line in again.lines] == [FEVER, IBUPROFEN]
    actions.keep_template(session, here.doctor, " fever ", again)
    actions.keep_template(session, here.doctor, "fever", Draft(lines=again.lines[:1]))
    session.flush()
    kept = next(iter(session.scalars(select(PrescriptionTemplate))))
    assert actions.template_codes(session, here.doctor, kept.id) == [FEVER]
    with pytest.raises(NotFound):
        actions.template_codes(session, hospital.colleague, kept.id)
    with pytest.raises(refusals.BadTemplate):
        actions.keep_template(session, here.doctor, "x" * 41, again)


def test_taken_back_until_it_is_packed(session: Session, hospital: Hospital, here: Room, now: datetime) -> None:
    here.write(now)
    row = here.sign(now)
    with pytest.raises(refusals.NoReason):
        submitting.withdraw(session, here.seat(), row.id, " ", now)
    submitting.withdraw(session, here.seat(), row.id, "wrong child", now)
    assert (row.status, row.withdrawn) == (PrescriptionStatus.CANCELLED, "wrong child")
    assert [task.status for task in session.scalars(select(Task))] == ["cancelled"]
    assert queries.running(session, hospital.child.id, now.date()) == []
    with pytest.raises(refusals.NotStanding):
        submitting.withdraw(session, here.seat(), row.id, "again", now)
    assert verify(session, row), "what was signed is still what was signed"


def test_a_draft_given_up_was_never_there(session: Session, here: Room, now: datetime) -> None:
    row = here.write(now)
    actions.drop(session, here.seat(), now)
    assert (row.status, row.draft) == (PrescriptionStatus.CANCELLED, None)
    assert queries.draft_row(session, here.encounter.id) is None
    here.write(now)


def test_the_exact_age() -> None:
    on = date(2026, 3, 1)
    assert exact_age(date(2026, 2, 12), on, "en") == "17 d"
    assert exact_age(date(2025, 8, 31), on, "zh_CN") == "6个月1天"
    assert exact_age(date(2025, 8, 1), on, "en") == "7 mo"
    assert exact_age(date(2023, 1, 1), on, "zh_CN") == "3岁2个月"
