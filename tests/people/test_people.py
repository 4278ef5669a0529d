"""Binding a child: the code and the proof, the tries, the guardians, and who may see what."""

from __future__ import annotations

from dataclasses import astuple
from datetime import date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Uuid, literal, select, text
from sqlalchemy.orm import Session

from config.errors import NotFound, Refused
from config.policy import Policy
from people import access, actions, consents, queries
from people.access import Viewer
from people.index import IndexRecord, TablePatientIndex, put
from people.models import Account, AuditEvent, ConsentKind, Decision, GuardianStatus, RelatedPerson, Relation, Sex
from people.refusals import (
    AlreadyBound,
    BindingFrozen,
    ConsentMissing,
    NotStaff,
    ProofRefused,
    TooManyChildren,
    TooManyTries,
)
from people.rules import Proof, plain_name, proves
from tests.product import Hospital, account

POLICY = Policy()
NAME = "阿依古丽·买买提"
PHONES = ("13911112222", "13833334444")
RECORD = IndexRecord("QR-9", "P9", NAME, date(2024, 2, 29), Sex.FEMALE, PHONES, date(2026, 9, 1))
PROOF = Proof(NAME, date(2024, 2, 29), "2222")


@pytest.fixture
def father(session: Session, now: datetime) -> Account:
    """An account that agreed to both texts and holds nobody yet."""
    made = account(session, "o-father", now)
    for kind in ConsentKind:
        consents.decide(session, made.id, kind, Decision.PERMIT, locale="zh_CN", now=now)
    return made


def bind(
    session: Session, to: Account, now: datetime, record: IndexRecord | None = RECORD, proof: Proof = PROOF
) -> RelatedPerson:
    return actions.bind(
        session, to.id, record, proof, guardian="买买提", relation=Relation.FATHER, now=now, policy=POLICY
    )


def test_binding(session: Session, father: Account, now: datetime) -> None:
    binding = bind(session, father, now)
    viewer = Viewer(father.id, "zh_CN")
    child = access.patient_of(session, viewer, binding.patient_id)
    assert (child.name, child.birth_date, binding.name) == ("阿依古丽·买买提", date(2024, 2, 29), "买买提")
    assert [c.patient.id for c in queries.children(session, viewer)] == [child.id]


def test_names_are_not_readable_in_the_database(session: Session, father: Account, now: datetime) -> None:
    bind(session, father, now)
    session.flush()
    stored = session.execute(text("select name, code, number from patients")).one()
    for value in stored:
        assert "阿依古丽".encode() not in bytes(value)
        assert b"QR-9" not in bytes(value)


@pytest.mark.parametrize(
    "proof",
    [
        Proof("阿依古丽", PROOF.birth_date, "2222"),
        Proof(PROOF.name, date(2024, 2, 28), "2222"),
        Proof(PROOF.name, PROOF.birth_date, "9999"),
        Proof(PROOF.name, PROOF.birth_date, ""),
    ],
)
def test_a_wrong_proof_and_an_unknown_code_get_the_same_answer(
    session: Session, father: Account, now: datetime, proof: Proof
) -> None:
    with pytest.raises(ProofRefused) as wrong:
        bind(session, father, now, proof=proof)
    with pytest.raises(ProofRefused) as unknown:
        bind(session, father, now, record=None)
    assert (wrong.value.params, wrong.value.field) == (unknown.value.params, unknown.value.field)
    assert session.scalars(select(RelatedPerson)).all() == []


def test_either_phone_on_file_proves_and_policy_may_waive_it() -> None:
    assert proves(Proof(PROOF.name, PROOF.birth_date, "4444"), RECORD, needs_phone=True)
    assert proves(Proof(PROOF.name, PROOF.birth_date, ""), RECORD, needs_phone=False)
    assert not proves(Proof("阿依", PROOF.birth_date, "4444"), RECORD, needs_phone=False)


@given(st.text(max_size=20))
def test_spaces_width_and_dots_do_not_matter_in_a_name(name: str) -> None:
    assert plain_name(f" {name} ") == plain_name(name)
    assert plain_name("阿依古丽·买买提") == plain_name("阿依古丽•买买提") == plain_name("阿依古丽 买买提")


def test_tries_are_limited_per_account(session: Session, father: Account, now: datetime) -> None:
    for n in range(POLICY.bind_tries_per_account):
        actions.count_try(session, father.id, f"code-{n}", now, POLICY)
    with pytest.raises(TooManyTries):
        actions.count_try(session, father.id, "another code", now, POLICY)
    later = now + timedelta(minutes=POLICY.bind_wait_minutes, seconds=1)
    actions.count_try(session, father.id, "another code", later, POLICY)


def test_tries_are_limited_per_code_over_many_accounts(session: Session, now: datetime) -> None:
    for n in range(POLICY.bind_tries_per_code):
        actions.count_try(session, account(session, f"o-{n}", now).id, "QR-9", now, POLICY)
    with pytest.raises(TooManyTries):
        actions.count_try(session, account(session, "o-next", now).id, " QR-9 ", now, POLICY)


def test_a_proven_try_is_forgotten(session: Session, father: Account, now: datetime) -> None:
    for _ in range(POLICY.bind_tries_per_account - 1):
        actions.count_try(session, father.id, RECORD.code, now, POLICY)
    bind(session, father, now)
    actions.count_try(session, father.id, RECORD.code, now, POLICY)


def test_the_consents_come_first(session: Session, now: datetime) -> None:
    newcomer = account(session, "o-new", now)
    with pytest.raises(ConsentMissing):
        bind(session, newcomer, now)
    consents.decide(session, newcomer.id, ConsentKind.ONLINE_CARE, Decision.PERMIT, locale="en", now=now)
    consents.decide(session, newcomer.id, ConsentKind.CHILD_DATA, Decision.DENY, locale="en", now=now)
    with pytest.raises(ConsentMissing):
        bind(session, newcomer, now)
    consents.decide(session, newcomer.id, ConsentKind.CHILD_DATA, Decision.PERMIT, locale="en", now=now)
    with pytest.raises(ConsentMissing):
        bind(session, newcomer, now)
    consents.decide(session, newcomer.id, ConsentKind.RECORDING, Decision.DENY, locale="en", now=now)
    bind(session, newcomer, now)


@pytest.mark.parametrize("answers", list(product([None, *Decision], repeat=3)))
def test_a_statement_asks_the_same_of_the_consents(
    session: Session, now: datetime, answers: tuple[Decision | None, ...]
) -> None:
    who = account(session, "o-new", now)
    for kind, answer in zip(ConsentKind, answers, strict=True):
        if answer:
            consents.decide(session, who.id, kind, answer, locale="en", now=now)
    passes = answers[:2] == (Decision.PERMIT, Decision.PERMIT) and answers[2] is not None
    assert consents.given(session, who.id) is passes
    assert session.scalar(select(consents.agreed(literal(who.id, Uuid())))) is passes


def test_at_most_four_children(session: Session, father: Account, now: datetime) -> None:
    for n in range(POLICY.children_per_account):
        bind(session, father, now, IndexRecord(f"QR-{n}", f"PP{n}", *_rest()))
    with pytest.raises(TooManyChildren):
        bind(session, father, now, IndexRecord("QR-more", "PPmore", *_rest()))


def _rest() -> tuple[str, date, Sex, tuple[str, ...], date | None]:
    return RECORD.name, RECORD.birth_date, RECORD.sex, RECORD.phones, RECORD.last_visit_on


def test_twice_is_refused_and_unbound_may_come_back(session: Session, father: Account, now: datetime) -> None:
    binding = bind(session, father, now)
    with pytest.raises(AlreadyBound):
        bind(session, father, now)
    actions.unbind(session, binding, now)
    with pytest.raises(NotFound):
        access.patient_of(session, Viewer(father.id, "en"), binding.patient_id)
    assert bind(session, father, now).patient_id == binding.patient_id


def test_an_earlier_guardian_can_freeze_a_later_one_and_not_the_other_way(
    session: Session, hospital: Hospital, now: datetime
) -> None:
    viewer = Viewer(hospital.mother.id, "en")
    mine = access.binding_of(session, viewer, hospital.child.id)
    late = RelatedPerson(
        account_id=hospital.stranger.id,
        patient_id=hospital.child.id,
        name="李四",
        relation=Relation.OTHER,
        bound_at=now + timedelta(days=1),
    )
    session.add(late)
    session.flush()
    with pytest.raises(NotFound):
        actions.set_frozen(session, late, mine.id, frozen=True, now=now)
    actions.set_frozen(session, mine, late.id, frozen=True, now=now)
    assert late.status is GuardianStatus.FROZEN
    with pytest.raises(NotFound):
        access.patient_of(session, Viewer(hospital.stranger.id, "en"), hospital.child.id)
    actions.set_frozen(session, mine, late.id, frozen=False, now=now)
    assert access.patient_of(session, Viewer(hospital.stranger.id, "en"), hospital.child.id).id == hospital.child.id


def test_a_frozen_guardian_cannot_bind_anew(session: Session, father: Account, now: datetime) -> None:
    binding = bind(session, father, now)
    session.execute(text("update related_persons set status = 'frozen'"))
    session.refresh(binding)
    with pytest.raises(BindingFrozen):
        bind(session, father, now)


def test_a_strangers_child_does_not_exist(session: Session, hospital: Hospital) -> None:
    with pytest.raises(NotFound):
        access.patient_of(session, Viewer(hospital.stranger.id, "en"), hospital.child.id)


def test_only_staff_is_staff(session: Session, hospital: Hospital) -> None:
    with pytest.raises(NotStaff):
        access.practitioner_of(session, Viewer(hospital.mother.id, "en"))
    assert hospital.doctor.account_id is not None
    assert access.practitioner_of(session, Viewer(hospital.doctor.account_id, "en")).id == hospital.doctor.id


def test_leaving_erases_the_profile_and_keeps_the_record(session: Session, hospital: Hospital, now: datetime) -> None:
    hospital.mother.unionid, hospital.mother.locale = "u-1", "en"
    session.add(hospital.mother)
    session.flush()
    actions.unfollow(session, "o-mother", now)
    gone = session.scalars(select(Account).where(Account.openid == "o-mother")).one()
    assert (gone.followed, gone.unionid, gone.locale) == (False, None, None)
    assert len(queries.children(session, Viewer(gone.id, "en"))) == 2
    assert actions.follow(session, "o-mother", now).id == gone.id


def test_the_index_is_asked_by_exact_code(session: Session, now: datetime) -> None:
    assert put(session, RECORD)
    assert not put(session, RECORD)
    session.commit()
    index = TablePatientIndex()
    assert index.find(" QR-9 ") == RECORD
    assert index.find("qr-9") is None
    assert index.find_number("p9") == RECORD


def test_a_refused_proof_is_audited_after_the_roll_back(session: Session, father: Account, now: datetime) -> None:
    with pytest.raises(Refused) as refusal:
        bind(session, father, now, record=None)
    assert refusal.value.afterwards is not None
    refusal.value.afterwards(session)
    session.flush()
    assert session.scalars(select(AuditEvent.outcome).where(AuditEvent.action == "bind")).all() == ["proof-refused"]


def test_a_code_issued_anew_is_the_same_child(session: Session, father: Account, now: datetime) -> None:
    first = bind(session, father, now)
    other = account(session, "o-grandmother", now)
    for kind in ConsentKind:
        consents.decide(session, other.id, kind, Decision.PERMIT, locale="zh_CN", now=now)
    again = bind(session, other, now, IndexRecord("QR-9-new", *astuple(RECORD)[1:]))
    assert again.patient_id == first.patient_id
    assert access.patient_of(session, Viewer(father.id, "en"), first.patient_id).code == "QR-9-new"
